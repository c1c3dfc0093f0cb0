//! From an object to a loaded program, step by step.

use super::attach::{self, Place};
use super::elf::{self, Facts};
use super::error::XdpError;
use super::grace::Grace;
use super::pins::{self, Pins};
use super::plane::XdpPlane;
use super::probe::Kernel;
use super::ring::RingMaps;
use super::search::{Cells, Search, Shape};
use super::sys::{Pages, RawMap, map_type};
use super::table::{TableMaps, table_id};
use super::test_run::Bench;
use super::{Options, flows, seed, sys, verifier};
use aya::maps::{Map, MapData, MapError};
use aya::programs::{ProgramError, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader};
use pipeline_ir::entry::{CheckedEntry, TableEntry, Tables};
use pipeline_ir::verify::Verified;
use pipeline_ir::{Pipeline, Table, TableId};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use xdp_layout::{Layout, TableKind, TableLayout};

/// Loads an object; see [`XdpPlane::load`].
pub(super) fn load(verified: &Verified, object: &[u8], options: &Options) -> Result<XdpPlane, XdpError> {
    let facts = elf::read(object)?;
    Kernel::probe(&facts).judge(&facts)?;
    let limit = facts.maps.get(PORTS).map_or(u32::MAX, |m| m.entries);
    let places = attach::places(&options.ports, limit)?;
    let dir = options.pin_dir.as_deref().filter(|_| !options.testing);
    let pins = dir.map(Pins::open).transpose()?;
    let job = Job { verified, layout: Layout::of(verified.pipeline()), facts: &facts, options, places };
    match job.run(object, pins.as_ref()) {
        Ok(mut plane) => {
            plane.pins = pins;
            Ok(plane)
        }
        Err(error) => {
            if let Some(pins) = pins {
                pins.forget();
            }
            Err(error)
        }
    }
}

/// The map of interfaces by port number.
const PORTS: &str = "ports";
/// Entries of `gw_seed`, and of the tables of ports.
const SEEDS: usize = 32;
const PORT_CELLS: usize = 16;

struct Job<'a> {
    verified: &'a Verified,
    layout: Layout,
    facts: &'a Facts,
    options: &'a Options,
    places: Vec<Place>,
}

/// What is decided before anything is loaded.
#[derive(Default)]
struct Plan {
    /// Maps that are adopted, with their pins' names.
    adopted: BTreeMap<String, String>,
    /// Number of each table's seed.
    seeds: Vec<u32>,
    notes: Vec<String>,
}

