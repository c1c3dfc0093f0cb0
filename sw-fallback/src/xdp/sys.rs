//! The kernel calls that the loader needs and `aya` doesn't offer: raw map access, mapped arrays, links by hand,
//! the XDP program of an interface. All of the crate's `unsafe` code for XDP is here.
#![allow(unsafe_code)]

mod program;

pub(super) use program::{Program, load_instructions, load_program, load_types, test_run};

use memmap2::{MmapOptions, MmapRaw};
use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Commands of bpf(2).
mod cmd {
    pub(super) const MAP_CREATE: i32 = 0;
    pub(super) const MAP_LOOKUP: i32 = 1;
    pub(super) const MAP_UPDATE: i32 = 2;
    pub(super) const MAP_DELETE: i32 = 3;
    pub(super) const MAP_NEXT_KEY: i32 = 4;
    pub(super) const PROG_LOAD: i32 = 5;
    pub(super) const OBJ_PIN: i32 = 6;
    pub(super) const OBJ_GET: i32 = 7;
    pub(super) const PROG_TEST_RUN: i32 = 10;
    pub(super) const PROG_FD_BY_ID: i32 = 13;
    pub(super) const INFO_BY_FD: i32 = 15;
    pub(super) const BTF_LOAD: i32 = 18;
    pub(super) const MAP_FREEZE: i32 = 22;
    pub(super) const LINK_CREATE: i32 = 28;
    pub(super) const LINK_UPDATE: i32 = 29;
    pub(super) const LINK_FD_BY_ID: i32 = 30;
    pub(super) const LINK_NEXT_ID: i32 = 31;
}

/// Types and flags of maps, from `linux/bpf.h`.
pub(super) mod map_type {
    pub(crate) const ARRAY: u32 = 2;
    pub(crate) const PERCPU_ARRAY: u32 = 6;
    pub(crate) const DEVMAP: u32 = 14;
    /// Flag: the array can be mapped.
    pub(crate) const MMAPABLE: u32 = 1 << 10;
}

/// `BPF_XDP` as an attach type.
const ATTACH_XDP: u32 = 37;

fn check(ret: i64) -> Result<i32> {
    if ret < 0 { Err(Error::last_os_error()) } else { i32::try_from(ret).map_err(Error::other) }
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// How often this process has called bpf(2) for its planes.
#[must_use]
pub fn bpf_calls() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

/// Calls bpf(2) with an attribute.
///
/// # Safety
/// Every pointer in `attr` is valid for what the command reads and writes.
unsafe fn bpf<T>(command: i32, attr: &mut T) -> Result<i32> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the attribute lives for the call; the caller answers for the pointers in it.
    check(unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>()) })
}

/// Calls bpf(2) for a command that returns a descriptor.
///
/// # Safety
/// As [`bpf`].
unsafe fn bpf_fd<T>(command: i32, attr: &mut T) -> Result<OwnedFd> {
    // SAFETY: passed on to the caller; the kernel has just made the descriptor, so nobody else owns it.
    unsafe { Ok(OwnedFd::from_raw_fd(bpf(command, attr)?)) }
}

fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

#[repr(C)]
struct Elem {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

fn elem(command: i32, map: BorrowedFd<'_>, key: Option<&[u8]>, value: u64) -> Result<()> {
    let key = key.map_or(0, |k| k.as_ptr() as u64);
    let mut attr = Elem { map: raw(map), pad: 0, key, value, flags: 0 };
    // SAFETY: callers in this module pass keys and values of the map's sizes.
    unsafe { bpf(command, &mut attr) }.map(drop)
}

/// What the kernel knows of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MapInfo {
    pub(super) kind: u32,
    pub(super) key: u32,
    pub(super) value: u32,
    pub(super) entries: u32,
    pub(super) flags: u32,
}

/// A map to be made: name, measures, and the types of key and value for those who look at it.
#[derive(Debug)]
pub(super) struct MapSource<'a> {
    pub(super) name: &'a str,
    pub(super) info: MapInfo,
    pub(super) types: Option<(BorrowedFd<'a>, u32, u32)>,
}

