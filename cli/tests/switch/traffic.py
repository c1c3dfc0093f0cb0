"""Sends packets of known flows into a1 until standard input ends; prints how many, and how many came back as IPIP."""
import ctypes, platform, select, socket, struct, sys, time

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, *words):
    attributes = ctypes.create_string_buffer(struct.pack(words[0], *words[1:]), 128)
    number = {"x86_64": 321}.get(platform.machine(), 280)
    fd = libc.syscall(number, command, attributes, 128)
    assert fd >= 0, ctypes.get_errno()
    return fd


# With a program of its own (`return XDP_PASS`) the interface takes frames that the program at its peer sends back.
code = ctypes.create_string_buffer(bytes.fromhex("b700000002000000 9500000000000000"))
licence = ctypes.create_string_buffer(b"GPL")
program = bpf(5, "=IIQQ", 6, 2, ctypes.addressof(code), ctypes.addressof(licence))
link = bpf(28, "=IIII", program, socket.if_nametoindex("a1"), 37, 4)

PER_SECOND = 2000
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
raw.bind(("a1", 0))
head = bytes.fromhex("0200000000010200000000020800450000280000000040068d2b0a000005cb00710a")
tail = bytes.fromhex("0050000000010000000050020400000000000000")
sent = back = 0


def receive(seconds):
    global back
    end = time.monotonic() + seconds
    while True:
        wait = max(0, end - time.monotonic())
        ready = select.select([raw, sys.stdin], [], [], wait)[0]
        if raw in ready:
            frame, address = raw.recvfrom(4096)
            back += address[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00" and frame[23] == 4
        if sys.stdin in ready and not sys.stdin.read(1):
            return False
        if wait == 0:
            return True


print("started", flush=True)
while True:
    raw.send(head + struct.pack("!H", 1000 + sent % 200) + tail)
    sent += 1
    if not receive(1 / PER_SECOND):
        break
sys.stdin = open("/dev/null")
end = time.monotonic() + 0.3
while time.monotonic() < end:
    if select.select([raw], [], [], 0.05)[0]:
        frame, address = raw.recvfrom(4096)
        back += address[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00" and frame[23] == 4
print(sent, back)
