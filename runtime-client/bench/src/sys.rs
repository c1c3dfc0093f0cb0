//! The system calls of the bench: packets on a raw socket, namespaces, memory and CPU time of a process.
#![allow(unsafe_code)]

use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Bytes of a frame at most.
pub const FRAME: usize = 256;
/// Frames of one call at most.
pub const BURST: usize = 64;
const PACKET_IGNORE_OUTGOING: i32 = 23;
/// What may wait to be read, in bytes: some 100,000 small frames.
const BUFFER: i32 = 128 << 20;

fn check(ret: i64) -> Result<i64> {
    if ret < 0 { Err(Error::last_os_error()) } else { Ok(ret) }
}

/// Network and mounts of this thread's own; both end with it and its children.
///
/// # Errors
/// Without the right to it.
pub fn own_world() -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS) }.into()).map(drop)
}

/// Is this process the administrator's?
#[must_use]
pub fn is_root() -> bool {
    // SAFETY: there is no precondition.
    unsafe { libc::geteuid() == 0 }
}

/// Asks a process to end.
pub fn terminate(process: u32) {
    // SAFETY: no memory is passed.
    unsafe { libc::kill(process.cast_signed(), libc::SIGTERM) };
}

/// A raw packet socket of one interface, which hears what comes in there and not what it sends.
#[derive(Debug)]
pub struct PacketSocket {
    fd: OwnedFd,
    heard: Vec<[u8; FRAME]>,
}

impl PacketSocket {
    /// Of an interface of this thread's network.
    ///
    /// # Errors
    /// There is no such interface, or no right to raw sockets.
    pub fn new(interface: &str) -> Result<Self> {
        let index = xdp_bench::sys::interface(interface)?;
        let all = (libc::ETH_P_ALL as u16).to_be();
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no memory is passed.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) }.into())?;
        // SAFETY: the kernel has just made the descriptor.
        let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
        let socket = Self { fd, heard: vec![[0; FRAME]; BURST] };
        socket.set(libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
        socket.set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER)?;
        // SAFETY: sockaddr_ll is plain data, for which all zeroes is a value.
        let mut at: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        at.sll_family = libc::AF_PACKET as u16;
        at.sll_protocol = all;
        at.sll_ifindex = index.cast_signed();
        let bytes = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: the address lives for the call and has the size that is told.
        check(unsafe { libc::bind(socket.fd.as_raw_fd(), (&raw const at).cast(), bytes) }.into())?;
        Ok(socket)
    }

    fn set(&self, level: i32, name: i32, value: i32) -> Result<()> {
        let at = std::ptr::from_ref(&value).cast();
        // SAFETY: the value lives for the call and has the size that is told.
        check(unsafe { libc::setsockopt(self.fd.as_raw_fd(), level, name, at, 4) }.into()).map(drop)
    }

    /// Sends frames; how many were taken.
    ///
    /// # Errors
    /// The interface takes none, for another reason than that its queue is full.
    pub fn send(&self, frames: &mut [Vec<u8>]) -> Result<usize> {
        let mut parts: Vec<libc::iovec> = frames
            .iter_mut()
            .map(|f| libc::iovec { iov_base: f.as_mut_ptr().cast(), iov_len: f.len() })
            .collect();
        let mut messages: Vec<libc::mmsghdr> = parts.iter_mut().map(message).collect();
        let (at, count) = (messages.as_mut_ptr(), messages.len() as u32);
        // SAFETY: the messages point to the parts, and these to the frames; all live for the call.
        match check(unsafe { libc::sendmmsg(self.fd.as_raw_fd(), at, count, 0) }.into()) {
            Ok(sent) => Ok(sent as usize),
            Err(e) if e.kind() == ErrorKind::WouldBlock || e.raw_os_error() == Some(libc::ENOBUFS) => Ok(0),
            Err(e) => Err(e),
        }
    }

    /// Gives each frame that has come to `take`; how many there were, [`BURST`] at most.
    ///
    /// # Errors
    /// The interface is gone.
    pub fn hear(&mut self, mut take: impl FnMut(&[u8])) -> Result<usize> {
        let mut parts: Vec<libc::iovec> = self
            .heard
            .iter_mut()
            .map(|f| libc::iovec { iov_base: f.as_mut_ptr().cast(), iov_len: FRAME })
            .collect();
        let mut messages: Vec<libc::mmsghdr> = parts.iter_mut().map(message).collect();
        let (at, count) = (messages.as_mut_ptr(), messages.len() as u32);
        let none = std::ptr::null_mut();
        // SAFETY: the messages point to the parts, and these to buffers of their size; all live for the call.
        let got = unsafe { libc::recvmmsg(self.fd.as_raw_fd(), at, count, libc::MSG_DONTWAIT, none) };
        let got = match check(got.into()) {
            Ok(got) => got as usize,
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
            Err(e) => return Err(e),
        };
        for (message, frame) in messages.iter().zip(&self.heard).take(got) {
            take(&frame[..(message.msg_len as usize).min(FRAME)]);
        }
        Ok(got)
    }

    /// Frames that came and did not fit into the socket's buffer, since the last call.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn overflowed(&self) -> Result<u32> {
        let (mut stats, mut bytes) = ([0u32; 2], 8u32);
        let (at, name) = (stats.as_mut_ptr().cast(), libc::PACKET_STATISTICS);
        let fd = self.fd.as_raw_fd();
        // SAFETY: the place has the size that is told.
        check(unsafe { libc::getsockopt(fd, libc::SOL_PACKET, name, at, &raw mut bytes) }.into())?;
        Ok(stats[1])
    }
}

fn message(part: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: mmsghdr is plain data, for which all zeroes is a value.
    let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
    message.msg_hdr.msg_iov = part;
    message.msg_hdr.msg_iovlen = 1;
    message
}

/// What a process holds and has used, of `/proc`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub memory: u64,
    /// CPU time, all threads.
    pub cpu: Duration,
}

impl Usage {
    /// Of a process.
    ///
    /// # Errors
    /// It is gone.
    pub fn of(process: u32) -> Result<Self> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}"));
        let status = read("status")?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kb: u64 = line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        let stat = read("stat")?;
        // Behind the name, which may hold anything: utime and stime are the 14th and 15th field of all.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
        // SAFETY: no memory is passed.
        let hertz = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1).cast_unsigned();
        Ok(Self { memory: kb << 10, cpu: Duration::from_micros(ticks * 1_000_000 / hertz) })
    }

    /// Of this process.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn own() -> Result<Self> {
        Self::of(std::process::id())
    }
}
