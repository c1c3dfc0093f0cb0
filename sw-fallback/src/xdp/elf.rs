//! What a compiled object says of itself, before anything is loaded.

use super::error::XdpError;
use super::image;
use super::sys::MapInfo;
use aya_obj::{Object, ProgramSection};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use std::collections::{BTreeMap, BTreeSet};

/// The program that the emitter writes.
pub(super) const PROGRAM: &str = "gw_main";

/// What the object needs and declares.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Maps that it declares and arrays, without the other sections.
    pub(super) maps: BTreeMap<String, MapInfo>,
    /// Numbers of the helpers that it calls.
    pub(super) helpers: BTreeSet<u32>,
    /// Atomic operations that give a value back.
    pub(super) atomics: bool,
    /// Rows of the CRC position tables.
    pub(super) crc_rows: usize,
    /// Offsets of the variables in section `.bss`.
    pub(super) variables: BTreeMap<String, usize>,
}

/// Reads an object.
pub(super) fn read(bytes: &[u8]) -> Result<Facts, XdpError> {
    let object = Object::parse(bytes).map_err(|e| XdpError::Object { why: e.to_string() })?;
    let main = object.programs.get(PROGRAM).map(|p| &p.section);
    if !matches!(main, Some(ProgramSection::Xdp { frags: false, .. })) {
        return Err(XdpError::Object { why: format!("it has no program `{PROGRAM}` in a section `xdp`") });
    }
    let mut facts = Facts::default();
    facts.read_symbols(bytes);
    for (section, map) in &object.maps {
        let name = image::map_name(section);
        if !name.starts_with('.') {
            facts.maps.insert(name.to_owned(), image::map_info(section, map));
        }
    }
    for instruction in object.functions.values().flat_map(|f| &f.instructions) {
        match (instruction.code, instruction.src_reg(), instruction.imm) {
            (CALL, 0, helper) => {
                facts.helpers.insert(helper.cast_unsigned());
            }
            (ATOMIC_32 | ATOMIC_64, _, operation) if operation & FETCH != 0 => facts.atomics = true,
            _ => {}
        }
    }
    Ok(facts)
}

const CALL: u8 = 0x85;
const ATOMIC_32: u8 = 0xc3;
const ATOMIC_64: u8 = 0xdb;
const FETCH: i32 = 1;

impl Facts {
    fn read_symbols(&mut self, bytes: &[u8]) {
        let Ok(file) = object::File::parse(bytes) else { return };
        let bss = file.section_by_name(".bss").map(|s| s.index());
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            if name == "gw_crc" {
                self.crc_rows = usize::try_from(symbol.size()).unwrap_or(0) / 1024;
            } else if bss.is_some() && symbol.section_index() == bss && !name.is_empty() {
                self.variables.insert(name.to_owned(), usize::try_from(symbol.address()).unwrap_or(0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused() {
        for bytes in [&b""[..], b"\x7fELF", b"int main;"] {
            assert!(matches!(read(bytes), Err(XdpError::Object { .. })));
        }
    }
}
