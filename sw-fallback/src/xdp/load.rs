//! From an object to a loaded program, step by step.

use super::attach::{self, Place};
use super::elf::{self, Facts};
use super::error::XdpError;
use super::flows::Clock;
use super::grace::Grace;
use super::image::{Image, map_error};
use super::pins::{self, Pins};
use super::plane::XdpPlane;
use super::probe::Kernel;
use super::ring::RingMaps;
use super::search::{Cells, Search, Shape};
use super::sys::{Pages, RawMap, map_type};
use super::table::{TableMaps, table_id};
use super::test_run::Bench;
use super::{Options, flows, seed, sys};
use pipeline_ir::entry::{CheckedEntry, TableEntry, Tables};
use pipeline_ir::verify::Verified;
use pipeline_ir::{Pipeline, Table, TableId};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use xdp_layout::array::ArrayLayout;
use xdp_layout::names::global;
use xdp_layout::{Layout, TableKind, TableLayout};

/// Loads an object; see [`XdpPlane::load`].
pub(super) fn load(verified: &Verified, object: &[u8], options: &Options) -> Result<XdpPlane, XdpError> {
    let dir = options.pin_dir.as_deref().filter(|_| !options.testing);
    let pins = dir.map(Pins::open).transpose()?;
    match load_into(verified, object, options, pins.as_ref()) {
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

/// Asks the kernel whether it would load an object, in maps that end with the question.
pub(super) fn judge(verified: &Verified, object: &[u8], options: &Options) -> Result<(), XdpError> {
    let facts = elf::read(object)?;
    Job::new(verified, &facts, options)?.judge(object)
}

/// Loads, with what is pinned in a folder that is open already.
pub(super) fn load_into(
    verified: &Verified,
    object: &[u8],
    options: &Options,
    pins: Option<&Pins>,
) -> Result<XdpPlane, XdpError> {
    let facts = elf::read(object)?;
    Job::new(verified, &facts, options)?.run(object, pins)
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

impl<'a> Job<'a> {
    fn new(verified: &'a Verified, facts: &'a Facts, options: &'a Options) -> Result<Self, XdpError> {
        Kernel::probe(facts).judge(facts)?;
        let limit = facts.maps.get(PORTS).map_or(u32::MAX, |m| m.entries);
        let places = attach::places(&options.ports, limit)?;
        Ok(Self { verified, layout: Layout::of(verified.pipeline()), facts, options, places })
    }

    fn judge(&self, object: &[u8]) -> Result<(), XdpError> {
        let plan = self.plan(None)?;
        self.load_object(object, &plan, None).map(drop)
    }

    fn p(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn run(self, object: &[u8], pins: Option<&Pins>) -> Result<XdpPlane, XdpError> {
        attach::check_free(&self.places, pins)?;
        let mut plan = self.plan(pins)?;
        let (mut maps, program) = self.load_object(object, &plan, pins)?;
        let kept = maps.iter().map(|(name, map)| Ok((name.clone(), clone(map)?)));
        let kept = kept.collect::<Result<_, XdpError>>()?;
        self.fill_ports(&maps)?;
        let mut plane = self.assemble(&mut maps, &mut plan, pins, program)?;
        plane.maps = kept;
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
            let Options { flush, empty, .. } = *self.options;
            if let Some(pin) = pin.filter(|pin| !(flush || empty && pins::has_entries(pin))) {
                found.insert(map.clone(), pin.clone());
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
            (count > 0).then(|| format!("{table}: {count} flows of the last run are lost: {why}"))
        };
        lost.filter_map(note).collect()
    }

    /// Makes the maps and loads the program.
    fn load_object(
        &self,
        object: &[u8],
        plan: &Plan,
        pins: Option<&Pins>,
    ) -> Result<(BTreeMap<String, RawMap>, OwnedFd), XdpError> {
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
        let words = |list: &[u32]| -> Vec<u8> { list.iter().flat_map(|w| w.to_ne_bytes()).collect() };
        let seeds: Vec<u8> = seeds.iter().flat_map(|w| w.to_ne_bytes()).collect();
        let constants = [
            ("gw_testing", words(&[u32::from(self.options.testing)])),
            ("gw_ports", words(&[self.places.len() as u32])),
            ("gw_port_ifindex", words(&indices)),
            ("gw_port_number", words(&numbers)),
            ("gw_seed", seeds),
            ("gw_jiffy_ns", sys::jiffy_ns().to_ne_bytes().to_vec()),
            ("gw_crc", words(&crc)),
        ];
        let constants: Vec<(&str, &[u8])> = constants.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let image = Image::new(object, &constants)?;
        let adopted = plan.adopted.iter().filter_map(|(map, pin)| {
            let old = RawMap::pinned(&pins?.path(pin));
            Some(old.map(|old| (map.clone(), old)).map_err(|error| map_error(map, error)))
        });
        let maps = image.make_maps(adopted.collect::<Result<_, _>>()?)?;
        tracing::debug!(maps = maps.len(), adopted = ?plan.adopted.keys(), seeds = ?plan.seeds, "maps are made");
        let start = std::time::Instant::now();
        let program = image.load(elf::PROGRAM, &maps)?;
        tracing::debug!(took = ?start.elapsed(), "the verifier accepts the program");
        Ok((maps, program))
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
            let pools = pages(maps, &ring.pool_table, ArrayLayout::of_pools(ring))?;
            let slots = pages(maps, &ring.name, ArrayLayout::of_slots(ring))?;
            rings.push(RingMaps { slots_per_ring: ring.slots, pools, slots });
        }
        let flow_pages = self.flow_pages(maps)?;
        let counters = p.counters.iter().map(|c| take(maps, &global(&c.name))).collect::<Result<_, _>>()?;
        let events = (!self.layout.events.is_empty()).then(|| take(maps, "events")).transpose()?;
        let bench = self.bench(maps, &program)?;
        Ok(XdpPlane {
            verified: self.verified.clone(),
            layout: self.layout.clone(),
            tables,
            rings,
            flows: flow_pages,
            clock: Clock::new(self.options.testing),
            counters,
            events,
            grace: Grace::default(),
            program,
            maps: BTreeMap::new(),
            places: self.places.clone(),
            pinned,
            pins: None,
            links: Vec::new(),
            notes: std::mem::take(&mut plan.notes),
            bench,
        })
    }

    fn flow_pages(&self, maps: &mut BTreeMap<String, RawMap>) -> Result<Vec<Arc<Pages>>, XdpError> {
        let mut list = Vec::new();
        for flow in &self.p().flow_tables {
            let buckets = take_array(maps, &flow.name)?;
            let (bytes, entries) = (4 * flow.layout().bytes(), flow.buckets());
            check(&flow.name, (buckets.info.value, buckets.info.entries) == (bytes, entries))?;
            let pages = Pages::new(&buckets).map_err(|error| map_error(&flow.name, error))?;
            list.push(Arc::new(pages));
        }
        Ok(list)
    }

    fn bench(
        &self,
        maps: &mut BTreeMap<String, RawMap>,
        program: &OwnedFd,
    ) -> Result<Option<Bench>, XdpError> {
        if !self.options.testing {
            return Ok(None);
        }
        let variables = take(maps, ".bss")?;
        Bench::new(self.facts, variables, program.as_fd(), self.options.prologue.as_deref()).map(Some)
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

fn take_array(maps: &mut BTreeMap<String, RawMap>, name: &str) -> Result<RawMap, XdpError> {
    let map = take(maps, name)?;
    check(name, map.info.kind == map_type::ARRAY && map.info.flags & map_type::MMAPABLE != 0)?;
    Ok(map)
}

fn pages(maps: &mut BTreeMap<String, RawMap>, name: &str, array: ArrayLayout) -> Result<Pages, XdpError> {
    let map = take_array(maps, name)?;
    check(name, (map.info.value, map.info.entries) == array.map())?;
    Pages::of(&map, array.stride() as usize, array.elements).map_err(|error| map_error(name, error))
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
    check(name, info.is_none_or(|i| (i.value, i.entries) == layout.map(table)))?;
    if let Some(array) = layout.array() {
        let pages = pages(maps, name, array)?;
        return Ok(match layout.kind {
            TableKind::Exact { .. } => Search::Exact { pages, seed: seed::seed(seed_number) },
            _ => Search::Slot(pages),
        });
    }
    Ok(match (&layout.kind, ranks) {
        (TableKind::Linear { .. }, Some(ranks)) => Search::Linear {
            array: take(maps, name)?,
            half: take(maps, &format!("{name}_half"))?,
            ranks,
            cells: Cells::new(table.size),
        },
        _ => Search::Lpm { trie: take(maps, name)?, cells: Cells::new(table.size) },
    })
}
