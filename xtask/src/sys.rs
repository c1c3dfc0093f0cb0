//! The few kernel calls that the lab needs and that no safe library offers: namespaces, the ethtool
//! ioctl, and a two-instruction XDP program.
//!
//! This is the only module of `xtask` with `unsafe` code. Every function works on the calling thread's
//! network namespace.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Error, Result};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// True when the effective user is root (of this user namespace).
#[must_use]
pub fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

fn check(ret: libc::c_int) -> Result<libc::c_int> {
    if ret < 0 { Err(Error::last_os_error()) } else { Ok(ret) }
}

/// Moves the calling thread into the network namespace at `path` (for example `/run/netns/a`).
///
/// # Errors
/// The file can't be opened, is no namespace, or the caller lacks CAP_SYS_ADMIN.
pub fn enter_netns(path: &Path) -> Result<()> {
    let file = File::open(path)?;
    // SAFETY: the descriptor is open for the whole call.
    check(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}

/// Moves the calling thread into a new, empty network namespace; it dies with the thread.
///
/// # Errors
/// The caller lacks CAP_SYS_ADMIN, or the kernel or its sandbox refuses.
pub fn unshare_net() -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }).map(drop)
}

/// Moves this process into a new user, network and mount namespace. The caller must be its only thread.
///
/// # Errors
/// The kernel or its sandbox refuses unprivileged user namespaces.
pub fn unshare_user_net_mount() -> Result<()> {
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWNET | libc::CLONE_NEWNS;
    // SAFETY: no memory is passed.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// Mounts a fresh file system of type `kind` (`tmpfs`, `bpf`) on `target`.
///
/// # Errors
/// The mount is refused, or `target` contains a NUL byte.
pub fn mount_fresh(kind: &str, target: &str) -> Result<()> {
    let (kind, target) = (std::ffi::CString::new(kind)?, std::ffi::CString::new(target)?);
    // SAFETY: the three strings are NUL-terminated and live for the call; no data is passed.
    check(unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), 0, std::ptr::null()) })
        .map(drop)
}

/// Sends `signal` to process `pid`.
///
/// # Errors
/// There is no such process, or it is another user's.
pub fn signal(pid: u32, signal: libc::c_int) -> Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(Error::other)?;
    // SAFETY: kill has no memory preconditions.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// An offload that [`set_offload`] can turn off; the value is its `ETHTOOL_S*` command.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Offload {
    /// Transmit checksums left to the device.
    TxChecksum = 0x17,
    /// Scatter-gather.
    ScatterGather = 0x19,
    /// TCP segmentation.
    Tso = 0x1f,
    /// Generic segmentation.
    Gso = 0x24,
    /// Generic receive offload.
    Gro = 0x2c,
}

/// Turns one offload of `interface` on or off by the `SIOCETHTOOL` ioctl.
///
/// # Errors
/// No such interface, the driver refuses, or the caller lacks CAP_NET_ADMIN.
pub fn set_offload(interface: &str, offload: Offload, on: bool) -> Result<()> {
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let mut value = Value { command: offload as u32, data: u32::from(on) };
    // SAFETY: ifreq is plain data, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: the name is NUL-terminated (checked above) and ifru_data points to a live ethtool_value.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) }).map(drop)
}

