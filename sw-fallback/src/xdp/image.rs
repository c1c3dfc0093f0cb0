//! An object on its way into the kernel: its constants are set, its maps made, its program loaded.
//!
//! A section `.data.<table>` is an array that this process writes while packets read it, so its map can be mapped; it
//! is made with the table's name. `.rodata` is frozen, for the verifier to take its constants as such.

use super::error::XdpError;
use super::sys::{self, MapInfo, MapSource, Program, RawMap, map_type};
use super::verifier;
use aya_obj::btf::BtfKind;
use aya_obj::maps::Map;
use aya_obj::{EbpfSectionKind, Object};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Start of the names of sections that are arrays.
const ARRAY_SECTION: &str = ".data.";

/// The name of a map, from that of its section or declaration.
pub(super) fn map_name(name: &str) -> &str {
    name.strip_prefix(ARRAY_SECTION).unwrap_or(name)
}

/// The measures of a map as it will be made.
pub(super) fn map_info(name: &str, map: &Map) -> MapInfo {
    let flags = if name.starts_with(ARRAY_SECTION) { map_type::MMAPABLE } else { map.map_flags() };
    MapInfo {
        kind: map.map_type(),
        key: map.key_size(),
        value: map.value_size(),
        entries: map.max_entries(),
        flags,
    }
}

fn odd(error: impl Display) -> XdpError {
    XdpError::Object { why: error.to_string() }
}

/// A parsed object.
pub(super) struct Image {
    object: Object,
    types: Option<OwnedFd>,
}

impl Image {
    /// Reads an object and sets constants, as far as it has them.
    pub(super) fn new(bytes: &[u8], constants: &[(&str, &[u8])]) -> Result<Self, XdpError> {
        let mut object = Object::parse(bytes).map_err(odd)?;
        let constants: HashMap<&str, (&[u8], bool)> =
            constants.iter().map(|(name, value)| (*name, (*value, false))).collect();
        object.patch_map_data(constants).map_err(odd)?;
        let types = match aya::features().btf() {
            Some(features) => object.fixup_and_sanitize_btf(features).map_err(odd)?.map(|b| b.to_bytes()),
            None => None,
        };
        let refused = XdpError::system("the kernel refuses the object's type information");
        let types = types.map(|t| sys::load_types(&t)).transpose().map_err(refused)?;
        Ok(Self { object, types })
    }

    /// Makes the maps, but for those that are adopted.
    pub(super) fn make_maps(
        &self,
        mut adopted: BTreeMap<String, RawMap>,
    ) -> Result<BTreeMap<String, RawMap>, XdpError> {
        let mut maps = BTreeMap::new();
        for (section, map) in &self.object.maps {
            let name = map_name(section).to_owned();
            let made = match adopted.remove(&name) {
                Some(old) => old,
                None => self.make_map(section, map).map_err(|error| map_error(&name, error))?,
            };
            maps.insert(name, made);
        }
        Ok(maps)
    }

    fn make_map(&self, section: &str, map: &Map) -> io::Result<RawMap> {
        let (key_type, value_type) = match map {
            Map::Btf(m) => (m.def.btf_key_type_id, m.def.btf_value_type_id),
            Map::Legacy(_) => (0, self.section_type(section)),
        };
        let described = value_type != 0 && map.map_type() != map_type::DEVMAP;
        let types = self.types.as_ref().filter(|_| described).map(|t| (t.as_fd(), key_type, value_type));
        let made =
            RawMap::create(&MapSource { name: map_name(section), info: map_info(section, map), types })?;
        if !section.starts_with(ARRAY_SECTION) && map.data().iter().any(|b| *b != 0) {
            made.set(&0u32.to_ne_bytes(), map.data())?;
        }
        if map.section_kind() == EbpfSectionKind::Rodata {
            made.freeze()?;
        }
        Ok(made)
    }

    fn section_type(&self, section: &str) -> u32 {
        let types = self.object.btf.as_ref();
        types.and_then(|t| t.id_by_type_name_kind(section, BtfKind::DataSec).ok()).unwrap_or(0)
    }

    /// Lets the verifier look at a program and loads it.
    pub(super) fn load(
        mut self,
        program: &str,
        maps: &BTreeMap<String, RawMap>,
    ) -> Result<OwnedFd, XdpError> {
        let declared = std::mem::take(&mut self.object.maps);
        let list = declared.iter().filter_map(|(section, map)| {
            Some((section.as_str(), maps.get(map_name(section))?.as_fd().as_raw_fd(), map))
        });
        let code: HashSet<usize> = self.object.functions.keys().map(|(section, _)| *section).collect();
        self.object.relocate_maps(list, &code).map_err(odd)?;
        self.object.relocate_calls(&code).map_err(odd)?;
        self.object.sanitize_functions(aya::features());
        let no = || odd(format!("it has no program `{program}`"));
        let declared = self.object.programs.get(program).ok_or_else(no)?;
        let function = self.object.functions.get(&declared.function_key()).ok_or_else(no)?;
        let (functions, lines) = (function.func_info.func_info_bytes(), function.line_info.line_info_bytes());
        let source = Program {
            name: program,
            code: &function.instructions,
            license: &declared.license,
            types: self.types.as_ref().map(AsFd::as_fd),
            functions: (&functions, function.func_info_rec_size),
            lines: (&lines, function.line_info_rec_size),
        };
        sys::load_program(&source).map_err(|(error, log)| {
            let (at, log) = verifier::shorten(&log);
            let log = if log.is_empty() { format!("    {error}") } else { log };
            XdpError::Verifier { at, log }
        })
    }
}

/// A map that the kernel doesn't make, or doesn't take a value of.
pub(super) fn map_error(map: &str, error: io::Error) -> XdpError {
    let help = match error.raw_os_error() {
        Some(libc::ENOMEM | libc::E2BIG) => {
            "there is not enough memory for it; make the table smaller (`--set FLOW_ENTRIES=...`)"
        }
        Some(libc::EPERM) => "raise the limit of locked memory (`ulimit -l unlimited`), or run as root",
        _ => "this kernel may lack its type; see `dmesg`",
    };
    XdpError::Map { map: map.to_owned(), error, help }
}
