"""offloads.py INTERFACE: leaves nothing to a card that isn't there, as `ethtool -K INTERFACE tx off tso off gro off`.

A veth hands on packets whose checksum and length a card would mend. BMv2 sends what it got, so they must be right.
"""

import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
SETTINGS = {"tso": 0x1F, "gso": 0x24, "tx": 0x17, "gro": 0x2C}  # linux/ethtool.h: ETHTOOL_STSO and so on

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    for command in SETTINGS.values():
        value = array.array("I", [command, 0])
        request = struct.pack("16sP", sys.argv[1].encode(), value.buffer_info()[0])
        fcntl.ioctl(any_socket, SIOCETHTOOL, request.ljust(40, b"\0"))