/// A map by its descriptor; keys and values are bytes.
#[derive(Debug)]
pub(super) struct RawMap {
    fd: OwnedFd,
    pub(super) info: MapInfo,
    value_bytes: usize,
}

impl AsFd for RawMap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl RawMap {
    /// Takes over a map.
    pub(super) fn new(fd: OwnedFd) -> Result<Self> {
        #[repr(C)]
        #[derive(Default)]
        struct Info {
            kind: u32,
            id: u32,
            key: u32,
            value: u32,
            entries: u32,
            flags: u32,
        }
        let mut info = Info::default();
        object_info(fd.as_fd(), std::ptr::from_mut(&mut info).cast(), size_of::<Info>())?;
        let percpu = info.kind == map_type::PERCPU_ARRAY;
        let cpus = if percpu { possible_cpus()? } else { 1 };
        let value = if percpu { info.value.next_multiple_of(8) } else { info.value };
        let value_bytes = value as usize * cpus;
        let Info { kind, key, value, entries, flags, .. } = info;
        Ok(Self { fd, info: MapInfo { kind, key, value, entries, flags }, value_bytes })
    }

    /// Makes a map.
    pub(super) fn create(source: &MapSource<'_>) -> Result<Self> {
        #[repr(C)]
        struct Create {
            kind: u32,
            key: u32,
            value: u32,
            entries: u32,
            flags: u32,
            inner: u32,
            node: u32,
            name: [u8; 16],
            interface: u32,
            types: u32,
            key_type: u32,
            value_type: u32,
        }
        let MapInfo { kind, key, value, entries, flags } = source.info;
        let types = source.types.map_or((0, 0, 0), |(fd, key, value)| (raw(fd), key, value));
        let mut attr = Create {
            kind,
            key,
            value,
            entries,
            flags,
            inner: 0,
            node: 0,
            name: object_name(source.name),
            interface: 0,
            types: types.0,
            key_type: types.1,
            value_type: types.2,
        };
        // SAFETY: there is no pointer in it.
        Self::new(unsafe { bpf_fd(cmd::MAP_CREATE, &mut attr) }?)
    }

    /// Makes an array that can be mapped.
    pub(super) fn array(name: &str, value: u32, entries: u32) -> Result<Self> {
        let info = MapInfo { kind: map_type::ARRAY, key: 4, value, entries, flags: map_type::MMAPABLE };
        Self::create(&MapSource { name, info, types: None })
    }

    /// Nobody writes it any more from here.
    pub(super) fn freeze(&self) -> Result<()> {
        let mut attr = raw(self.as_fd());
        // SAFETY: there is no pointer in it.
        unsafe { bpf(cmd::MAP_FREEZE, &mut attr) }.map(drop)
    }

    /// A pinned map.
    pub(super) fn pinned(path: &Path) -> Result<Self> {
        Self::new(pinned(path)?)
    }

    /// A value; for per-CPU maps those of all CPUs, each padded to 8 bytes.
    pub(super) fn get(&self, key: &[u8]) -> Result<Vec<u8>> {
        self.check_key(key)?;
        let mut value = vec![0; self.value_bytes];
        elem(cmd::MAP_LOOKUP, self.as_fd(), Some(key), value.as_mut_ptr() as u64)?;
        Ok(value)
    }

