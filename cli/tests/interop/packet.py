"""A packet to the VIP, sent into the switch's port, so that there is something to count."""

import ipaddress
import socket
import struct
import time


def _checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def send(interface, mac, destination, port):
    """A SYN from 198.51.100.1 to a TCP port, out of an interface, to an Ethernet address."""
    ends = ipaddress.ip_address("198.51.100.1").packed + ipaddress.ip_address(destination).packed
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends
    ip = ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:]
    tcp = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", _checksum(ends + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
    frame = bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("0200000000bb0800") + ip + tcp
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        out.send(frame.ljust(60, b"\0"))


def until(read, wanted, limit=5):
    """Reads until it is what is wanted; what it was in the end."""
    end = time.monotonic() + limit
    while (found := read()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return found
