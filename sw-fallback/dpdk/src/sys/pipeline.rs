//! A pipeline that runs.

use super::build::{Builder, c, hash, why};
use super::ffi::{self, RawControl, RawPipeline, TableEntry, TableOps};
use super::ports::{Done, Io, Port, ops_in, ops_out};
use super::{hash as functions, start};
use crate::error::DpdkError;
use crate::spec::Spec;
use libc::{c_int, c_void};
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};

/// Output ports: 254 and 255 are the host and the drop.
const OUTPUTS: u32 = 256;
/// Instructions between two looks at what has left.
const STRIDE: u32 = 2000;
/// Strides in which every packet must have left: none of our programs has a loop.
const STRIDES: u32 = 10_000;

/// An entry as SWX has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    /// Which bits of the key count; none: all.
    pub(crate) mask: Option<Vec<u8>>,
    /// 0 is the highest.
    pub(crate) priority: u32,
    /// The action's number in the program.
    pub(crate) action: u64,
    /// As many bytes as the longest arguments of the table's actions have.
    pub(crate) data: Vec<u8>,
}

/// A packet that has left.
pub(crate) struct Gone<'a> {
    /// The port that it came by, and the frame that came.
    pub(crate) from: u32,
    pub(crate) came: &'a [u8],
    /// The output port.
    pub(crate) to: u32,
    /// What leaves, preamble and all; none: the program took more than there was.
    pub(crate) bytes: Option<&'a [u8]>,
}

/// A pipeline of SWX with its control and its ports.
pub(crate) struct Pipeline {
    raw: NonNull<RawPipeline>,
    control: NonNull<RawControl>,
    io: Box<UnsafeCell<Io>>,
    /// SWX holds pointers to them.
    _ports: Box<[Port]>,
    tables: u32,
}

// SAFETY: SWX keeps nothing by thread; whoever holds the pipeline is the only one to use it, from whichever thread.
unsafe impl Send for Pipeline {}

/// Frees a pipeline that comes to nothing.
struct Guard(*mut RawPipeline);

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: it was made by `rte_swx_pipeline_config` and is nobody's.
            unsafe { ffi::rte_swx_pipeline_free(self.0) };
        }
    }
}

fn refused(what: &str, code: c_int) -> DpdkError {
    DpdkError::Refused { line: 0, what: what.to_owned(), why: why(code) }
}