/// Loads the XDP program `return XDP_PASS` (two instructions) and returns its descriptor.
///
/// # Errors
/// EPERM without CAP_BPF and CAP_NET_ADMIN, ENOSYS or EINVAL where the kernel has no BPF.
pub fn load_xdp_pass() -> Result<OwnedFd> {
    #[repr(C)]
    struct Instruction {
        code: u8,
        registers: u8,
        offset: i16,
        immediate: i32,
    }
    #[repr(C)]
    struct Load {
        kind: u32,
        instructions: u32,
        code: u64,
        license: u64,
        log: [u32; 6],
        name: [u8; 16],
    }
    const BPF_PROG_LOAD: libc::c_int = 5;
    const XDP: u32 = 6;
    const XDP_PASS: i32 = 2;
    let code = [
        Instruction { code: 0xb7, registers: 0, offset: 0, immediate: XDP_PASS },
        Instruction { code: 0x95, registers: 0, offset: 0, immediate: 0 },
    ];
    let mut load = Load {
        kind: XDP,
        instructions: 2,
        code: code.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        log: [0; 6],
        name: [0; 16],
    };
    load.name[..9].copy_from_slice(b"gw_bypass");
    let size = size_of::<Load>();
    // SAFETY: the attribute, the instructions and the licence live for the call; the kernel copies them.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size) };
    let fd = check(libc::c_int::try_from(fd).map_err(Error::other)?)?;
    // SAFETY: the kernel has just given us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Attaches XDP program `program` to `interface` in driver mode by rtnetlink (`RTM_SETLINK`). It stays
/// until the interface goes.
///
/// # Errors
/// No such interface, another program is there, or the driver can't.
pub fn attach_xdp(interface: &str, program: &OwnedFd) -> Result<()> {
    #[repr(C)]
    struct Request {
        header: libc::nlmsghdr,
        info: libc::ifinfomsg,
        nest: [u16; 2],
        fd_attribute: [u16; 2],
        fd: i32,
        flags_attribute: [u16; 2],
        flags: u32,
    }
    const IFLA_XDP: u16 = 43;
    const NESTED: u16 = 1 << 15;
    const XDP_FLAGS: u32 = 1 | 1 << 2; // UPDATE_IF_NOEXIST | DRV_MODE
    let name = std::ffi::CString::new(interface)?;
    // SAFETY: the name is NUL-terminated.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: Request is plain data, for which all zeroes is a value.
    let mut request: Request = unsafe { std::mem::zeroed() };
    request.header.nlmsg_len = u32::try_from(size_of::<Request>()).map_err(Error::other)?;
    request.header.nlmsg_type = libc::RTM_SETLINK;
    request.header.nlmsg_flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
    request.info.ifi_index = libc::c_int::try_from(index).map_err(Error::other)?;
    request.nest = [20, IFLA_XDP | NESTED];
    request.fd_attribute = [8, 1];
    request.fd = program.as_raw_fd();
    request.flags_attribute = [8, 3];
    request.flags = XDP_FLAGS;
    netlink_request((&raw const request).cast(), size_of::<Request>())
}

/// Sends one rtnetlink request and reads its acknowledgement.
fn netlink_request(request: *const libc::c_void, len: usize) -> Result<()> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: no memory is passed.
    let fd = check(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })?;
    // SAFETY: the kernel has just given us this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the caller passes `len` readable bytes.
    let sent = unsafe { libc::send(socket.as_raw_fd(), request, len, 0) };
    if sent < 0 {
        return Err(Error::last_os_error());
    }
    let mut answer = [0u8; 4096];
    // SAFETY: the buffer is writable for its whole length.
    let got = unsafe { libc::recv(socket.as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0) };
    // An acknowledgement is an nlmsghdr (16 bytes) followed by a negated errno, 0 for success.
    let code = answer.get(16..20).filter(|_| got >= 20).and_then(|b| b.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(Error::from_raw_os_error(-code)),
        None => Err(Error::other("rtnetlink gave no acknowledgement")),
    }
}

/// What the kernel knows about the path of one TCP connection.
#[derive(Clone, Copy, Debug)]
pub struct TcpPath {
    /// Path MTU in bytes, as learned from ICMP, else the link's.
    pub path_mtu: u32,
    /// Segments sent again.
    pub retransmits: u32,
}

/// The processor's time that the calling thread has had.
#[must_use]
pub fn thread_time() -> std::time::Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable for the call.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(done, 0, "this clock is always there");
    let number = |n: libc::c_long| u64::try_from(n).unwrap_or(0);
    std::time::Duration::from_secs(number(time.tv_sec))
        + std::time::Duration::from_nanos(number(time.tv_nsec))
}

/// The state of a connection that is over at both ends, as the kernel numbers them.
const TCP_CLOSE: u8 = 7;

/// What the kernel knows about the path of `stream`.
///
/// # Errors
/// The socket is no TCP socket.
pub fn tcp_path(stream: &TcpStream) -> Result<TcpPath> {
    let info = tcp_info(stream)?;
    Ok(TcpPath { path_mtu: info.tcpi_pmtu, retransmits: info.tcpi_total_retrans })
}

/// True when both ends have closed, and know it.
///
/// # Errors
/// The socket is no TCP socket.
pub fn tcp_is_closed(stream: &TcpStream) -> Result<bool> {
    Ok(tcp_info(stream)?.tcpi_state == TCP_CLOSE)
}

fn tcp_info(stream: &TcpStream) -> Result<libc::tcp_info> {
    // SAFETY: tcp_info is plain data, for which all zeroes is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).map_err(Error::other)?;
    let to = (&raw mut info).cast();
    // SAFETY: `to` is writable for `len` bytes; the kernel writes no more and tells how much.
    check(unsafe {
        libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut len)
    })?;
    Ok(info)
}

/// Seconds of CPU that children which have ended took, theirs included.
pub fn children_seconds() -> f64 {
    // SAFETY: a usage is plain numbers, all of which may be 0.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a whole usage of ours.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    [usage.ru_utime, usage.ru_stime].iter().map(|t| t.tv_sec as f64 + t.tv_usec as f64 / 1e6).sum()
}
