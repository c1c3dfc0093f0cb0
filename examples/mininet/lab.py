#!/usr/bin/python3
"""The emitted load balancer in Mininet: compile, load, program, curl.

    sudo ./lab.py                          BMv2 if it is there, else the native switch
    sudo ./lab.py --target xdp             `guideway switch` on XDP in BMv2's place; or native
    sudo ./lab.py --cli                    leaves you at Mininet's prompt before it goes

Every step is printed as the command that it is. The exit code is 0 if every connection was answered, and every backend
got its share.
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

try:
    from mininet.cli import CLI
    from mininet.net import Mininet
except ImportError:
    sys.exit("mininet is missing: apt-get install --no-install-recommends mininet, then run this with /usr/bin/python3")

import topology
from topology import BACKENDS, CLIENTS, HERE, VIP, P4RuntimeSwitch, Running, run

WEIGHTS = {"b1": 100, "b2": 100, "b3": 50}  # as in lb.toml
NUMBERS = {"b1": 16384, "b2": 16385, "b3": 16386}


def options():
    parser = argparse.ArgumentParser(description="The emitted load balancer in Mininet: compile, load, program, curl.")
    there = all(map(shutil.which, ("simple_switch_grpc", "p4c-bm2-ss")))
    parser.add_argument("--target", choices=["bmv2", "xdp", "native"], default="bmv2" if there else "native",
                        help="what balances [here: %(default)s]")
    parser.add_argument("--connections", type=int, default=150, help="of each client [default: %(default)s]")
    parser.add_argument("--guideway", default="guideway", help="the command [default: from PATH]")
    parser.add_argument("--cli", action="store_true", help="Mininet's prompt before the end")
    parser.add_argument("--json", action="store_true", help="print one object instead of the table")
    return parser.parse_args()


class Steps:
    """Runs commands in the lab, and prints them as one would type them at Mininet's prompt."""

    def __init__(self, arguments, folder):
        self.guideway, self.quiet, self.folder = arguments.guideway, arguments.json, folder

    def say(self, text):
        if not self.quiet:
            print(text, flush=True)

    def here(self, *words):
        """A guideway command outside the lab."""
        self.say("$ guideway " + " ".join(map(str, words)))
        done = subprocess.run([self.guideway, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def at(self, node, *words):
        """A guideway command at a node."""
        self.say(f"{node.name}$ guideway " + " ".join(map(str, words)))
        return run(node, self.guideway, *words)


def start_backends(net, steps, target):
    """Decapsulation and a web server that says its backend's name. The processes."""
    running = []
    plane = "xdp" if target == "xdp" else "native"
    steps.here("compile", "--pipeline", "decap", "--target", plane, "--out", steps.folder / "decap")
    for name in BACKENDS:
        node, web = net[name], steps.folder / name
        web.mkdir()
        (web / "index.html").write_text(f"{name}\n")
        own = ["--pin-dir", pins(node, steps.folder)] if plane == "xdp" else ["--host-port", "gw0"]
        decap = ["switch", steps.folder / "decap", "--target", plane, "--port", f"1@{name}-eth1",
                 "--entries", HERE / "decap.toml", *own]
        steps.say(f"{name}$ guideway " + " ".join(map(str, decap)))
        running.append(Running(node, steps.folder / f"{name}.decap", steps.guideway, *decap))
        running.append(Running(node, steps.folder / f"{name}.web", "python3", "-u", "-m", "http.server", "80",
                               "--bind", VIP, "--directory", web))
    for process in running:
        word = "ready" if process.log.suffix == ".decap" else "Serving HTTP"
        process.until(lambda said, word=word: word in said)
    return running


def pins(node, folder):
    """A BPF file system in the node's mount namespace: what is pinned there goes with the node."""
    bpf = folder / "bpf"
    bpf.mkdir(exist_ok=True)
    run(node, "mount", "-t", "bpf", "bpf", bpf)
    return bpf / node.name


def program(lb, steps, target):
    """Makes the switch the load balancer, over P4Runtime."""
    to = ["--profile", "bmv2"] if target == "bmv2" else []
    said = steps.at(lb, "load", steps.folder / "out", "--entries", HERE / "lb.toml")
    steps.say(said.rstrip())
    vip = ["vip4", f"dst={VIP}", "protocol=tcp", "dst_port=80", "--action", "set_vip",
           "--param", "vip=1", "pool=1", "hash_key=0", "flags=6", "class=0"]
    steps.at(lb, "table", "set", *vip, *to)
    return to


def curl(net, steps, count):
    """Connections per backend and failures: each client opens `count`, one after the other."""
    address = f"http://{VIP}/?[1-{count}]"
    steps.say(f"c1, c2$ curl -s --max-time 5 '{address}'")
    clients = [topology.popen(net[name], ["curl", "-s", "--max-time", "5", address], subprocess.PIPE) for name in CLIENTS]
    answers = [line for client in clients for line in client.communicate()[0].decode().split()]
    got = collections.Counter(answers)
    return got, count * len(CLIENTS) - sum(got[name] for name in BACKENDS)


def report(lb, steps, to, got, failures):
    """The table, with what the switch has counted, and whether all is well."""
    entries = json.loads(steps.at(lb, "table", "get", "backend", "--json", *to))
    (vip,) = json.loads(steps.at(lb, "table", "get", "vip4", "--json", *to))
    counts = {c["counter"]: c["packets"] for c in json.loads(steps.at(lb, "counters", "--json", *to)) if c["packets"]}
    packets = {name: e["packets"] for e in entries for name, number in NUMBERS.items() if e["key"]["backend"] == number}
    total = sum(got.values())
    share = {name: total * weight / sum(WEIGHTS.values()) for name, weight in WEIGHTS.items()}
    # A random choice of so many connections stays within five standard deviations.
    fair = all(abs(got[name] - ideal) <= 5 * ideal**0.5 for name, ideal in share.items())
    # At least SYN, ACK and request of each connection were counted.
    counted = all(packets.get(name, 0) >= 3 * got[name] for name in BACKENDS)
    steps.say("\nbackend  weight  connections  ideal  packets, read over P4Runtime")
    for name, weight in WEIGHTS.items():
        steps.say(f"{name:7}  {weight:6}  {got[name]:11}  {share[name]:5.0f}  {packets.get(name, 0):7}")
    steps.say(f"failures {failures}; packets to the VIP {vip['packets']}; counted {json.dumps(counts)}")
    ok = failures == 0 and fair and counted
    if steps.quiet:
        print(json.dumps({"ok": ok, "connections": dict(got), "failures": failures, "backend_packets": packets,
                          "vip_packets": vip["packets"], "counts": counts}))
    elif not ok:
        print("NOT as it should be")
    return ok


def balance(arguments, folder):
    steps, target = Steps(arguments, folder), arguments.target
    steps.here("compile", "--target", target, "--out", folder / "out")
    command = (topology.bmv2 if target == "bmv2"
               else topology.guideway(arguments.guideway, target, folder / "out", folder / "bpf"))
    # Mininet would raise limits of the machine, which so small a lab does not need.
    Mininet.inited = True
    net = Mininet(topology.Lab(lb=P4RuntimeSwitch, command=command, log=folder / "lb"), controller=None,
                  build=False)
    running = []
    try:
        net.build()
        topology.settle(net)
        if target == "xdp":
            pins(net["lb"], folder)
        running = start_backends(net, steps, target)
        steps.say(f"lb$ {' '.join(map(str, command([(n, f'lb-eth{n}') for n in range(1, 5)])))}")
        net.start()
        to = program(net["lb"], steps, target)
        ok = report(net["lb"], steps, to, *curl(net, steps, arguments.connections))
        if arguments.cli:
            CLI(net)
        return ok
    finally:
        signal.alarm(0)
        for process in running:
            process.end()
        net.stop()


def stop(number, _frame):
    """Ends the lab. Python loses what is raised while it forks, so this is raised again until the lab has heard it."""
    signal.signal(signal.SIGALRM, lambda *_: stop(number, None))
    signal.alarm(1)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(143)


def main():
    arguments = options()
    if os.geteuid() != 0:
        sys.exit("Mininet needs root")
    arguments.guideway = shutil.which(arguments.guideway) or sys.exit(f"{arguments.guideway} is not on PATH")
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory(prefix="guideway-mininet-") as folder:
        try:
            return 0 if balance(arguments, pathlib.Path(folder)) else 1
        except RuntimeError as error:
            sys.exit(f"error: {error}")
        except KeyboardInterrupt:
            sys.exit("interrupted")


if __name__ == "__main__":
    sys.exit(main())
