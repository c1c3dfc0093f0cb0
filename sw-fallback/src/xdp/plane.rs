//! A loaded program with its maps.

use super::attach::{self, Link, Place};
use super::error::XdpError;
use super::flows::{Clock, Reader};
use super::grace::Grace;
use super::pins::{self, Pins};
use super::ring::RingMaps;
use super::sys::{Pages, RawMap};
use super::table::{TableMaps, count_of};
use super::test_run::Bench;
use super::{Options, load};
use crate::plane::{Count, DataPlane, FlowReader, FlowRecord, ReadBack};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::verify::Verified;
use pipeline_ir::{FlowTableId, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use xdp_layout::Layout;

/// A pipeline in the kernel.
#[derive(Debug)]
pub struct XdpPlane {
    pub(super) verified: Verified,
    pub(super) layout: Layout,
    pub(super) tables: Vec<TableMaps>,
    pub(super) rings: Vec<RingMaps>,
    pub(super) flows: Vec<Arc<Pages>>,
    pub(super) clock: Arc<Clock>,
    pub(super) counters: Vec<RawMap>,
    pub(super) events: Option<RawMap>,
    pub(super) grace: Grace,
    pub(super) program: OwnedFd,
    /// Every map of the program, by name.
    pub(super) maps: BTreeMap<String, OwnedFd>,
    pub(super) places: Vec<Place>,
    /// Every map that outlives us, by the name of its pin; those that are pinned already are marked.
    pub(super) pinned: Vec<(String, OwnedFd, bool)>,
    pub(super) pins: Option<Pins>,
    pub(super) links: Vec<Link>,
    pub(super) notes: Vec<String>,
    pub(super) bench: Option<Bench>,
}

impl Drop for XdpPlane {
    /// What was loaded and never attached leaves no folder behind.
    fn drop(&mut self) {
        if let Some(pins) = &self.pins {
            pins.forget();
        }
    }
}

impl XdpPlane {
    /// Loads an object that was compiled from this pipeline. No interface is touched yet.
    ///
    /// # Errors
    /// [`XdpError`]; nothing is left behind then.
    pub fn load(pipeline: &Verified, object: &[u8], options: &Options) -> Result<Self, XdpError> {
        load::load(pipeline, object, options)
    }

    /// Asks the kernel whether it would load an object; nothing else runs meanwhile or is left behind.
    ///
    /// # Errors
    /// [`XdpError`], as loading would give it.
    pub fn judge(pipeline: &Verified, object: &[u8], options: &Options) -> Result<(), XdpError> {
        load::judge(pipeline, object, options)
    }

    /// Puts the program on the interfaces, and pins.
    ///
    /// # Errors
    /// [`XdpError`]; the interfaces are as they were then.
    pub fn attach(&mut self) -> Result<(), XdpError> {
        let old = self.pins.as_ref().and_then(Pins::program);
        let (links, notes) = attach::attach(self.program.as_fd(), &self.places, self.pins.as_ref())?;
        if let Some(pins) = &self.pins {
            if let Err(error) = self.pin_maps(pins) {
                for (name, ..) in self.pinned.iter().filter(|p| !p.2) {
                    let _absent = std::fs::remove_file(pins.path(name));
                }
                attach::revert(&links, self.pins.as_ref(), old.as_ref());
                return Err(error);
            }
            self.notes.extend(left_behind(pins, &links));
            let kept = self.pinned.iter().map(|p| p.0.clone());
            let linked = links.iter().map(|l| pins::link_name(&l.interface));
            pins.keep(&kept.chain(linked).chain([pins::PROGRAM.to_owned()]).collect::<Vec<_>>());
        }
        self.notes.extend(notes);
        self.links = links;
        for pin in &mut self.pinned {
            pin.2 = true;
        }
        Ok(())
    }

    /// Loads another program over what this one has pinned, lets `prepare` write to it, and puts it on the interfaces in this
    /// one's place, at once. Maps that both have alike go on, of entries unless the options say [`empty`](Options::empty).
    ///
    /// # Errors
    /// What failed; the program that ran still does then, with all its pins. What `prepare` wrote to maps that both have
    /// stays written.
    pub fn replace<E: From<XdpError>>(
        &mut self,
        pipeline: &Verified,
        object: &[u8],
        options: &Options,
        prepare: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = load::load_into(pipeline, object, options, self.pins.as_ref())?;
        prepare(&mut next)?;
        next.pins = self.pins.take();
        if let Err(error) = next.attach() {
            self.pins = next.pins.take();
            self.pin_again();
            return Err(error.into());
        }
        *self = next;
        Ok(())
    }

    /// Pins what runs, where another program was about to take its place under the same names.
    fn pin_again(&self) {
        let Some(pins) = &self.pins else { return };
        let maps = self.pinned.iter().map(|(name, map, _)| (name.as_str(), map.as_fd()));
        for (name, object) in maps.chain([(pins::PROGRAM, self.program.as_fd())]) {
            if !pins.path(name).exists()
                && let Err(error) = pins.put(name, object)
            {
                tracing::warn!("{error}: the next start won't find it");
            }
        }
    }

    fn pin_maps(&self, pins: &Pins) -> Result<(), XdpError> {
        for (name, map, _) in self.pinned.iter().filter(|p| !p.2) {
            pins.put(name, map.as_fd())?;
        }
        pins.put(pins::PROGRAM, self.program.as_fd())
    }

    /// Takes the program off and removes what is pinned.
    pub fn detach(mut self) {
        self.take_off();
    }

    /// As [`detach`](Self::detach), where others still hold the plane: it handles no packets any more.
    pub fn take_off(&mut self) {
        if let Some(pins) = self.pins.take() {
            pins.remove();
        }
        self.links.clear();
    }

    /// What the user should know: what was adopted, what was lost, what runs slowly.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Interfaces that have gone since the program was put there.
    #[must_use]
    pub fn gone(&self) -> Vec<&str> {
        self.links.iter().filter(|l| l.is_gone()).map(|l| l.interface.as_str()).collect()
    }

    /// The generation in force of a pool.
    #[must_use]
    pub fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        let ring = self.rings.get(ring.index())?;
        if pool < ring.pools.len() { ring.generation(pool) } else { None }
    }

    /// The ids of a pool's generation; 0 where a slot is empty or another generation's.
    #[must_use]
    pub fn ring_slots(&self, ring: RingId, pool: u32, generation: u8) -> Vec<u32> {
        match self.rings.get(ring.index()) {
            Some(ring) if pool < ring.pools.len() => ring.read(pool, generation),
            _ => Vec::new(),
        }
    }
}