impl Job<'_> {
    fn p(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn run(self, object: &[u8], pins: Option<&Pins>) -> Result<XdpPlane, XdpError> {
        attach::check_free(&self.places, pins)?;
        let mut plan = self.plan(pins)?;
        let mut kernel = self.load_object(object, &plan, pins)?;
        let program = verify(&mut kernel)?;
        let mut maps = take_maps(&kernel)?;
        self.fill_ports(&maps)?;
        let mut plane = self.assemble(&mut maps, &mut plan, pins, kernel, program)?;
        plane.grace.quiet = self.options.testing;
        self.write_source(&mut plane)?;
        Ok(plane)
    }

    /// The entries of a table that are going to be written, those of the source among them.
    fn entries_of(&self, table: TableId) -> Vec<TableEntry> {
        let given = self.options.entries.iter().filter_map(|e| match e {
            CheckedEntry::Table(e) if e.table() == table => Some(e.clone()),
            _ => None,
        });
        given.chain((0..).map_while(|i| TableEntry::of_source(self.verified, table, i))).collect()
    }

    fn plan(&self, pins: Option<&Pins>) -> Result<Plan, XdpError> {
        let mut plan = Plan::default();
        let names = pins.map(Pins::names).unwrap_or_default();
        let mut found = BTreeMap::new();
        for (map, info) in &self.facts.maps {
            let Some(base) = pins::map_name(self.p(), &self.layout, map, info) else { continue };
            let is_it =
                |n: &&String| n.strip_prefix(&base).is_some_and(|r| r.is_empty() || r.starts_with('-'));
            let pin = names.iter().find(is_it).filter(|n| pins.is_some_and(|p| p.map(n, *info).is_some()));
            match pin {
                Some(pin) if !self.options.flush => {
                    found.insert(map.clone(), pin.clone());
                }
                _ => {}
            }
        }
        for (i, (table, layout)) in self.p().tables.iter().zip(&self.layout.tables).enumerate() {
            let entries = self.entries_of(table_id(i));
            let entries: Vec<&TableEntry> = entries.iter().collect();
            let number = |pin: &String| pin.rsplit_once('-').and_then(|(_, n)| n.parse::<u32>().ok());
            let exact = matches!(layout.kind, TableKind::Exact { .. });
            let adopted = match found.get(&table.name).map(number) {
                Some(Some(n)) if exact && seed::fits(n, layout, &entries) => Some(n),
                Some(_) if !exact => Some(0),
                _ => None,
            };
            if adopted.is_none() {
                found.remove(&table.name);
                found.remove(&format!("{}_hits", table.name));
            }
            let choose =
                || seed::choose(layout, &entries).ok_or(XdpError::Seed { table: table.name.clone() });
            plan.seeds.push(adopted.map_or_else(choose, Ok)?);
        }
        plan.adopted = found;
        plan.notes = self.lost_flows(&plan, pins, &names);
        Ok(plan)
    }

    /// Says which flows of the last run are not carried over.
    fn lost_flows(&self, plan: &Plan, pins: Option<&Pins>, names: &[String]) -> Vec<String> {
        let Some(pins) = pins else { return Vec::new() };
        let lost = names.iter().filter(|n| pins::is_flow_table(n) && !plan.adopted.values().any(|a| a == *n));
        let note = |pin: &String| {
            let pages = RawMap::pinned(&pins.path(pin)).and_then(|m| Pages::new(&m)).ok()?;
            let (table, count) = (pin.split('-').next().unwrap_or_default(), flows::count(&pages));
            let why = if self.options.flush { "`--flush` drops them" } else { "the table has changed" };
            Some(format!("{table}: {count} flows of the last run are lost: {why}"))
        };
        lost.filter_map(note).collect()
    }

    fn load_object(&self, object: &[u8], plan: &Plan, pins: Option<&Pins>) -> Result<Ebpf, XdpError> {
        let testing = u32::from(self.options.testing);
        let ports = self.places.len() as u32;
        let mut indices = [0u32; PORT_CELLS];
        let mut numbers = [0u32; PORT_CELLS];
        for (i, place) in self.places.iter().enumerate().take(PORT_CELLS) {
            indices[i] = place.index;
            numbers[i] = place.port.number;
        }
        let mut seeds = [0u64; SEEDS];
        for (to, number) in seeds.iter_mut().zip(&plan.seeds) {
            *to = seed::seed(*number);
        }
        let crc = xdp_layout::crc32_tables(self.facts.crc_rows).concat();
        let mut loader = EbpfLoader::new();
        loader.override_global("gw_testing", &testing, false);
        loader.override_global("gw_ports", &ports, false);
        loader.override_global("gw_port_ifindex", &indices, false);
        loader.override_global("gw_port_number", &numbers, false);
        loader.override_global("gw_seed", &seeds, false);
        let jiffy = sys::jiffy_ns();
        loader.override_global("gw_jiffy_ns", &jiffy, false);
        if self.facts.crc_rows > 0 {
            loader.override_global("gw_crc", crc.as_slice(), false);
        }
        if let Some(pins) = pins {
            for (map, pin) in &plan.adopted {
                loader.map_pin_path(map, pins.path(pin));
            }
        }
        loader.load(object).map_err(load_error)
    }

    /// Writes the interfaces that packets may leave by.
    fn fill_ports(&self, maps: &BTreeMap<String, RawMap>) -> Result<(), XdpError> {
        let Some(map) = maps.get(PORTS) else { return Ok(()) };
        for place in &self.places {
            // A value may have room for a program behind the interface.
            let mut value = place.index.to_ne_bytes().to_vec();
            value.resize(map.info.value as usize, 0);
            map.set(&place.port.number.to_ne_bytes(), &value).map_err(|error| map_error(PORTS, error))?;
        }
        Ok(())
    }

    fn assemble(
        &self,
        maps: &mut BTreeMap<String, RawMap>,
        plan: &mut Plan,
        pins: Option<&Pins>,
        kernel: Ebpf,
        program: OwnedFd,
    ) -> Result<XdpPlane, XdpError> {
        let mut pinned = self.pin_list(maps, plan)?;
        let p = self.p();
        let names = Tables::new(p);
        let mut tables = Vec::new();
        for (i, table) in p.tables.iter().enumerate() {
            let layout = &self.layout.tables[i];
            let adopt = plan.adopted.contains_key(&table.name);
            let ranks = self.ranks(table, layout, adopt, pins, &mut pinned)?;
            let search = search(maps, table, layout, plan.seeds[i], ranks)?;
            let hits =
                (layout.counters > 0).then(|| take(maps, &format!("{}_hits", table.name))).transpose()?;
            let folds = self.layout.folds.iter().flat_map(|f| &f.entries);
            let folds = folds.filter(|f| f.table == table_id(i)).cloned().collect();
            let shape = Shape { table: table.clone(), layout: layout.clone(), folds };
            let mut one = TableMaps::new(shape, search, hits);
            if adopt {
                one.adopt(p, &names)?;
            }
            tables.push(one);
        }
        let mut rings = Vec::new();
        for ring in &p.rings {
            let (pools, slots) = (pages(maps, &ring.pool_table)?, pages(maps, &ring.name)?);
            rings.push(RingMaps { slots_per_ring: ring.slots, pools, slots });
        }
        let flow_pages = self.flow_pages(maps)?;
        let counters = p.counters.iter().map(|c| take(maps, &c.name)).collect::<Result<_, _>>()?;
        let events = (!self.layout.events.is_empty()).then(|| take(maps, "events")).transpose()?;
        let bench = self.bench(maps, &kernel)?;
        Ok(XdpPlane {
            verified: self.verified.clone(),
            layout: self.layout.clone(),
            tables,
            rings,
            flows: flow_pages,
            counters,
            events,
            grace: Grace::default(),
            program,
            places: self.places.clone(),
            pinned,
            pins: None,
            links: Vec::new(),
            notes: std::mem::take(&mut plan.notes),
            bench,
            kernel,
        })
    }

    fn flow_pages(&self, maps: &mut BTreeMap<String, RawMap>) -> Result<Vec<Pages>, XdpError> {
        let mut list = Vec::new();
        for flow in &self.p().flow_tables {
            let one = pages(maps, &flow.name)?;
            let fits = one.len() == flow.buckets() && one.stride() as u32 == 4 * flow.layout().bytes();
            check(&flow.name, fits)?;
            list.push(one);
        }
        Ok(list)
    }

    fn bench(&self, maps: &mut BTreeMap<String, RawMap>, kernel: &Ebpf) -> Result<Option<Bench>, XdpError> {
        if !self.options.testing {
            return Ok(None);
        }
        let program: &Xdp = main_program(kernel)?;
        let variables = take(maps, ".bss")?;
        Bench::new(self.facts, variables, program, self.options.prologue.as_deref()).map(Some)
    }

    /// The maps that outlive us, by the names of their pins.
    fn pin_list(
        &self,
        maps: &BTreeMap<String, RawMap>,
        plan: &Plan,
    ) -> Result<Vec<(String, OwnedFd, bool)>, XdpError> {
        let mut list = Vec::new();
        for (name, map) in maps {
            let Some(base) = pins::map_name(self.p(), &self.layout, name, &map.info) else { continue };
            let table = self.p().tables.iter().position(|t| t.name == *name);
            let exact = table.filter(|i| matches!(self.layout.tables[*i].kind, TableKind::Exact { .. }));
            let pin = exact.map_or_else(|| base.clone(), |i| format!("{base}-{}", plan.seeds[i]));
            let there = plan.adopted.contains_key(name);
            list.push((pin, clone(map)?, there));
        }
        Ok(list)
    }

    /// The map that keeps a linear table's priorities, which no packet reads.
    fn ranks(
        &self,
        table: &Table,
        layout: &TableLayout,
        adopt: bool,
        pins: Option<&Pins>,
        pinned: &mut Vec<(String, OwnedFd, bool)>,
    ) -> Result<Option<Pages>, XdpError> {
        if !matches!(layout.kind, TableKind::Linear { .. }) {
            return Ok(None);
        }
        let name = format!("{}_ranks", table.name);
        let failed = |error| map_error(&name, error);
        let fresh = RawMap::array(&name, 8, table.size).map_err(failed)?;
        let pin = pins::map_name(self.p(), &self.layout, &name, &fresh.info);
        let old = pin.as_ref().filter(|_| adopt).and_then(|pin| pins?.map(pin, fresh.info));
        let there = old.is_some();
        let map = old.unwrap_or(fresh);
        if let Some(pin) = pin {
            pinned.push((pin, clone(&map)?, there));
        }
        Pages::new(&map).map(Some).map_err(failed)
    }

    /// The entries that the source has.
    fn write_source(&self, plane: &mut XdpPlane) -> Result<(), XdpError> {
        for (i, table) in plane.tables.iter_mut().enumerate() {
            for index in 0..table.shape.table.const_entries.len() {
                let Some(entry) = TableEntry::of_source(self.verified, table_id(i), index) else { continue };
                table.insert(&entry, &mut plane.grace).map_err(|error| XdpError::Entry {
                    table: table.shape.table.name.clone(),
                    error: error.to_string(),
                })?;
            }
        }
        Ok(())
    }
}