impl Pipeline {
    /// Builds a program; `inputs` (a power of 2) are its input ports.
    pub(crate) fn build(spec: &Spec, inputs: u32, megabytes: u32) -> Result<Self, DpdkError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        start(megabytes)?;
        let name = c(&format!("guideway{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let mut guard = Guard(null_mut());
        // SAFETY: the place is ours, the name a string.
        let code = unsafe { ffi::rte_swx_pipeline_config(&raw mut guard.0, name.as_ptr(), 0) };
        let raw = NonNull::new(guard.0).filter(|_| code == 0);
        let raw = raw.ok_or_else(|| refused("to make a pipeline", code))?;
        let io = Box::new(UnsafeCell::new(Io {
            waiting: (0..inputs).map(|_| VecDeque::new()).collect(),
            ..Io::default()
        }));
        let ports = ports(raw.as_ptr(), inputs, io.get())?;
        for (name, function) in functions::FUNCTIONS {
            hash(raw.as_ptr(), name, function)?;
        }
        Builder { raw: raw.as_ptr(), spec }.tell()?;
        // SAFETY: the pipeline is built.
        let control = NonNull::new(unsafe { ffi::rte_swx_ctl_pipeline_create(raw.as_ptr()) });
        let control = control.ok_or_else(|| refused("to be controlled", -libc::ENOMEM))?;
        guard.0 = null_mut();
        let mut it = Self { raw, control, io, _ports: ports, tables: spec.tables.len() as u32 };
        for registers in &spec.registers {
            // SWX leaves them as the memory was.
            (0..registers.size).for_each(|i| it.write_register(&c(&registers.name), i, registers.initial));
        }
        Ok(it)
    }

    /// Gives it a packet at an input port: the preamble, and the frame behind it.
    pub(crate) fn push(&mut self, port: u32, preamble: &[u8], frame: &[u8]) {
        let io = self.io.get_mut();
        let mut packet = io.spare.pop().unwrap_or_default();
        packet.fill(port, preamble, frame);
        if let Some(waiting) = io.waiting.get_mut(port as usize) {
            waiting.push_back(packet);
            io.away += 1;
        }
    }

    /// Runs until every packet that was pushed has left.
    pub(crate) fn run(&mut self) -> Result<(), DpdkError> {
        for _ in 0..STRIDES {
            if self.io.get_mut().away == 0 {
                return Ok(());
            }
            // SAFETY: the pipeline is built; its ports use `io` only in this call, while no reference to it is held.
            unsafe { ffi::rte_swx_pipeline_run(self.raw.as_ptr(), STRIDE) };
        }
        Err(DpdkError::Endless)
    }

    /// Gives each packet that has left to `take`.
    pub(crate) fn take(&mut self, mut take: impl FnMut(Gone<'_>)) {
        let io = self.io.get_mut();
        for done in io.done.drain(..) {
            let (from, came) = (done.frame.port, done.frame.came.as_slice());
            take(Gone { from, came, to: done.port, bytes: done.bytes() });
            let Done { frame, .. } = done;
            io.spare.push(frame);
        }
    }

    /// Puts an entry in force with the next [`commit`](Self::commit), over one of the same key.
    pub(crate) fn add(&mut self, table: &CStr, entry: &mut Entry) -> Result<(), String> {
        let mut raw = raw_entry(entry);
        // SAFETY: the control lives; the entry's arrays are as long as the table has them, and the call copies them.
        let code = unsafe {
            ffi::rte_swx_ctl_pipeline_table_entry_add(self.control.as_ptr(), table.as_ptr(), &raw mut raw)
        };
        if code == 0 { Ok(()) } else { Err(why(code)) }
    }

    /// Takes the entry of this key away with the next [`commit`](Self::commit).
    pub(crate) fn delete(&mut self, table: &CStr, entry: &mut Entry) -> Result<(), String> {
        let mut raw = raw_entry(entry);
        // SAFETY: as in `add`.
        let code = unsafe {
            ffi::rte_swx_ctl_pipeline_table_entry_delete(self.control.as_ptr(), table.as_ptr(), &raw mut raw)
        };
        if code == 0 { Ok(()) } else { Err(why(code)) }
    }

    /// Puts what was added and deleted in force, all at once or not at all.
    pub(crate) fn commit(&mut self) -> Result<(), String> {
        // SAFETY: the control lives.
        let code = unsafe { ffi::rte_swx_ctl_pipeline_commit(self.control.as_ptr(), 1) };
        if code == 0 { Ok(()) } else { Err(why(code)) }
    }

    /// Forgets what was added and deleted since the last commit.
    pub(crate) fn abort(&mut self) {
        // SAFETY: the control lives.
        unsafe { ffi::rte_swx_ctl_pipeline_abort(self.control.as_ptr()) };
    }

    /// A register; 0 where there is none.
    pub(crate) fn read_register(&self, name: &CStr, index: u32) -> u64 {
        let mut value = 0;
        // SAFETY: the pipeline is built; SWX looks for the name and the index itself.
        unsafe {
            ffi::rte_swx_ctl_pipeline_regarray_read(self.raw.as_ptr(), name.as_ptr(), index, &raw mut value)
        };
        value
    }

    /// Writes a register, where there is one.
    pub(crate) fn write_register(&mut self, name: &CStr, index: u32, value: u64) {
        // SAFETY: as in `read_register`.
        unsafe {
            ffi::rte_swx_ctl_pipeline_regarray_write(self.raw.as_ptr(), name.as_ptr(), index, value);
        }
    }
}

impl Pipeline {
    /// Tables that are built anew at each change stand once for pipeline and control, and DPDK 22.11 would free them with
    /// either.
    fn give_shared_tables_away(&mut self) {
        let mut states = null_mut();
        // SAFETY: the pipeline is built, the place is ours.
        let code = unsafe { ffi::rte_swx_pipeline_table_state_get(self.raw.as_ptr(), &raw mut states) };
        for table in 0..self.tables {
            let (mut ops, mut is_stub): (MaybeUninit<TableOps>, c_int) = (MaybeUninit::uninit(), 0);
            // SAFETY: both places are ours; the first is written if the table is one and no stub.
            let shared = unsafe {
                let code = ffi::rte_swx_ctl_table_ops_get(
                    self.raw.as_ptr(),
                    table,
                    ops.as_mut_ptr(),
                    &raw mut is_stub,
                );
                code == 0 && is_stub == 0 && ops.assume_init().add.is_null()
            };
            if code == 0 && shared {
                // SAFETY: there is a state for each table. The control, which goes first, has the object too.
                unsafe { (*states.add(table as usize)).object = null_mut() };
            }
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.give_shared_tables_away();
        // SAFETY: both are ours and used no more; the control goes first, for it uses the pipeline.
        unsafe {
            ffi::rte_swx_ctl_pipeline_free(self.control.as_ptr());
            ffi::rte_swx_pipeline_free(self.raw.as_ptr());
        }
    }
}

/// Makes all ports.
fn ports(raw: *mut RawPipeline, inputs: u32, io: *mut Io) -> Result<Box<[Port]>, DpdkError> {
    let (into, out): (CString, CString) = (c("guideway_in"), c("guideway_out"));
    let (mut ops_in, mut ops_out) = (ops_in(), ops_out());
    // SAFETY: the pipeline lives; the functions live for ever, and the calls copy their tables.
    let codes = unsafe {
        [
            ffi::rte_swx_pipeline_port_in_type_register(raw, into.as_ptr(), &raw mut ops_in),
            ffi::rte_swx_pipeline_port_out_type_register(raw, out.as_ptr(), &raw mut ops_out),
        ]
    };
    if let Some(code) = codes.into_iter().find(|code| *code != 0) {
        return Err(refused("our kind of ports", code));
    }
    let mut all: Box<[Port]> = (0..inputs.max(OUTPUTS)).map(|number| Port { io, number }).collect();
    for (number, port) in (0..).zip(&mut all) {
        let it: *mut c_void = (&raw mut *port).cast();
        // SAFETY: the port lives as long as the pipeline, at the same place.
        let codes = unsafe {
            [
                if number < inputs {
                    ffi::rte_swx_pipeline_port_in_config(raw, number, into.as_ptr(), it)
                } else {
                    0
                },
                if number < OUTPUTS {
                    ffi::rte_swx_pipeline_port_out_config(raw, number, out.as_ptr(), it)
                } else {
                    0
                },
            ]
        };
        if let Some(code) = codes.into_iter().find(|code| *code != 0) {
            return Err(refused(&format!("port {number}"), code));
        }
    }
    Ok(all)
}

fn raw_entry(entry: &mut Entry) -> TableEntry {
    TableEntry {
        links: [null_mut(); 2],
        key: entry.key.as_mut_ptr(),
        mask: entry.mask.as_mut().map_or(null_mut(), |m| m.as_mut_ptr()),
        signature: 0,
        priority: entry.priority,
        action: entry.action,
        data: if entry.data.is_empty() { null_mut() } else { entry.data.as_mut_ptr() },
    }
}