/// Notes on interfaces that had our program and are no ports any more.
fn left_behind(pins: &Pins, links: &[Link]) -> Vec<String> {
    let old = pins.names().into_iter().filter_map(|name| pins::interface_of(&name));
    old.filter(|i| links.iter().all(|l| l.interface != *i))
        .map(|i| format!("{i}: no port any more, so the program is taken off it"))
        .collect()
}

impl DataPlane for XdpPlane {
    fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        let foreign = || WriteError::Failed("the entry is another pipeline's".into());
        match entry {
            CheckedEntry::Table(e) => {
                let table = self.tables.get_mut(e.table().index()).ok_or_else(foreign)?;
                table.write(e, kind, &mut self.grace)
            }
            CheckedEntry::Pool(e) => {
                let ring = self.rings.get(e.ring().index()).ok_or_else(foreign)?;
                ring.write_pool(*e, kind, &mut self.grace)
            }
            CheckedEntry::Slot(e) => {
                let ring = self.rings.get(e.pool().ring().index()).ok_or_else(foreign)?;
                ring.write_slot(*e, kind)
            }
        }
    }

    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        let foreign = || WriteError::Failed("the ring is another pipeline's".into());
        let ring = self.rings.get(fill.pool().ring().index()).ok_or_else(foreign)?;
        ring.fill(fill, &mut self.grace);
        Ok(())
    }

    fn counters(&self) -> BTreeMap<String, Count> {
        let mut counts = BTreeMap::new();
        for (name, packets) in self.layout.events.iter().zip(self.events()) {
            counts.insert(name.clone(), Count { packets, bytes: 0 });
        }
        for (counter, map) in self.pipeline().counters.iter().zip(&self.counters) {
            for cell in 0..counter.size {
                let count = count_of(Some(counter.kind), map.sum::<2>(cell).unwrap_or_default());
                if count != Count::default() {
                    counts.insert(format!("{}[{cell}]", counter.name), count);
                }
            }
        }
        counts
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.tables.get(table.index()).map(TableMaps::list).unwrap_or_default()
    }

    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.reader(table).map_or_else(Vec::new, |r| r.read(0..r.buckets()))
    }
}

impl ReadBack for XdpPlane {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        self.tables.get(named.table().index())?.find(named).cloned()
    }

    fn hits(&self, named: &TableEntry) -> Option<Count> {
        self.tables.get(named.table().index())?.hits(named)
    }

    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        XdpPlane::generation(self, ring, pool)
    }

    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        let ring = self.rings.get(ring.index()).filter(|r| pool < r.pools.len())?;
        ring.slot(pool, odd, slot)
    }

    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        let ring = self.rings.get(ring.index()).filter(|r| pool < r.pools.len());
        ring.map(|r| r.words(pool, odd)).unwrap_or_default()
    }

    fn flow_reader(&self, table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        Some(Arc::new(self.reader(table)?))
    }
}

impl XdpPlane {
    fn reader(&self, table: FlowTableId) -> Option<Reader> {
        let pages = Arc::clone(self.flows.get(table.index())?);
        let table = self.pipeline().flow_tables.get(table.index())?.clone();
        Some(Reader { pages, table, clock: Arc::clone(&self.clock) })
    }

    /// The cells of map `events`, summed over the CPUs.
    pub(super) fn events(&self) -> Vec<u64> {
        let Some(map) = &self.events else { return Vec::new() };
        let cells = (0u32..).take(self.layout.events.len());
        cells.map(|cell| map.sum::<1>(cell).unwrap_or_default()[0]).collect()
    }
}
