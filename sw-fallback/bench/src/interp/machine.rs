//! Runs a program on a frame.

use super::Fault;
use super::alu::{holds, operate, order};
use super::counts::Counts;
use super::memory::{CONTEXT, FRAMES, Maps, Memory};
use super::object::{Instruction, Program};

/// More than the verifier would ever let through in one packet of ours.
const LONGEST: u64 = 1 << 20;

/// A program with its memory.
pub struct Machine<'a> {
    pub(super) program: &'a Program,
    pub(super) memory: Memory<'a>,
    pub(super) registers: [u64; 11],
    pub(super) counts: Counts,
    /// What `bpf_ktime_get_coarse_ns` and `bpf_ktime_get_ns` give.
    pub clock_ns: u64,
    /// Nanoseconds of what `bpf_jiffies64` counts.
    pub jiffy_ns: u64,
    /// Index of the interface that frames come in at.
    pub ingress_index: u32,
    callers: Vec<Caller>,
}

/// Whom a subprogram returns to.
struct Caller {
    at: usize,
    saved: [u64; 5],
}

/// What a program made of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Outcome {
    /// `XDP_*`.
    pub verdict: u32,
    pub frame: Vec<u8>,
}

impl<'a> Machine<'a> {
    /// A machine whose maps have what `maps` has, until the program writes them.
    #[must_use]
    pub fn new(program: &'a Program, maps: &'a dyn Maps) -> Self {
        Self {
            program,
            memory: Memory::new(&program.maps, maps),
            registers: [0; 11],
            counts: Counts::of(program),
            clock_ns: 0,
            jiffy_ns: 1,
            ingress_index: 0,
            callers: Vec::new(),
        }
    }

    /// Runs `function` on a frame.
    ///
    /// # Errors
    /// What the verifier would not have let through, or what the interpreter does not know.
    pub fn run(&mut self, function: &str, frame: &[u8]) -> Result<Outcome, Fault> {
        let start = self.program.functions.get(function);
        let mut pc = *start.ok_or_else(|| Fault::Object(format!("no function `{function}`")))?;
        self.memory.put_frame(frame, self.ingress_index)?;
        self.registers = [0; 11];
        self.registers[1] = CONTEXT;
        self.registers[10] = Memory::stack_end(0);
        self.callers.clear();
        self.counts.frames += 1;
        let limit = self.counts.instructions + LONGEST;
        loop {
            if self.counts.instructions >= limit {
                return Err(Fault::Endless(LONGEST));
            }
            let Some(instruction) = self.program.code.get(pc).copied() else {
                return Err(Fault::Outside { pc });
            };
            self.counts.instructions += 1;
            self.counts.runs[pc] += 1;
            match self.step(pc, instruction)? {
                Some(next) => pc = next,
                None => break,
            }
        }
        let verdict = self.registers[0] as u32;
        Ok(Outcome { verdict, frame: self.memory.frame().to_vec() })
    }

