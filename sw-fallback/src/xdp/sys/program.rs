//! Programs: loaded, run on a frame.

use super::{ATTACH_XDP, bpf, bpf_fd, cmd, object_name, raw};
use aya_obj::generated::bpf_insn;
use std::ffi::CStr;
use std::io::{Error, Result};
use std::os::fd::{BorrowedFd, OwnedFd};

/// The attribute of `BPF_PROG_LOAD`, up to the line information.
#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    count: u32,
    code: u64,
    license: u64,
    log_level: u32,
    log_bytes: u32,
    log: u64,
    kernel: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attach: u32,
    types: u32,
    function_bytes: u32,
    functions: u64,
    function_count: u32,
    line_bytes: u32,
    lines: u64,
    line_count: u32,
    pad: u32,
}

/// `BPF_PROG_TYPE_XDP`
const XDP: u32 = 6;

/// Loads an XDP program of raw instructions.
pub(in crate::xdp) fn load_instructions(instructions: &[u64]) -> Result<OwnedFd> {
    let count = u32::try_from(instructions.len()).map_err(Error::other)?;
    let (code, license) = (instructions.as_ptr() as u64, c"GPL".as_ptr() as u64);
    let mut attr = Load { kind: XDP, count, code, license, ..Load::default() };
    // SAFETY: instructions and licence live for the call; the kernel copies them.
    unsafe { bpf_fd(cmd::PROG_LOAD, &mut attr) }
}

/// An XDP program to be loaded; functions and lines are records of that many bytes each.
pub(in crate::xdp) struct Program<'a> {
    pub(in crate::xdp) name: &'a str,
    pub(in crate::xdp) code: &'a [bpf_insn],
    pub(in crate::xdp) license: &'a CStr,
    pub(in crate::xdp) types: Option<BorrowedFd<'a>>,
    pub(in crate::xdp) functions: (&'a [u8], usize),
    pub(in crate::xdp) lines: (&'a [u8], usize),
}

impl Program<'_> {
    fn load(&self, log: &mut [u8]) -> Result<OwnedFd> {
        let number = |n: usize| u32::try_from(n).map_err(Error::other);
        let mut attr = Load {
            kind: XDP,
            count: number(self.code.len())?,
            code: self.code.as_ptr() as u64,
            license: self.license.as_ptr() as u64,
            name: object_name(self.name),
            attach: ATTACH_XDP,
            ..Load::default()
        };
        if !log.is_empty() {
            attr.log_level = 1;
            attr.log_bytes = number(log.len())?;
            attr.log = log.as_mut_ptr() as u64;
        }
        if let Some(types) = self.types {
            let ((functions, function), (lines, line)) = (self.functions, self.lines);
            attr.types = raw(types);
            if function > 0 {
                attr.function_bytes = number(function)?;
                attr.functions = functions.as_ptr() as u64;
                attr.function_count = number(functions.len() / function)?;
            }
            if line > 0 {
                attr.line_bytes = number(line)?;
                attr.lines = lines.as_ptr() as u64;
                attr.line_count = number(lines.len() / line)?;
            }
        }
        // SAFETY: code, licence, log and records live for the call and are as long as is said.
        unsafe { bpf_fd(cmd::PROG_LOAD, &mut attr) }
    }
}

/// Loads a program; on refusal, the error and the verifier's log.
pub(in crate::xdp) fn load_program(program: &Program<'_>) -> std::result::Result<OwnedFd, (Error, String)> {
    const LOG: usize = 16 << 20;
    let error = match program.load(&mut []) {
        Ok(fd) => return Ok(fd),
        Err(error) => error,
    };
    let mut log = vec![0; LOG];
    // The kernel is asked again, for its reasons.
    if let Ok(fd) = program.load(&mut log) {
        return Ok(fd);
    }
    let end = log.iter().position(|b| *b == 0).unwrap_or(LOG);
    Err((error, String::from_utf8_lossy(&log[..end]).into_owned()))
}

/// Loads type information.
pub(in crate::xdp) fn load_types(types: &[u8]) -> Result<OwnedFd> {
    #[repr(C)]
    struct Types {
        types: u64,
        log: u64,
        bytes: u32,
        log_bytes: u32,
        log_level: u32,
    }
    let bytes = u32::try_from(types.len()).map_err(Error::other)?;
    let mut attr = Types { types: types.as_ptr() as u64, log: 0, bytes, log_bytes: 0, log_level: 0 };
    // SAFETY: the types live for the call; the kernel copies them.
    unsafe { bpf_fd(cmd::BTF_LOAD, &mut attr) }
}

/// Runs a program once, on the CPU of the caller; what it returned, and the frame's length then.
pub(in crate::xdp) fn test_run(
    program: BorrowedFd<'_>,
    frame: &[u8],
    out: &mut [u8],
) -> Result<(u32, usize)> {
    #[repr(C)]
    struct Run {
        program: u32,
        returned: u32,
        bytes_in: u32,
        bytes_out: u32,
        frame_in: u64,
        frame_out: u64,
        repeat: u32,
        duration: u32,
    }
    let number = |n: usize| u32::try_from(n).map_err(Error::other);
    let mut attr = Run {
        program: raw(program),
        returned: 0,
        bytes_in: number(frame.len())?,
        bytes_out: number(out.len())?,
        frame_in: frame.as_ptr() as u64,
        frame_out: out.as_mut_ptr() as u64,
        repeat: 1,
        duration: 0,
    };
    // SAFETY: both frames live for the call and are as long as is said.
    unsafe { bpf(cmd::PROG_TEST_RUN, &mut attr) }?;
    Ok((attr.returned, attr.bytes_out as usize))
}