fn main_program(kernel: &Ebpf) -> Result<&Xdp, XdpError> {
    let no = || XdpError::Object { why: format!("it has no program `{}`", elf::PROGRAM) };
    kernel.program(elf::PROGRAM).and_then(|p| p.try_into().ok()).ok_or_else(no)
}

/// Lets the verifier look at the program.
fn verify(kernel: &mut Ebpf) -> Result<OwnedFd, XdpError> {
    let no = || XdpError::Object { why: format!("it has no program `{}`", elf::PROGRAM) };
    let program: &mut Xdp =
        kernel.program_mut(elf::PROGRAM).and_then(|p| p.try_into().ok()).ok_or_else(no)?;
    program.load().map_err(|error| match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            let (at, log) = verifier::shorten(&verifier_log.to_string());
            let log = if log.is_empty() { format!("    {io_error}") } else { log };
            XdpError::Verifier { at, log }
        }
        other => XdpError::Object { why: other.to_string() },
    })?;
    let fd = program.fd().map_err(|e| XdpError::Object { why: e.to_string() })?;
    fd.as_fd().try_clone_to_owned().map_err(XdpError::system("can't keep the program"))
}

fn load_error(error: EbpfError) -> XdpError {
    match error {
        EbpfError::MapError(MapError::CreateError { name, io_error }) => map_error(&name, io_error),
        other => XdpError::Object { why: other.to_string() },
    }
}

