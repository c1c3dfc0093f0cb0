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
# Frames under way at most: fewer than the virtual device's queue (256) and this socket's memory hold, so that only the switch
# can lose one, however long the system lets us wait.
WINDOW = 64
# A frame that has not come back by then is lost.
PATIENCE = 5
SOL_PACKET = 263
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.setsockopt(SOL_PACKET, 23, 1)  # PACKET_IGNORE_OUTGOING: what we send is not heard
raw.bind(("a1", 0))
head = bytes.fromhex("0200000000010200000000020800450000280000000040068d2b0a000005cb00710a")
tail = bytes.fromhex("0050000000010000000050020400000000000000")
sent = back = lost = 0
stopped = False


def hear(seconds):
    """Takes all that has come, once something has; returns whether it was a frame."""
    global back, stopped
    ready = select.select([raw] + [sys.stdin] * (not stopped), [], [], seconds)[0]
    stopped |= sys.stdin in ready and not sys.stdin.read(1)
    if raw not in ready:
        return False
    while True:
        try:
            frame = raw.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        back += frame[12:14] == b"\x08\x00" and frame[23] == 4


print("started", flush=True)
due = heard = time.monotonic()
while not stopped or (sent - back - lost > 0 and time.monotonic() < heard + PATIENCE):
    now = time.monotonic()
    if sent - back - lost == 0 or now > heard + PATIENCE:
        heard, lost = now, sent - back
    if not stopped and now >= due and sent - back - lost < WINDOW:
        raw.send(head + struct.pack("!H", 1000 + sent % 200) + tail)
        sent += 1
        due = max(due + 1 / PER_SECOND, now - 0.01)
    full = stopped or sent - back - lost >= WINDOW
    if hear(0.05 if full else max(0, due - now)):
        heard = time.monotonic()
dropped = struct.unpack("II", raw.getsockopt(SOL_PACKET, 6, 8))[1]
assert dropped == 0, f"{dropped} frames came faster than they were heard"
print(sent, back)