    /// What has been counted since the last time, and starts anew.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::replace(&mut self.counts, Counts::of(self.program))
    }

    /// Every element that was read or written, with its bytes as they are now, by map and index.
    pub fn touched(&self) -> impl Iterator<Item = (&str, u32, &[u8])> {
        let name = |map: usize| self.program.maps[map].name.as_str();
        self.memory.touched.iter().map(move |((map, index), bytes)| (name(*map), *index, bytes.as_slice()))
    }

    /// Forgets what was written: the maps are read anew.
    pub fn forget(&mut self) {
        self.memory.forget();
    }

    /// One instruction; the place of the next, or none at the end.
    fn step(&mut self, pc: usize, i: Instruction) -> Result<Option<usize>, Fault> {
        match i.opcode & 7 {
            0 if i.opcode == 0x18 => {
                self.registers[i.dst] = i.value.cast_unsigned();
                return Ok(Some(pc + 2));
            }
            1 => {
                let address = self.registers[i.src].wrapping_add_signed(i.offset.into());
                self.registers[i.dst] = self.load(pc, address, size(i.opcode))?;
            }
            2 => {
                let address = self.registers[i.dst].wrapping_add_signed(i.offset.into());
                self.store(pc, address, size(i.opcode), i.value.cast_unsigned())?;
            }
            3 if i.opcode & 0xe0 == 0xc0 => self.atomic(pc, i)?,
            3 if i.opcode & 0xe0 == 0x60 => {
                let address = self.registers[i.dst].wrapping_add_signed(i.offset.into());
                self.store(pc, address, size(i.opcode), self.registers[i.src])?;
            }
            4 | 7 => self.arithmetic(pc, i)?,
            5 | 6 => return self.jump(pc, i),
            _ => return Err(Fault::Opcode { pc, opcode: i.opcode }),
        }
        Ok(Some(pc + 1))
    }

    fn arithmetic(&mut self, pc: usize, i: Instruction) -> Result<(), Fault> {
        let wide = i.opcode & 7 == 7;
        let operand = if i.opcode & 8 == 0 { i.value.cast_unsigned() } else { self.registers[i.src] };
        let a = self.registers[i.dst];
        let value = if i.opcode & 0xf7 == 0xd4 {
            order(a, i.value, i.opcode & 8 != 0)
        } else if i.offset != 0 {
            None
        } else {
            operate(i.opcode & 0xf0, if wide { 64 } else { 32 }, a, operand)
        };
        self.registers[i.dst] = value.ok_or(Fault::Opcode { pc, opcode: i.opcode })?;
        Ok(())
    }

    fn jump(&mut self, pc: usize, i: Instruction) -> Result<Option<usize>, Fault> {
        let target = (pc + 1).wrapping_add_signed(i.offset.into());
        match i.opcode {
            0x05 => Ok(Some(target)),
            0x85 if i.src == 0 => {
                self.help(pc, i.value as i32)?;
                Ok(Some(pc + 1))
            }
            0x85 if i.src == 1 => self.enter(pc, i),
            0x95 => Ok(self.leave()),
            _ => {
                let width = if i.opcode & 7 == 5 { 64 } else { 32 };
                let operand = if i.opcode & 8 == 0 { i.value.cast_unsigned() } else { self.registers[i.src] };
                let taken = holds(i.opcode & 0xf0, width, self.registers[i.dst], operand);
                let taken = taken.ok_or(Fault::Opcode { pc, opcode: i.opcode })?;
                self.counts.branches += 1;
                self.counts.taken += u64::from(taken);
                Ok(Some(if taken { target } else { pc + 1 }))
            }
        }
    }

    /// Calls a subprogram, which has a stack of its own.
    fn enter(&mut self, pc: usize, i: Instruction) -> Result<Option<usize>, Fault> {
        if self.callers.len() + 1 >= FRAMES {
            return Err(Fault::Endless(FRAMES as u64));
        }
        let [.., six, seven, eight, nine, ten] = self.registers;
        self.callers.push(Caller { at: pc + 1, saved: [six, seven, eight, nine, ten] });
        self.registers[10] = Memory::stack_end(self.callers.len());
        Ok(Some((pc + 1).wrapping_add_signed(i.value as isize)))
    }

    fn leave(&mut self) -> Option<usize> {
        let caller = self.callers.pop()?;
        self.registers[6..].copy_from_slice(&caller.saved);
        Some(caller.at)
    }

    fn load(&mut self, pc: usize, address: u64, bytes: usize) -> Result<u64, Fault> {
        self.counts.loads += 1;
        self.peek(pc, address, bytes)
    }

    fn store(&mut self, pc: usize, address: u64, bytes: usize, value: u64) -> Result<(), Fault> {
        self.counts.stores += 1;
        self.poke(pc, address, bytes, value)
    }

    /// Reads without counting.
    pub(super) fn peek(&mut self, pc: usize, address: u64, bytes: usize) -> Result<u64, Fault> {
        let mut word = [0; 8];
        word[..bytes].copy_from_slice(self.memory.at(pc, address, bytes)?);
        Ok(u64::from_le_bytes(word))
    }

    fn poke(&mut self, pc: usize, address: u64, bytes: usize, value: u64) -> Result<(), Fault> {
        self.memory.at(pc, address, bytes)?.copy_from_slice(&value.to_le_bytes()[..bytes]);
        Ok(())
    }

    fn atomic(&mut self, pc: usize, i: Instruction) -> Result<(), Fault> {
        const FETCH: i64 = 1;
        const EXCHANGE: i64 = 0xe1;
        const COMPARE: i64 = 0xf1;
        let bytes = size(i.opcode);
        let mask = u64::MAX >> (64 - 8 * bytes);
        let address = self.registers[i.dst].wrapping_add_signed(i.offset.into());
        let operand = self.registers[i.src] & mask;
        let old = self.peek(pc, address, bytes)?;
        let new = match i.value {
            COMPARE if old == self.registers[0] & mask => operand,
            COMPARE => old,
            EXCHANGE => operand,
            op => match op & !FETCH {
                0x00 => old.wrapping_add(operand),
                0x40 => old | operand,
                0x50 => old & operand,
                0xa0 => old ^ operand,
                _ => return Err(Fault::Opcode { pc, opcode: i.opcode }),
            },
        };
        self.poke(pc, address, bytes, new)?;
        self.counts.atomics += 1;
        if i.value == COMPARE {
            self.registers[0] = old;
        } else if i.value & FETCH != 0 {
            self.registers[i.src] = old;
        }
        Ok(())
    }
}

/// Bytes of a memory access.
fn size(opcode: u8) -> usize {
    match opcode & 0x18 {
        0x00 => 4,
        0x08 => 2,
        0x10 => 1,
        _ => 8,
    }
}