    /// Writes a value.
    pub(super) fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.check_key(key)?;
        if value.len() != self.value_bytes {
            return Err(Error::other("the value's size is not the map's"));
        }
        elem(cmd::MAP_UPDATE, self.as_fd(), Some(key), value.as_ptr() as u64)
    }

    /// Sets a value of all CPUs to zeros.
    pub(super) fn clear(&self, index: u32) -> Result<()> {
        self.set(&index.to_ne_bytes(), &vec![0; self.value_bytes])
    }

    /// Removes a key.
    pub(super) fn delete(&self, key: &[u8]) -> Result<()> {
        self.check_key(key)?;
        elem(cmd::MAP_DELETE, self.as_fd(), Some(key), 0)
    }

    /// Every key of the map as it is now.
    pub(super) fn keys(&self) -> Result<Vec<Vec<u8>>> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        while keys.len() <= self.info.entries as usize {
            let mut next = vec![0; self.info.key as usize];
            let last = keys.last().map(Vec::as_slice);
            match elem(cmd::MAP_NEXT_KEY, self.as_fd(), last, next.as_mut_ptr() as u64) {
                Ok(()) => keys.push(next),
                Err(e) if e.raw_os_error() == Some(libc::ENOENT) => break,
                Err(e) => return Err(e),
            }
        }
        Ok(keys)
    }

    /// A per-CPU value of 64-bit words, summed over the CPUs.
    pub(super) fn sum<const N: usize>(&self, index: u32) -> Result<[u64; N]> {
        let bytes = self.get(&index.to_ne_bytes())?;
        let mut sum = [0u64; N];
        for cpu in bytes.chunks_exact(N * 8) {
            for (total, word) in sum.iter_mut().zip(cpu.chunks_exact(8)) {
                *total = total.wrapping_add(u64::from_ne_bytes(word.try_into().unwrap_or_default()));
            }
        }
        Ok(sum)
    }

    fn check_key(&self, key: &[u8]) -> Result<()> {
        if key.len() == self.info.key as usize {
            return Ok(());
        }
        Err(Error::other("the key's size is not the map's"))
    }
}

/// An array of the kernel's in this process's memory.
#[derive(Debug)]
pub(super) struct Pages {
    memory: MmapRaw,
    stride: usize,
    entries: u32,
}

impl Pages {
    /// Maps an array that was made for it. An element takes its size rounded up to 8 bytes.
    pub(super) fn new(map: &RawMap) -> Result<Self> {
        let stride = (map.info.value as usize).next_multiple_of(8);
        Self::of(map, stride, map.info.entries)
    }

    /// Maps an array whose elements may be parts of one value.
    pub(super) fn of(map: &RawMap, stride: usize, entries: u32) -> Result<Self> {
        let all = (map.info.value as usize).next_multiple_of(8) * map.info.entries as usize;
        let bytes = stride * entries as usize;
        if bytes > all {
            return Err(Error::other("the map is smaller than the array"));
        }
        let memory = MmapOptions::new().len(bytes).map_raw(&map.fd)?;
        Ok(Self { memory, stride, entries })
    }

    /// Elements.
    pub(super) fn len(&self) -> u32 {
        self.entries
    }

    /// Bytes from one element to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    fn at(&self, index: u32, offset: usize, bytes: usize) -> *mut u8 {
        assert!(index < self.entries && offset + bytes <= self.stride && offset.is_multiple_of(bytes));
        // SAFETY: the assertion keeps it inside the mapping.
        unsafe { self.memory.as_mut_ptr().add(index as usize * self.stride + offset) }
    }

    /// The 64-bit word at byte `8 * word` of an element.
    pub(super) fn word(&self, index: u32, word: usize) -> &AtomicU64 {
        assert!(self.stride.is_multiple_of(8));
        // SAFETY: in bounds, aligned, alive as long as self; the kernel's accesses are atomic words too.
        unsafe { AtomicU64::from_ptr(self.at(index, word * 8, 8).cast()) }
    }

    /// Sets every byte to zero.
    pub(super) fn clear(&self) {
        // SAFETY: the mapping has these bytes; who reads them at the same time may see an element half cleared.
        unsafe { std::ptr::write_bytes(self.memory.as_mut_ptr(), 0, self.stride * self.entries as usize) }
    }

    /// The element as a 32-bit number.
    pub(super) fn number(&self, index: u32) -> &AtomicU32 {
        // SAFETY: as `word`.
        unsafe { AtomicU32::from_ptr(self.at(index, 0, 4).cast()) }
    }
}