fn map_error(map: &str, error: io::Error) -> XdpError {
    let help = match error.raw_os_error() {
        Some(libc::ENOMEM | libc::E2BIG) => {
            "there is not enough memory for it; make the table smaller (`--set FLOW_ENTRIES=...`)"
        }
        Some(libc::EPERM) => "raise the limit of locked memory (`ulimit -l unlimited`), or run as root",
        _ => "this kernel may lack its type; see `dmesg`",
    };
    XdpError::Map { map: map.to_owned(), error, help }
}

pub(super) fn take_maps(kernel: &Ebpf) -> Result<BTreeMap<String, RawMap>, XdpError> {
    let mut maps = BTreeMap::new();
    for (name, map) in kernel.maps() {
        let Some(data) = map_data(map) else { continue };
        let fd = data.fd().as_fd().try_clone_to_owned().map_err(|error| map_error(name, error))?;
        maps.insert(name.to_owned(), RawMap::new(fd).map_err(|error| map_error(name, error))?);
    }
    Ok(maps)
}

fn map_data(map: &Map) -> Option<&MapData> {
    match map {
        Map::Array(data) | Map::PerCpuArray(data) | Map::LpmTrie(data) | Map::DevMap(data) => Some(data),
        _ => None,
    }
}

fn clone(map: &RawMap) -> Result<OwnedFd, XdpError> {
    map.as_fd().try_clone_to_owned().map_err(XdpError::system("can't keep a map"))
}

fn check(map: &str, good: bool) -> Result<(), XdpError> {
    if good {
        return Ok(());
    }
    Err(XdpError::Object { why: format!("map `{map}` is not what this pipeline's layout says") })
}

fn take(maps: &mut BTreeMap<String, RawMap>, name: &str) -> Result<RawMap, XdpError> {
    maps.remove(name).ok_or_else(|| XdpError::Object { why: format!("it has no map `{name}`") })
}

fn pages(maps: &mut BTreeMap<String, RawMap>, name: &str) -> Result<Pages, XdpError> {
    let map = take(maps, name)?;
    check(name, map.info.kind == map_type::ARRAY && map.info.flags & map_type::MMAPABLE != 0)?;
    Pages::new(&map).map_err(|error| map_error(name, error))
}

/// A table's maps, once their measures are right.
fn search(
    maps: &mut BTreeMap<String, RawMap>,
    table: &Table,
    layout: &TableLayout,
    seed_number: u32,
    ranks: Option<Pages>,
) -> Result<Search, XdpError> {
    let name = table.name.as_str();
    let info = maps.get(name).map(|m| m.info);
    check(
        name,
        info.is_none_or(|i| i.value == layout.value_bytes() && i.entries == layout.max_entries(table)),
    )?;
    Ok(match (&layout.kind, ranks) {
        (TableKind::Slot { .. }, _) => Search::Slot(pages(maps, name)?),
        (TableKind::Exact { .. }, _) => {
            Search::Exact { pages: pages(maps, name)?, seed: seed::seed(seed_number) }
        }
        (TableKind::Linear { .. }, Some(ranks)) => Search::Linear {
            array: take(maps, name)?,
            half: take(maps, &format!("{name}_half"))?,
            ranks,
            cells: Cells::new(table.size),
        },
        (TableKind::Lpm { .. } | TableKind::Linear { .. }, _) => {
            Search::Lpm { trie: take(maps, name)?, cells: Cells::new(table.size) }
        }
    })
}
