//! The kernel's helpers that emitted programs call.

use super::Fault;
use super::machine::Machine;
use super::memory::map_of;
use super::object::MapFacts;

/// Types of maps, from `linux/bpf.h`.
const ARRAYS: [u32; 2] = [2, 6];

const MAP_LOOKUP: i32 = 1;
const KTIME: i32 = 5;
const CPU: i32 = 8;
const TAIL_CALL: i32 = 12;
const CHECKSUM: i32 = 28;
const ADJUST_HEAD: i32 = 44;
const REDIRECT_MAP: i32 = 51;
const ADJUST_TAIL: i32 = 65;
const JIFFIES: i32 = 118;
const KTIME_COARSE: i32 = 160;

const XDP_REDIRECT: u64 = 4;
const REFUSED: u64 = (-22i64).cast_unsigned();

impl Machine<'_> {
    /// Calls a helper. Registers 1 to 5 are lost, as in the kernel.
    pub(super) fn help(&mut self, pc: usize, helper: i32) -> Result<(), Fault> {
        *self.counts.calls.entry(helper).or_default() += 1;
        let [_, one, two, three, ..] = self.registers;
        let done = |good: bool| if good { 0 } else { REFUSED };
        self.registers[0] = match helper {
            MAP_LOOKUP => self.lookup(pc, one, two)?,
            KTIME | KTIME_COARSE => self.clock_ns,
            JIFFIES => self.clock_ns / self.jiffy_ns.max(1),
            CPU => 0,
            // Programs that are called this way are other objects: here the place is empty.
            TAIL_CALL => REFUSED,
            CHECKSUM => self.checksum(pc)?,
            ADJUST_HEAD => done(self.memory.adjust_head((two as i32).into())),
            ADJUST_TAIL => done(self.memory.adjust_tail((two as i32).into())),
            REDIRECT_MAP => {
                let (map, _) = self.map(pc, one)?;
                if self.memory.has(map, two as u32) { XDP_REDIRECT } else { three & 7 }
            }
            _ => return Err(Fault::Helper { pc, helper }),
        };
        // What a program reads here was never written; the verifier knows that it doesn't.
        self.registers[1..6].fill(0xdead_beef_dead_beef);
        Ok(())
    }

    fn map(&self, pc: usize, handle: u64) -> Result<(usize, &MapFacts), Fault> {
        let map = map_of(handle).and_then(|m| Some((m, self.program.maps.get(m)?)));
        map.ok_or(Fault::Address { pc, address: handle, bytes: 0 })
    }

    fn lookup(&mut self, pc: usize, handle: u64, key: u64) -> Result<u64, Fault> {
        let (map, facts) = self.map(pc, handle)?;
        if !ARRAYS.contains(&facts.kind) {
            let why = format!("a lookup in a map of type {} is not known to the interpreter", facts.kind);
            return Err(Fault::Map { map: facts.name.clone(), why });
        }
        let index = self.peek(pc, key, 4)? as u32;
        Ok(self.memory.element_address(map, index).unwrap_or(0))
    }

    /// The difference of two sums of 32-bit words, as `csum_diff` folds it.
    fn checksum(&mut self, pc: usize) -> Result<u64, Fault> {
        let [_, from, from_bytes, to, to_bytes, seed, ..] = self.registers;
        let mut sum = u64::from(seed as u32);
        for (address, bytes, flip) in [(from, from_bytes, u32::MAX), (to, to_bytes, 0)] {
            for at in (0..bytes & 0xffff).step_by(4) {
                sum += u64::from(self.peek(pc, address + at, 4)? as u32 ^ flip);
            }
        }
        while sum >> 32 != 0 {
            sum = (sum & 0xffff_ffff) + (sum >> 32);
        }
        Ok(sum)
    }
}
