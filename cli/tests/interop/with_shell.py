"""Drives a P4Runtime server with p4runtime-shell: push l4lb, insert, modify, read, delete, count, and be refused.

    with_shell.py ADDRESS P4INFO DEVICE_CONFIG INTERFACE MAC

A frame sent out of INTERFACE to MAC comes in at the switch's port.

Ends with 0 if the server did all of it; an assertion says what it did not.
"""

import contextlib
import io
import sys

import packet
import p4runtime_sh.shell as sh
from p4runtime_sh.p4runtime import P4RuntimeWriteException


def backend(number):
    entry = sh.TableEntry("backend")(action="ipip4")
    entry.match["backend"] = str(number)
    values = {"src": "10.0.0.1", "spread": "0", "dst": "10.0.1.11", "port": "1", "mtu": "1500",
              "dst_mac": "02:00:00:00:00:fe", "src_mac": "02:00:00:00:00:01"}
    for name, value in values.items():
        entry.action[name] = value
    return entry


def refused(write, name):
    try:
        write()
    except P4RuntimeWriteException as error:
        assert name in str(error), f"{name} expected: {error}"
        return
    raise AssertionError(f"nothing refused; {name} expected")


def numbers(table):
    """The keys that a wildcard read gives."""
    found = []
    sh.TableEntry(table).read(lambda e: found.append(int.from_bytes(e.match["backend"].exact.value, "big")))
    return sorted(found)


def main(address, p4info, config, interface, mac):
    sh.setup(device_id=1, grpc_addr=address, election_id=(0, 7), config=sh.FwdPipeConfig(p4info, config))
    try:
        for number in (16384, 16385, 16386):
            backend(number).insert()
        assert numbers("backend") == [16384, 16385, 16386], numbers("backend")

        changed = backend(16385)
        changed.action["mtu"] = "1400"
        changed.modify()
        seen = []
        changed.read(lambda e: seen.append(int.from_bytes(e.action["mtu"].value, "big")))
        assert seen == [1400], seen

        refused(backend(16384).insert, "ALREADY_EXISTS")
        refused(backend(1).delete, "NOT_FOUND")

        vip = sh.TableEntry("vip4")(action="set_vip")
        vip.match["dst"], vip.match["protocol"], vip.match["dst_port"] = "203.0.113.10", "6", "80"
        for name, value in {"vip": "1", "pool": "1", "hash_key": "0", "flags": "0", "class": "0"}.items():
            vip.action[name] = value
        vip.insert()

        def counts():
            found = []
            sh.DirectCounterEntry("vip4_counter").read(lambda c: found.append(c.packet_count))
            return found

        assert counts() == [0], counts()
        packet.send(interface, mac, "203.0.113.10", 80)
        assert packet.until(counts, [1]) == [1], counts()
        drops = []
        sh.CounterEntry("drop.mtu").read(lambda c: drops.append(c.packet_count))
        assert drops == [0], drops

        vip.delete()
        for number in (16384, 16385, 16386):
            backend(number).delete()
        assert numbers("backend") == []
    finally:
        sh.teardown()
    print("p4runtime-shell: push, insert, modify, read, delete, counters, refusals")


with contextlib.redirect_stdout(io.StringIO()) as said:  # it prints every value that it is given
    main(*sys.argv[1:6])
print(said.getvalue().splitlines()[-1])
