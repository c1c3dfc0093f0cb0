"""Drives a P4Runtime server with finsy: connect, arbitrate, push l4lb, write, read, count, and be refused.

    with_finsy.py ADDRESS P4INFO DEVICE_CONFIG INTERFACE MAC

A frame sent out of INTERFACE to MAC comes in at the switch's port.

Ends with 0 if the server did all of it; an assertion says what it did not.
"""

import asyncio
import pathlib
import sys

import finsy as fy
import packet

VIP = {"dst": "203.0.113.10", "protocol": 6, "dst_port": 80}
BACKEND = {
    "src": 0x0A000001, "spread": 0, "dst": 0x0A00010B, "port": 1,
    "dst_mac": 0x0200000000FE, "src_mac": 0x020000000001, "mtu": 1500,
}


def vip(pool):
    action = fy.P4TableAction("set_vip", vip=1, pool=pool, hash_key=0, flags=0, class_=0)
    action.args["class"] = action.args.pop("class_")
    return fy.P4TableEntry("vip4", match=fy.P4TableMatch(VIP), action=action)


def backend(number, mtu=1500):
    action = fy.P4TableAction("ipip4", **{**BACKEND, "mtu": mtu})
    return fy.P4TableEntry("backend", match=fy.P4TableMatch(backend=number), action=action)


async def refused(what, code):
    """What is written must fail, and its detail carry the code; its message."""
    try:
        await what
    except fy.P4ClientError as error:
        codes = {detail.canonical_code for detail in error.details.values()} or {error.code}
        assert code in codes, f"{code} expected, not {codes}: {error}"
        return str(error)
    raise AssertionError(f"nothing refused; {code} expected")


async def entries(switch, pattern):
    return [entry async for entry in switch.read(pattern)]


async def backup(address, pattern):
    """A client with a lower election id may read, not write."""
    async with fy.Switch("backup", address, fy.SwitchOptions(initial_election_id=5)) as second:
        assert not second.is_primary, "there is a primary already"
        assert len(await entries(second, pattern)) == 1
        await refused(second.insert([backend(7)]), fy.GRPCStatusCode.PERMISSION_DENIED)


async def main(address, p4info, config, interface, mac):
    options = fy.SwitchOptions(p4info=pathlib.Path(p4info), p4blob=pathlib.Path(config), fail_fast=True)
    async with fy.Switch("switch", address, options) as switch:
        assert switch.is_primary, "the only client is the primary"
        # finsy has compared the cookie, pushed what was missing, and read it back.
        await switch.delete_all()
        await switch.insert([vip(1), *(backend(16384 + i) for i in range(200))])
        found = await entries(switch, fy.P4TableEntry("backend"))
        assert len(found) == 200, f"{len(found)} backends read, 200 written"

        await switch.modify([backend(16384, mtu=1400), vip(2)])
        one = await entries(switch, fy.P4TableEntry("backend", match=fy.P4TableMatch(backend=16384)))
        assert [e.action.args["mtu"] for e in one] == [1400], one
        (entry,) = await entries(switch, fy.P4TableEntry("vip4"))
        assert entry.action.args["pool"] == 2 and entry.match["dst_port"] == 80, entry

        code = fy.GRPCStatusCode
        await refused(switch.insert([backend(16384)]), code.ALREADY_EXISTS)
        await refused(switch.modify([backend(1)]), code.NOT_FOUND)
        await refused(switch.delete([backend(1)]), code.NOT_FOUND)

        counts = await entries(switch, fy.P4DirectCounterEntry("vip4_counter"))
        assert [c.data.packet_count for c in counts] == [0], counts
        packet.send(interface, mac, VIP["dst"], VIP["dst_port"])
        for _ in range(100):
            counts = await entries(switch, fy.P4DirectCounterEntry("vip4_counter"))
            if counts[0].data.packet_count:
                break
            await asyncio.sleep(0.05)
        assert [c.data.packet_count for c in counts] == [1], counts
        await backup(address, fy.P4TableEntry("vip4"))
        drops = await entries(switch, fy.P4CounterEntry("drop.mtu"))
        assert [d.data.packet_count for d in drops] == [0], drops

        await switch.delete([backend(16384 + i) for i in range(200)] + [vip(2)])
        assert not await entries(switch, [fy.P4TableEntry("vip4"), fy.P4TableEntry("backend")])
    print("finsy: connect, arbitrate, be a backup, push, insert, modify, read, delete, counters, refusals")


asyncio.run(asyncio.wait_for(main(*sys.argv[1:6]), 60))
