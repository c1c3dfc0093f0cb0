//! From an object to instructions that can be run: relocations done, maps known by name.

use super::Fault;
use super::btf::{Line, lines};
use super::memory::{handle, value_base};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags, RelocationTarget};
use object::{SectionKind, SymbolIndex};
use std::collections::BTreeMap;

/// One instruction. That which loads 64 bits has its whole value in `value`, and a second place that is never run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) opcode: u8,
    pub(super) dst: usize,
    pub(super) src: usize,
    pub(super) offset: i16,
    /// The constant, sign-extended.
    pub(super) value: i64,
}

/// What a map is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct MapFacts {
    pub name: String,
    /// `BPF_MAP_TYPE_*`.
    pub kind: u32,
    pub key: u32,
    pub value: u32,
    pub entries: u32,
}

/// A program that can be run.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) code: Vec<Instruction>,
    pub(super) maps: Vec<MapFacts>,
    /// First instruction of each function.
    pub(super) functions: BTreeMap<String, usize>,
    /// Section and offset of each variable.
    pub(super) variables: BTreeMap<String, (String, usize)>,
    /// Source lines, by the first instruction that belongs to them.
    pub(super) lines: BTreeMap<usize, Line>,
}

/// `R_BPF_64_64`: a map or a variable.
const VALUE: u32 = 1;
/// `R_BPF_64_32`: a call.
const CALL: u32 = 10;
const LOAD_64: u8 = 0x18;

impl Program {
    /// Reads an object: all its executable sections, one after the other.
    ///
    /// # Errors
    /// [`Fault::Object`].
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let file = object::File::parse(bytes).map_err(|e| Fault::Object(e.to_string()))?;
        let maps = maps(bytes)?;
        let mut program = Self {
            code: Vec::new(),
            maps,
            functions: BTreeMap::new(),
            variables: variables(&file),
            lines: BTreeMap::new(),
        };
        let mut starts = BTreeMap::new();
        let sections: Vec<_> = file.sections().filter(|s| s.kind() == SectionKind::Text).collect();
        for section in &sections {
            starts.insert(section.index().0, program.code.len());
            let data = section.data().map_err(|e| Fault::Object(e.to_string()))?;
            program.code.extend(decode(data));
        }
        for section in &sections {
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
                let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
                let at = starts[&section.index().0] + offset as usize / 8;
                program.relocate(&file, &starts, at, r_type, symbol)?;
            }
        }
        for symbol in file.symbols().filter(|s| s.kind() == object::SymbolKind::Text && s.size() > 0) {
            let start = symbol.section_index().and_then(|i| starts.get(&i.0));
            if let (Some(start), Ok(name)) = (start, symbol.name()) {
                program.functions.insert(name.to_owned(), start + symbol.address() as usize / 8);
            }
        }
        let named: BTreeMap<&str, usize> =
            sections.iter().filter_map(|s| Some((s.name().ok()?, *starts.get(&s.index().0)?))).collect();
        program.lines = lines(&file, &named);
        Ok(program)
    }

    /// The maps, those of sections too.
    #[must_use]
    pub fn maps(&self) -> &[MapFacts] {
        &self.maps
    }

    /// The section of a variable, and where it stands there.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<(&str, usize)> {
        self.variables.get(name).map(|(section, at)| (section.as_str(), *at))
    }

    /// Instructions in the object.
    #[must_use]
    pub fn instructions(&self) -> usize {
        self.code.len()
    }

    fn relocate(
        &mut self,
        file: &object::File<'_>,
        starts: &BTreeMap<usize, usize>,
        at: usize,
        kind: u32,
        symbol: SymbolIndex,
    ) -> Result<(), Fault> {
        let odd = |e: object::Error| Fault::Object(e.to_string());
        let symbol = file.symbol_by_index(symbol).map_err(odd)?;
        let home =
            symbol.section_index().ok_or_else(|| Fault::Object("a symbol without a section".into()))?;
        let section = file.section_by_index(home).map_err(odd)?;
        let section_name = section.name().map_err(odd)?;
        let code = self.code.get_mut(at).ok_or(Fault::Outside { pc: at })?;
        if kind == CALL {
            let target = starts.get(&home.0).map(|s| s + symbol.address() as usize / 8);
            let target = target.ok_or_else(|| Fault::Object("a call to what is no code".into()))?;
            code.value += target as i64 - at as i64;
            return Ok(());
        }
        if kind != VALUE {
            return Err(Fault::Object(format!("relocation of type {kind}")));
        }
        let (name, of_section) = match section_name {
            ".maps" => (symbol.name().map_err(odd)?, false),
            other => (other, true),
        };
        let index = self.maps.iter().position(|m| m.name == name);
        let index = index.ok_or_else(|| Fault::Object(format!("no map or section `{name}`")))?;
        let addend = code.value & 0xffff_ffff;
        code.value = match of_section {
            true => value_base(index).cast_signed() + symbol.address().cast_signed() + addend,
            false => handle(index).cast_signed(),
        };
        Ok(())
    }
}

fn decode(data: &[u8]) -> Vec<Instruction> {
    let mut code: Vec<Instruction> = Vec::with_capacity(data.len() / 8);
    for bytes in data.chunks_exact(8) {
        code.push(Instruction {
            opcode: bytes[0],
            dst: usize::from(bytes[1] & 15),
            src: usize::from(bytes[1] >> 4),
            offset: i16::from_le_bytes([bytes[2], bytes[3]]),
            value: i32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]).into(),
        });
    }
    // The high half of a 64-bit constant stands in the place behind.
    for at in 0..code.len().saturating_sub(1) {
        if code[at].opcode == LOAD_64 {
            code[at].value = code[at].value & 0xffff_ffff | code[at + 1].value << 32;
        }
    }
    code
}

fn variables(file: &object::File<'_>) -> BTreeMap<String, (String, usize)> {
    let place = |symbol: object::Symbol<'_, '_>| {
        let section = file.section_by_index(symbol.section_index()?).ok()?;
        let place = (section.name().ok()?.to_owned(), symbol.address() as usize);
        Some((symbol.name().ok()?.to_owned(), place))
    };
    file.symbols().filter(|s| s.kind() == object::SymbolKind::Data).filter_map(place).collect()
}

fn maps(bytes: &[u8]) -> Result<Vec<MapFacts>, Fault> {
    let parsed = aya_obj::Object::parse(bytes).map_err(|e| Fault::Object(e.to_string()))?;
    let facts = parsed.maps.iter().map(|(name, map)| MapFacts {
        name: name.clone(),
        kind: map.map_type(),
        key: map.key_size(),
        value: map.value_size(),
        entries: map.max_entries(),
    });
    let mut facts: Vec<MapFacts> = facts.collect();
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(facts)
}
