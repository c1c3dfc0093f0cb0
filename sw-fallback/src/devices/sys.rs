//! The kernel calls of the devices that no safe library offers: packet rings, sending many frames at once, interface
//! requests, taps. All of the crate's `unsafe` code for devices is here; callers pass safe values and get safe values.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

fn check(ret: libc::c_int) -> Result<libc::c_int> {
    if ret < 0 { Err(Error::last_os_error()) } else { Ok(ret) }
}

fn length<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

/// The index of an interface of the calling thread's network namespace.
pub(super) fn interface_index(name: &str) -> Result<u32> {
    let name = CString::new(name)?;
    // SAFETY: the name is NUL-terminated and lives for the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(Error::last_os_error()),
        index => Ok(index),
    }
}

/// A raw packet socket that hears and sends nothing yet.
pub(super) fn packet_socket() -> Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no memory is passed.
    let fd = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
    // SAFETY: the kernel has just given us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A raw socket of an IP protocol that the kernel counts among those who listen, and gives nothing to.
pub(super) fn deaf_socket(family: libc::c_int, protocol: libc::c_int) -> Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let fd = check(unsafe { libc::socket(family, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the kernel has just given us this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // It keeps no byte of any packet. Without that its queue would fill up, and a full one doesn't count as listening.
    let mut nothing = libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut nothing };
    set(socket.as_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)?;
    Ok(socket)
}

/// Ties a packet socket to an interface. It hears every frame there if it shall, else it only sends.
pub(super) fn bind(socket: BorrowedFd<'_>, index: u32, hear: bool) -> Result<()> {
    let protocol = if hear { (libc::ETH_P_ALL as u16).to_be() } else { 0 };
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol,
        sll_ifindex: index.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let at = (&raw const address).cast();
    // SAFETY: the address lives for the call, and its true size is passed.
    check(unsafe { libc::bind(socket.as_raw_fd(), at, length::<libc::sockaddr_ll>()) }).map(drop)
}

/// Sets an option of a socket to a plain value.
fn set<T>(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &T) -> Result<()> {
    let at = std::ptr::from_ref(value).cast();
    // SAFETY: the value lives for the call, and its true size is passed.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, at, length::<T>()) }).map(drop)
}

/// Sets a numeric option of packet sockets.
pub(super) fn set_packet_option(socket: BorrowedFd<'_>, name: libc::c_int, value: i32) -> Result<()> {
    set(socket, libc::SOL_PACKET, name, &value)
}

/// Asks for room for so many bytes on their way out.
pub(super) fn set_send_buffer(socket: BorrowedFd<'_>, bytes: i32) -> Result<()> {
    let forced = set(socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &bytes);
    forced.or_else(|_| set(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, &bytes))
}

/// Lets the interface take frames for any address while the socket lives.
pub(super) fn set_promiscuous(socket: BorrowedFd<'_>, index: u32) -> Result<()> {
    let request = libc::packet_mreq {
        mr_ifindex: index.cast_signed(),
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set(socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// The error that waits on a socket; asking takes it away.
pub(super) fn pending_error(socket: BorrowedFd<'_>) -> Result<()> {
    let mut code: libc::c_int = 0;
    let mut len = length::<libc::c_int>();
    let to = (&raw mut code).cast();
    // SAFETY: `to` is writable for `len` bytes.
    check(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ERROR, to, &raw mut len)
    })?;
    if code == 0 { Ok(()) } else { Err(Error::from_raw_os_error(code)) }
}

/// Frames that found no room in the ring since the last time this was asked.
pub(super) fn lost(socket: BorrowedFd<'_>) -> Result<u32> {
    let mut stats = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut len = length::<libc::tpacket_stats>();
    let to = (&raw mut stats).cast();
    // SAFETY: `to` is writable for `len` bytes.
    check(unsafe {
        let fd = socket.as_raw_fd();
        libc::getsockopt(fd, libc::SOL_PACKET, libc::PACKET_STATISTICS, to, &raw mut len)
    })?;
    Ok(stats.tp_drops)
}

/// The slots into which the kernel writes frames, shared with it.
#[derive(Debug)]
pub(super) struct Ring {
    base: *mut u8,
    bytes: usize,
    slot_bytes: usize,
    slots: usize,
    next: usize,
}

// SAFETY: the mapping belongs to this value alone; the kernel's side is ordered by the slots' status words.
unsafe impl Send for Ring {}

/// What stands before a frame in its slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) status: u32,
    /// Bytes on the wire.
    pub(super) length: u32,
    pub(super) vlan: u16,
    pub(super) vlan_type: u16,
    /// `PACKET_HOST` and so on.
    pub(super) kind: u8,
    /// Where a checksum has to be completed: where its sum starts, and where it stands from there.
    pub(super) partial: Option<(u16, u16)>,
}

/// Bytes of `virtio_net_hdr`, which stands right before the frame.
const VNET_BYTES: usize = 10;
const VNET_NEEDS_CHECKSUM: u8 = 1;
/// Free bytes that a slot has before its frame, for a VLAN tag.
pub(super) const TAG_ROOM: usize = 4;
/// The slot is ours.
const USER: u32 = 1;

impl Ring {
    /// Makes the ring of a packet socket. `slot_bytes` is a power of two of at least 256.
    pub(super) fn new(socket: BorrowedFd<'_>, slot_bytes: usize, slots: usize) -> Result<Self> {
        const BLOCK: usize = 1 << 16;
        let block = BLOCK.max(slot_bytes);
        let bytes = (slot_bytes * slots).next_multiple_of(block);
        let slots = bytes / slot_bytes;
        set_packet_option(socket, libc::PACKET_VERSION, libc::tpacket_versions::TPACKET_V2 as i32)?;
        set_packet_option(socket, libc::PACKET_VNET_HDR, 1)?;
        let request = libc::tpacket_req {
            tp_block_size: block as u32,
            tp_block_nr: (bytes / block) as u32,
            tp_frame_size: slot_bytes as u32,
            tp_frame_nr: slots as u32,
        };
        set(socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe {
            let none = std::ptr::null_mut();
            libc::mmap(none, bytes, protection, libc::MAP_SHARED, socket.as_raw_fd(), 0)
        };
        if base == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        Ok(Self { base: base.cast(), bytes, slot_bytes, slots, next: 0 })
    }

    /// Gives the next frame to `take`, with [`TAG_ROOM`] bytes before it, and its slot back to the kernel. False:
    /// there is none.
    pub(super) fn next(&mut self, take: impl FnOnce(Head, &mut [u8])) -> bool {
        // SAFETY: `next` is below `slots`, and all slots lie in the mapping.
        let slot = unsafe { self.base.add(self.next * self.slot_bytes) };
        // SAFETY: a slot starts with its status word and is aligned to its size; the kernel accesses the word
        // atomically too.
        let status = unsafe { &*slot.cast::<AtomicU32>() };
        let seen = status.load(Ordering::Acquire);
        if seen & USER == 0 {
            return false;
        }
        // SAFETY: until the status word is given back the kernel leaves the slot alone, and nobody else maps it; the
        // slice doesn't cover the status word, which `status` refers to.
        let rest = unsafe { std::slice::from_raw_parts_mut(slot.add(4), self.slot_bytes - 4) };
        if let Some((head, frame)) = parts(seen, rest) {
            take(head, frame);
        }
        status.store(0, Ordering::Release);
        self.next = (self.next + 1) % self.slots;
        true
    }
}

/// Reads `tpacket2_hdr` (less its status word), the `sockaddr_ll` behind it and the `virtio_net_hdr` before the frame.
fn parts(status: u32, slot: &mut [u8]) -> Option<(Head, &mut [u8])> {
    const STATUS_BYTES: usize = 4;
    const ADDRESS: usize = 32 - STATUS_BYTES;
    let word = |at: usize| slot.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let half = |at: usize| slot.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes);
    let frame = usize::from(half(8)?).checked_sub(STATUS_BYTES)?;
    let end = frame.checked_add(word(4)? as usize)?;
    let vnet = frame.checked_sub(VNET_BYTES)?;
    let needs = slot.get(vnet)? & VNET_NEEDS_CHECKSUM != 0;
    let head = Head {
        status,
        length: word(0)?,
        vlan: half(20)?,
        vlan_type: half(22)?,
        kind: *slot.get(ADDRESS + 10)?,
        partial: if needs { Some((half(vnet + 6)?, half(vnet + 8)?)) } else { None },
    };
    Some((head, slot.get_mut(frame - TAG_ROOM..end)?))
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing refers to it any more.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// Sends frames, at most 64 of them, in order. How many went; an error concerns the first that didn't.
pub(super) fn send_many(socket: BorrowedFd<'_>, frames: &[&[u8]]) -> Result<usize> {
    const MOST: usize = 64;
    // SAFETY: both are plain data, for which all zeroes is a value.
    let (mut parts, mut all): ([libc::iovec; MOST], [libc::mmsghdr; MOST]) = unsafe { std::mem::zeroed() };
    let count = frames.len().min(MOST);
    for ((frame, part), message) in frames.iter().zip(&mut parts).zip(&mut all) {
        // The kernel only reads what it is to send.
        *part = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        message.msg_hdr.msg_iov = part;
        message.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: `count` messages with their parts and frames live for the call.
    check(unsafe { libc::sendmmsg(socket.as_raw_fd(), all.as_mut_ptr(), count as u32, 0) })
        .map(|n| usize::try_from(n).unwrap_or(0))
}

/// Waits until a descriptor is readable or has an error, or for so many milliseconds. A signal ends it early.
pub(super) fn wait(fds: &[BorrowedFd<'_>], millis: i32) -> Result<()> {
    let one = |fd: &BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut all: Vec<libc::pollfd> = fds.iter().map(one).collect();
    // SAFETY: the array is writable for its whole length.
    match check(unsafe { libc::poll(all.as_mut_ptr(), all.len() as libc::nfds_t, millis) }) {
        Err(e) if e.kind() != std::io::ErrorKind::Interrupted => Err(e),
        _ => Ok(()),
    }
}

/// An interface request with its name filled in.
fn request(name: &str) -> Result<libc::ifreq> {
    // SAFETY: ifreq is plain data, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    Ok(request)
}

/// Makes an interface request on a socket of any kind.
///
/// # Safety
/// The request's union holds what the command reads; a pointer in it is valid for what the command writes.
unsafe fn interface(fd: BorrowedFd<'_>, command: libc::c_ulong, request: &mut libc::ifreq) -> Result<()> {
    // SAFETY: the request lives for the call; the caller answers for its content.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), command as _, std::ptr::from_mut(request)) }).map(drop)
}

fn any_socket() -> Result<std::net::UdpSocket> {
    std::net::UdpSocket::bind("127.0.0.1:0").or_else(|_| std::net::UdpSocket::bind("0.0.0.0:0"))
}

/// The MTU of an interface, in bytes.
pub(super) fn mtu(name: &str) -> Result<u32> {
    let mut request = request(name)?;
    // SAFETY: the kernel writes `ifru_mtu`.
    unsafe {
        interface(any_socket()?.as_fd(), libc::SIOCGIFMTU, &mut request)?;
        Ok(request.ifr_ifru.ifru_mtu.cast_unsigned())
    }
}

/// Sets the MTU of an interface.
pub(super) fn set_mtu(name: &str, bytes: u32) -> Result<()> {
    let mut request = request(name)?;
    request.ifr_ifru.ifru_mtu = bytes.cast_signed();
    // SAFETY: the kernel reads `ifru_mtu`.
    unsafe { interface(any_socket()?.as_fd(), libc::SIOCSIFMTU, &mut request) }
}

/// The Ethernet address of an interface; none if it has another kind of address.
pub(super) fn mac(name: &str) -> Result<Option<Mac>> {
    let mut request = request(name)?;
    // SAFETY: the kernel writes `ifru_hwaddr`.
    let address = unsafe {
        interface(any_socket()?.as_fd(), libc::SIOCGIFHWADDR, &mut request)?;
        request.ifr_ifru.ifru_hwaddr
    };
    if address.sa_family != libc::ARPHRD_ETHER {
        return Ok(None);
    }
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(address.sa_data) {
        *to = from.to_ne_bytes()[0];
    }
    Ok(Some(mac))
}

fn has_flag(name: &str, flag: libc::c_int) -> Result<bool> {
    let mut request = request(name)?;
    // SAFETY: the kernel writes `ifru_flags`.
    let flags = unsafe {
        interface(any_socket()?.as_fd(), libc::SIOCGIFFLAGS, &mut request)?;
        request.ifr_ifru.ifru_flags
    };
    Ok(libc::c_int::from(flags) & flag != 0)
}

/// Is an interface up?
pub(super) fn is_up(name: &str) -> Result<bool> {
    has_flag(name, libc::IFF_UP)
}

/// Is it the loopback, whose frames have an Ethernet header too?
pub(super) fn is_loopback(name: &str) -> Result<bool> {
    has_flag(name, libc::IFF_LOOPBACK)
}

/// Brings an interface up.
pub(super) fn set_up(name: &str) -> Result<()> {
    let mut request = request(name)?;
    let socket = any_socket()?;
    // SAFETY: the kernel writes, then reads, `ifru_flags`.
    unsafe {
        interface(socket.as_fd(), libc::SIOCGIFFLAGS, &mut request)?;
        request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
        interface(socket.as_fd(), libc::SIOCSIFFLAGS, &mut request)
    }
}

/// What merges received frames: commands that read and write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merging {
    /// In the kernel.
    Gro,
    /// In the network card.
    Lro,
}

const ETHTOOL_GGRO: u32 = 0x2b;
const ETHTOOL_SGRO: u32 = 0x2c;
const ETHTOOL_GFLAGS: u32 = 0x25;
const ETHTOOL_SFLAGS: u32 = 0x26;
const FLAG_LRO: u32 = 1 << 15;

/// Makes an ethtool request with one value; its answer.
fn ethtool(name: &str, command: u32, data: u32) -> Result<u32> {
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    let mut value = Value { command, data };
    let mut request = request(name)?;
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: `ifru_data` points to a live ethtool_value.
    unsafe { interface(any_socket()?.as_fd(), SIOCETHTOOL, &mut request)? };
    Ok(value.data)
}

/// The name of the driver behind an interface.
pub(super) fn driver(name: &str) -> Result<String> {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    const ETHTOOL_GDRVINFO: u32 = 3;
    #[repr(C)]
    struct Info {
        command: u32,
        driver: [u8; 32],
        rest: [u8; 160],
    }
    let mut info = Info { command: ETHTOOL_GDRVINFO, driver: [0; 32], rest: [0; 160] };
    let mut request = request(name)?;
    request.ifr_ifru.ifru_data = (&raw mut info).cast();
    // SAFETY: `ifru_data` points to a live ethtool_drvinfo (196 bytes).
    unsafe { interface(any_socket()?.as_fd(), SIOCETHTOOL, &mut request)? };
    let text: Vec<u8> = info.driver.into_iter().take_while(|b| *b != 0).collect();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Are received frames merged?
pub(super) fn merges(name: &str, what: Merging) -> Result<bool> {
    match what {
        Merging::Gro => Ok(ethtool(name, ETHTOOL_GGRO, 0)? != 0),
        Merging::Lro => Ok(ethtool(name, ETHTOOL_GFLAGS, 0)? & FLAG_LRO != 0),
    }
}

/// Lets received frames be merged, or not.
pub(super) fn set_merging(name: &str, what: Merging, on: bool) -> Result<()> {
    match what {
        Merging::Gro => ethtool(name, ETHTOOL_SGRO, u32::from(on)).map(drop),
        Merging::Lro => {
            let others = ethtool(name, ETHTOOL_GFLAGS, 0)? & !FLAG_LRO;
            ethtool(name, ETHTOOL_SFLAGS, others | if on { FLAG_LRO } else { 0 }).map(drop)
        }
    }
}

/// Makes the tap `name`, or takes over one that was made to last.
pub(super) fn tap(file: &File, name: &str) -> Result<()> {
    let mut request = request(name)?;
    request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: the kernel reads `ifru_flags` and the name.
    unsafe { interface(file.as_fd(), libc::TUNSETIFF as libc::c_ulong, &mut request) }
}

/// The effective capabilities of this process, as bits.
pub(super) fn capabilities() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("CapEff:"));
    line.and_then(|l| u64::from_str_radix(l.trim(), 16).ok()).unwrap_or(0)
}
