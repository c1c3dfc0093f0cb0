"""Clients, a load balancer and backends in Mininet, without controller, Open vSwitch or traffic shaping.

    c1 ---\\               /--- b1     one segment: the VIP is at the load balancer's MAC for clients,
    c2 ---- s1 ---------------- b2     and backends answer clients directly
             |            \\--- b3
           1 |
            lb ===== 2: b1, 3: b2, 4: b3     a link to each backend for what the load balancer wraps

Every node has a network namespace of its own, switches too, so that two labs never meet.
"""

import ctypes
import pathlib
import signal
import subprocess
import time

from mininet.node import Host, Switch
from mininet.topo import Topo

VIP = "203.0.113.10"
CLIENTS = {"c1": 1, "c2": 2}
BACKENDS = {"b1": 1, "b2": 2, "b3": 3}
HERE = pathlib.Path(__file__).resolve().parent


def _ends_with_us():
    """In a new process: the kernel ends it when this program ends, however that comes."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def popen(node, command, out):
    """A process in a node."""
    return node.popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT,
                      stdin=subprocess.DEVNULL, preexec_fn=_ends_with_us)


def run(node, *command):
    """Runs a command in a node; what it prints. It fails as the command does."""
    process = popen(node, command, subprocess.PIPE)
    said = process.communicate()[0].decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{node.name}: {' '.join(map(str, command))}: exit code {process.returncode}\n{said}")
    return said


class Running:
    """A process in a node; what it prints goes to a file."""

    def __init__(self, node, log, *command):
        self.what, self.log = f"{node.name}: {' '.join(map(str, command))}", pathlib.Path(log)
        with open(log, "wb") as out:
            self.process = popen(node, command, out)

    def until(self, ready, limit=90):
        """Waits until ready(what it printed) says so; fails if it ends before."""
        end = time.monotonic() + limit
        while not ready(self.log.read_text(errors="replace")):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > end:
                why = "has ended" if ended else f"is not ready after {limit} s"
                raise RuntimeError(f"{self.what} {why}\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)
        return self

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class OwnSwitch(Switch):
    """A switch in a network namespace of its own. Ends what it runs when Mininet stops it."""

    def __init__(self, name, **params):
        self.controlIntf, self.running = None, []
        super().__init__(name, **params | {"dpid": "1", "inNamespace": True})

    def stop(self, deleteIntfs=True):
        for process in self.running:
            process.end()
        super().stop(deleteIntfs)
        self.terminate()


class Segment(OwnSwitch):
    """An Ethernet segment: the kernel's bridge."""

    def start(self, controllers):
        run(self, "ip", "link", "add", "bridge", "type", "bridge")
        for interface in self.intfNames():
            run(self, "ip", "link", "set", interface, "master", "bridge")
        run(self, "ip", "link", "set", "bridge", "up")


class P4RuntimeSwitch(OwnSwitch):
    """A switch that is programmed over P4Runtime: BMv2, or `guideway switch` on XDP or native.

    command: its command line, without ports; log: the file for its output. Interface lb-ethN is port N.
    """

    ADDRESS = "127.0.0.1:9559"

    def __init__(self, name, command=None, log=None, **params):
        self.command, self.log = command, log
        super().__init__(name, **params)

    def start(self, controllers):
        run(self, "ip", "link", "set", "lo", "up")
        ports = [(n, i.name) for n, i in sorted(self.intfs.items())]
        self.running.append(Running(self, self.log, *self.command(ports)))
        self.running[0].until(lambda _: self.listens())

    def listens(self):
        return ":9559 " in run(self, "ss", "--listening", "--tcp", "--numeric")


def bmv2(ports):
    """The command line of BMv2; its program comes over P4Runtime."""
    interfaces = [word for number, name in ports for word in ("-i", f"{number}@{name}")]
    return ["simple_switch_grpc", "--no-p4", "--device-id", "1", *interfaces,
            "--", "--grpc-server-addr", P4RuntimeSwitch.ADDRESS]


def guideway(program, target, folder, pins):
    """The command line of our own switch, as a function of its ports."""

    def command(ports):
        interfaces = [word for number, name in ports for word in ("--port", f"{number}@{name}")]
        own = ["--pin-dir", pins / "lb"] if target == "xdp" else []
        return [program, "switch", folder, "--target", target, *interfaces,
                "--p4runtime", P4RuntimeSwitch.ADDRESS, *own]

    return command


class Lab(Topo):
    """The lab; `lb` is what makes the load balancer's node, with its parameters."""

    def build(self, lb, **params):
        segment = self.addSwitch("s1", cls=Segment)
        balancer = self.addSwitch("lb", cls=lb, **params)
        for name, number in CLIENTS.items():
            self.addHost(name, cls=Host, ip=f"10.0.0.{number}/24")
            self.addLink(name, segment, addr1=f"02:00:00:00:00:{number:02x}")
        for name, number in BACKENDS.items():
            self.addHost(name, cls=Host, ip=f"10.0.0.{10 + number}/24")
            self.addLink(name, segment, addr1=f"02:00:00:00:00:{10 + number:02x}")
        self.addLink(balancer, segment, port1=1, addr1="02:00:00:00:00:fe")
        for name, number in BACKENDS.items():
            self.addLink(balancer, name, port1=1 + number,
                         addr1=f"02:00:00:00:{number:02x}:01", addr2=f"02:00:00:00:{number:02x}:02")


def settle(net):
    """What Mininet doesn't set: the VIP on both sides, and no checksum that is left to a card."""
    for node in net.hosts + net.switches:
        for interface in node.intfNames():
            run(node, "python3", HERE / "offloads.py", interface)
    for name in CLIENTS:
        client, interface = net[name], f"{name}-eth0"
        run(client, "ip", "route", "add", VIP, "dev", interface)
        run(client, "ip", "neigh", "add", VIP, "lladdr", "02:00:00:00:00:fe", "dev", interface)
    run(net["lb"], "sysctl", "-q", "net.ipv4.ip_forward=0")
    for name, number in BACKENDS.items():
        # docs/backends.md, points 2 to 4.
        backend = net[name]
        run(backend, "ip", "addr", "add", f"10.0.{number}.2/24", "dev", f"{name}-eth1")
        run(backend, "ip", "addr", "add", VIP, "dev", "lo")
        for setting in ("all.arp_ignore=1", "all.arp_announce=2", "all.rp_filter=0",
                        f"{name}-eth0.rp_filter=0", f"{name}-eth1.rp_filter=0"):
            run(backend, "sysctl", "-q", f"net.ipv4.conf.{setting}")
        run(backend, "ip", "route", "replace", "10.0.0.0/24", "dev", f"{name}-eth0", "advmss", "1440")
