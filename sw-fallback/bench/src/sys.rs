//! The system calls of the bench: test runs, CPU time, pinning to a CPU, hardware counters, network namespaces.
#![allow(unsafe_code)]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const MAP_UPDATE: i32 = 2;
const TEST_RUN: i32 = 10;
const LINK_CREATE: i32 = 28;
/// `BPF_XDP` as an attach type, `XDP_FLAGS_DRV_MODE`.
const ATTACH_XDP: u32 = 37;
const DRIVER_MODE: u32 = 1 << 2;
/// `BPF_F_TEST_XDP_LIVE_FRAMES`: what the program does with a frame happens.
const LIVE_FRAMES: u32 = 2;

/// The attribute of `BPF_PROG_TEST_RUN`, from `linux/bpf.h`.
#[repr(C)]
#[derive(Default)]
struct TestRun {
    program: u32,
    verdict: u32,
    bytes_in: u32,
    bytes_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_bytes_in: u32,
    context_bytes_out: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    cpu: u32,
    batch: u32,
    pad: u32,
}

#[repr(C)]
struct Update {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

fn check(ret: i64) -> Result<i64> {
    if ret < 0 { Err(Error::last_os_error()) } else { Ok(ret) }
}

fn bpf<T>(command: i32, attr: &mut T) -> Result<i64> {
    let (at, bytes) = (std::ptr::from_mut(attr), size_of::<T>());
    // SAFETY: the attribute lives for the call, and callers in this module put only pointers in it that do too.
    check(unsafe { libc::syscall(libc::SYS_bpf, command, at, bytes) })
}

/// Runs a program so often on a frame; its last verdict and what the frame is then.
///
/// # Errors
/// The kernel refuses.
pub fn test_run(program: BorrowedFd<'_>, frame: &[u8], repeat: u32) -> Result<(u32, Vec<u8>)> {
    let mut out = vec![0u8; frame.len() + 256];
    let mut attr = TestRun {
        program: program.as_raw_fd().cast_unsigned(),
        bytes_in: frame.len() as u32,
        bytes_out: out.len() as u32,
        data_in: frame.as_ptr() as u64,
        data_out: out.as_mut_ptr() as u64,
        repeat,
        ..TestRun::default()
    };
    bpf(TEST_RUN, &mut attr)?;
    out.truncate(attr.bytes_out as usize);
    Ok((attr.verdict, out))
}

/// Runs a program on frames that came in at `interface`, and does with them what it says.
///
/// # Errors
/// The kernel refuses.
pub fn live_frames(program: BorrowedFd<'_>, frame: &[u8], repeat: u32, interface: u32) -> Result<()> {
    // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
    let context = [0, frame.len() as u32, 0, interface, 0, 0];
    let mut attr = TestRun {
        program: program.as_raw_fd().cast_unsigned(),
        bytes_in: frame.len() as u32,
        data_in: frame.as_ptr() as u64,
        repeat,
        context_bytes_in: size_of_val(&context) as u32,
        context_in: context.as_ptr() as u64,
        flags: LIVE_FRAMES,
        batch: 64,
        ..TestRun::default()
    };
    bpf(TEST_RUN, &mut attr).map(drop)
}

/// Writes an element of a map with keys of 4 bytes.
///
/// # Errors
/// The kernel refuses.
pub fn update(map: BorrowedFd<'_>, key: u32, value: &[u8]) -> Result<()> {
    let mut attr = Update {
        map: map.as_raw_fd().cast_unsigned(),
        pad: 0,
        key: std::ptr::from_ref(&key) as u64,
        value: value.as_ptr() as u64,
        flags: 0,
    };
    bpf(MAP_UPDATE, &mut attr).map(drop)
}

/// Puts an XDP program on an interface, in its driver, until what is returned is dropped.
///
/// # Errors
/// The kernel refuses.
pub fn attach(program: BorrowedFd<'_>, interface: u32) -> Result<OwnedFd> {
    let mut attr = [program.as_raw_fd().cast_unsigned(), interface, ATTACH_XDP, DRIVER_MODE];
    let fd = bpf(LINK_CREATE, &mut attr)?;
    // SAFETY: the kernel has just made the descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// What this thread has run so far, in ns, in the kernel too.
#[must_use]
pub fn thread_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Keeps this thread on one CPU.
///
/// # Errors
/// There is no such CPU.
pub fn pin(cpu: usize) -> Result<()> {
    // SAFETY: cpu_set_t is plain data, for which all zeroes is a value; the set is passed with its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        check(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set).into()).map(drop)
    }
}

/// CPUs that this process may run on.
#[must_use]
pub fn cpus() -> Vec<usize> {
    // SAFETY: as in `pin`; the kernel fills the set.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set);
        (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set)).collect()
    }
}

/// A network namespace of this thread's own; it ends with the thread and its children.
///
/// # Errors
/// Without the right to it.
pub fn own_network() -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }.into()).map(drop)
}

/// Goes over to a network namespace.
///
/// # Errors
/// It is none.
pub fn enter(network: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::setns(network.as_raw_fd(), libc::CLONE_NEWNET) }.into()).map(drop)
}

/// Lets a UDP socket send without checksums: virtual devices leave them to hardware that isn't there.
///
/// # Errors
/// It is no socket.
pub fn without_checksums(socket: BorrowedFd<'_>) -> Result<()> {
    let (on, level, name) = (1i32, libc::SOL_SOCKET, libc::SO_NO_CHECK);
    let (at, bytes) = (std::ptr::from_ref(&on).cast(), size_of::<i32>() as u32);
    // SAFETY: the value lives for the call and has the size that is told.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, at, bytes) }.into()).map(drop)
}

/// The number of an interface in this thread's namespace.
///
/// # Errors
/// There is none.
pub fn interface(name: &str) -> Result<u32> {
    let name = std::ffi::CString::new(name).map_err(Error::other)?;
    // SAFETY: the name is NUL-terminated.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(Error::last_os_error()),
        index => Ok(index),
    }
}

/// Hardware counters of this thread: instructions and missed branches, in the kernel.
#[derive(Debug)]
pub struct Hardware([OwnedFd; 2]);

impl Hardware {
    /// None where the machine has no such counters.
    #[must_use]
    pub fn open() -> Option<Self> {
        // PERF_COUNT_HW_INSTRUCTIONS and PERF_COUNT_HW_BRANCH_MISSES.
        Some(Self([Self::counter(1).ok()?, Self::counter(5).ok()?]))
    }

    fn counter(config: u64) -> Result<OwnedFd> {
        // struct perf_event_attr, version 0: type, size, config, period, sample type, read format, flags, ...
        let mut attr = [0u64; 8];
        attr[0] = 64 << 32;
        attr[1] = config;
        // exclude_user and exclude_hv.
        attr[5] = 1 << 4 | 1 << 6;
        // SAFETY: the attribute has the 64 bytes that it says and lives for the call.
        let fd = check(unsafe { libc::syscall(libc::SYS_perf_event_open, attr.as_ptr(), 0, -1, -1, 0) })?;
        // SAFETY: the kernel has just made the descriptor.
        Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
    }

    /// Instructions and missed branches so far.
    #[must_use]
    pub fn read(&self) -> [u64; 2] {
        let mut values = [0u64; 2];
        for (fd, value) in self.0.iter().zip(&mut values) {
            // SAFETY: the place has 8 writable bytes.
            unsafe { libc::read(fd.as_raw_fd(), std::ptr::from_mut(value).cast(), 8) };
        }
        values
    }
}