#[repr(C)]
struct Object {
    path: u64,
    fd: u32,
    flags: u32,
}

fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(Error::other)
}

/// Pins an object.
pub(super) fn pin(fd: BorrowedFd<'_>, path: &Path) -> Result<()> {
    let path = c_path(path)?;
    let mut attr = Object { path: path.as_ptr() as u64, fd: raw(fd), flags: 0 };
    // SAFETY: the path is NUL-terminated and outlives the call.
    unsafe { bpf(cmd::OBJ_PIN, &mut attr) }.map(drop)
}

/// Opens a pinned object.
pub(super) fn pinned(path: &Path) -> Result<OwnedFd> {
    let path = c_path(path)?;
    let mut attr = Object { path: path.as_ptr() as u64, fd: 0, flags: 0 };
    // SAFETY: as `pin`.
    unsafe { bpf_fd(cmd::OBJ_GET, &mut attr) }
}

fn object_info(fd: BorrowedFd<'_>, to: *mut u8, bytes: usize) -> Result<()> {
    #[repr(C)]
    struct Info {
        fd: u32,
        bytes: u32,
        to: u64,
    }
    let mut attr = Info { fd: raw(fd), bytes: u32::try_from(bytes).map_err(Error::other)?, to: to as u64 };
    // SAFETY: callers in this module pass a place of that many writable bytes.
    unsafe { bpf(cmd::INFO_BY_FD, &mut attr) }.map(drop)
}

fn object_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    bytes
}

/// `BPF_LINK_TYPE_XDP`.
pub(super) const XDP_LINK: u32 = 6;

/// What the kernel knows of an XDP link; of other links, their kind.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinkInfo {
    pub(super) kind: u32,
    id: u32,
    /// Id of the program.
    pub(super) program: u32,
    pad: u32,
    /// Index of the interface; 0 when it is gone.
    pub(super) interface: u32,
    pad2: u32,
}

/// Information on an XDP link.
pub(super) fn link_info(link: BorrowedFd<'_>) -> Result<LinkInfo> {
    let mut info = LinkInfo::default();
    object_info(link, std::ptr::from_mut(&mut info).cast(), size_of::<LinkInfo>())?;
    Ok(info)
}

/// Attaches an XDP program; `flags` are `XDP_FLAGS_*`.
pub(super) fn link_create(program: BorrowedFd<'_>, interface: u32, flags: u32) -> Result<OwnedFd> {
    let mut attr = [raw(program), interface, ATTACH_XDP, flags];
    // SAFETY: there is no pointer in it.
    unsafe { bpf_fd(cmd::LINK_CREATE, &mut attr) }
}

/// Replaces a link's program atomically.
pub(super) fn link_update(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<()> {
    let mut attr = [raw(link), raw(program), 0, 0];
    // SAFETY: there is no pointer in it.
    unsafe { bpf(cmd::LINK_UPDATE, &mut attr) }.map(drop)
}

/// A link by its id.
pub(super) fn link(id: u32) -> Result<OwnedFd> {
    let mut attr = [id, 0, 0];
    // SAFETY: there is no pointer in it.
    unsafe { bpf_fd(cmd::LINK_FD_BY_ID, &mut attr) }
}

/// The link whose id comes after this one; none where that is refused too.
pub(super) fn next_link(id: u32) -> Option<u32> {
    let mut attr = [id, 0, 0];
    // SAFETY: there is no pointer in it.
    unsafe { bpf(cmd::LINK_NEXT_ID, &mut attr) }.ok()?;
    Some(attr[1])
}

/// A loaded program by its id.
pub(super) fn program(id: u32) -> Result<OwnedFd> {
    let mut attr = [id, 0, 0];
    // SAFETY: there is no pointer in it.
    unsafe { bpf_fd(cmd::PROG_FD_BY_ID, &mut attr) }
}

/// A program's id and name.
pub(super) fn program_name(program: BorrowedFd<'_>) -> Result<(u32, String)> {
    let mut info = [0u8; 80];
    object_info(program, info.as_mut_ptr(), info.len())?;
    let id = u32::from_ne_bytes([info[4], info[5], info[6], info[7]]);
    let name = info[64..].iter().take_while(|b| **b != 0).copied().collect();
    Ok((id, String::from_utf8(name).unwrap_or_default()))
}

/// CPUs that there could be, which is how many values a per-CPU map holds for a key.
pub(super) fn possible_cpus() -> Result<usize> {
    aya::util::nr_cpus().map_err(|(_, e)| e)
}

/// Index of an interface of this network namespace.
pub(super) fn interface_index(name: &str) -> Result<u32> {
    let name = CString::new(name).map_err(Error::other)?;
    // SAFETY: the name is NUL-terminated.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(Error::last_os_error()),
        index => Ok(index),
    }
}

/// Waits until every program run that was under way has ended.
pub(super) fn wait_for_programs() {
    const MEMBARRIER_CMD_GLOBAL: i32 = 1;
    // SAFETY: no memory is passed. Where it is refused, a grace period of time does.
    if unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) } != 0 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Asks rtnetlink about an interface; returns the answer's attributes.
pub(super) fn link_attributes(interface: u32) -> Result<Vec<u8>> {
    #[repr(C)]
    struct Request {
        header: libc::nlmsghdr,
        info: libc::ifinfomsg,
    }
    // SAFETY: Request is plain data, for which all zeroes is a value.
    let mut request: Request = unsafe { std::mem::zeroed() };
    request.header.nlmsg_len = size_of::<Request>() as u32;
    request.header.nlmsg_type = libc::RTM_GETLINK;
    request.header.nlmsg_flags = libc::NLM_F_REQUEST as u16;
    request.info.ifi_index = interface.cast_signed();
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: no memory is passed.
    let fd = check(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) }.into())?;
    // SAFETY: the kernel has just given us this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let (at, bytes) = (std::ptr::from_ref(&request).cast(), size_of::<Request>());
    // SAFETY: the request lives for the call.
    check(unsafe { libc::send(socket.as_raw_fd(), at, bytes, 0) } as i64)?;
    let mut answer = vec![0u8; 32 * 1024];
    // SAFETY: the buffer is writable for its whole length.
    let got = unsafe { libc::recv(socket.as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0) };
    let got = check(got as i64)?;
    answer.truncate(got.cast_unsigned() as usize);
    // An error is an nlmsghdr of type 2 and a negated errno.
    let word = |at: usize| answer.get(at..at + 4).and_then(|b| b.try_into().ok()).map(i32::from_ne_bytes);
    if answer.get(4..6) == Some(&2u16.to_ne_bytes()) {
        return Err(Error::from_raw_os_error(-word(16).unwrap_or_default()));
    }
    Ok(answer.split_off(answer.len().min(size_of::<Request>())))
}

/// Is this path in a BPF file system?
pub(super) fn is_bpf_fs(path: &Path) -> bool {
    const BPF_FS_MAGIC: i64 = 0xcafe_4a11;
    let Ok(path) = c_path(path) else { return false };
    // SAFETY: statfs is plain data, for which all zeroes is a value.
    let mut answer: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is NUL-terminated, the answer writable.
    let ok = unsafe { libc::statfs(path.as_ptr(), &raw mut answer) } == 0;
    #[allow(clippy::unnecessary_cast)] // the field's type differs between architectures
    let kind = answer.f_type as i64;
    ok && kind == BPF_FS_MAGIC
}

/// Nanoseconds of a jiffy: the resolution of the kernel's coarse clock.
pub(super) fn jiffy_ns() -> u64 {
    let mut resolution = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the answer is writable. The call can't fail: Linux has had this clock since 2.6.32.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &raw mut resolution) };
    resolution.tv_nsec.cast_unsigned()
}
