//! What is pinned in a BPF file system, so that it outlives this process.
//!
//! A folder holds: `link@<interface>`, `program`, and each map as `<map>-<kind>-<digest>`, exact tables with the
//! number of their seed behind. The digest covers everything that the map's bytes mean: a map is adopted only under
//! its very name. The BPF file system allows no dots in names.

use super::error::XdpError;
use super::sys::{self, MapInfo, RawMap};
use pipeline_ir::{Pipeline, Table};
use std::fs::{self, File};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use xdp_layout::Layout;
use xdp_layout::names::global;

/// A folder of pins; nobody else uses it meanwhile.
#[derive(Debug)]
pub(super) struct Pins {
    dir: PathBuf,
    _lock: File,
    made: Vec<PathBuf>,
}

/// Name of the pinned program.
pub(super) const PROGRAM: &str = "program";
/// No map has an `@` in its name.
const LINK: &str = "link@";

impl Pins {
    /// Opens a folder, which is made if need be.
    pub(super) fn open(dir: &Path) -> Result<Self, XdpError> {
        in_bpf_fs(dir)?;
        let failed = |error| XdpError::Pin { path: dir.to_owned(), error };
        let made: Vec<PathBuf> = dir.ancestors().take_while(|a| !a.exists()).map(Path::to_owned).collect();
        fs::create_dir_all(dir).map_err(failed)?;
        Self::lock(dir, made)
    }

    /// Opens a folder if it is there, and makes none.
    pub(super) fn look(dir: &Path) -> Result<Option<Self>, XdpError> {
        in_bpf_fs(dir)?;
        if dir.exists() { Self::lock(dir, Vec::new()).map(Some) } else { Ok(None) }
    }

    fn lock(dir: &Path, made: Vec<PathBuf>) -> Result<Self, XdpError> {
        let failed = |error| XdpError::Pin { path: dir.to_owned(), error };
        let lock = File::open(dir).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock, made }),
            Err(fs::TryLockError::WouldBlock) => Err(XdpError::Running { path: dir.to_owned() }),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Every name in the folder.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Where a name is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Pins an object in place of what has that name.
    pub(super) fn put(&self, name: &str, object: BorrowedFd<'_>) -> Result<(), XdpError> {
        let path = self.path(name);
        let failed = |error| XdpError::Pin { path: path.clone(), error };
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
        sys::pin(object, &path).map_err(failed)
    }

    /// The pinned program.
    pub(super) fn program(&self) -> Option<OwnedFd> {
        sys::pinned(&self.path(PROGRAM)).ok()
    }

    /// The pinned map of that name, if it is one of these measures.
    pub(super) fn map(&self, name: &str, info: MapInfo) -> Option<RawMap> {
        RawMap::pinned(&self.path(name)).ok().filter(|m| m.info == info)
    }

    /// Removes all names but these.
    pub(super) fn keep(&self, names: &[String]) {
        for name in self.names().iter().filter(|n| !names.contains(n)) {
            // What can't be removed is replaced by the next start.
            let _left = fs::remove_file(self.path(name));
        }
    }

    /// Removes everything, the folder too.
    pub(super) fn remove(self) {
        self.keep(&[]);
        let _left = fs::remove_dir(&self.dir);
        // Its parent, if it is Guideway's and empty.
        if let Some(parent) = self.dir.parent().filter(|p| p.file_name().is_some_and(|n| n == "guideway")) {
            let _used = fs::remove_dir(parent);
        }
    }

    /// Removes the folders that opening made, if nothing was pinned.
    pub(super) fn forget(&self) {
        for dir in &self.made {
            let _used = fs::remove_dir(dir);
        }
    }
}

/// The folder is, or is going to be, in a BPF file system.
fn in_bpf_fs(dir: &Path) -> Result<(), XdpError> {
    let exists = dir.ancestors().find(|a| a.exists()).unwrap_or(Path::new("/"));
    if sys::is_bpf_fs(exists) { Ok(()) } else { Err(XdpError::NoBpfFs { path: dir.to_owned() }) }
}

/// The name under which an interface's link is pinned.
pub(super) fn link_name(interface: &str) -> String {
    format!("{LINK}{}", interface.replace('%', "%25").replace('.', "%2E"))
}

/// The interface of a pinned link's name.
pub(super) fn interface_of(name: &str) -> Option<String> {
    Some(name.strip_prefix(LINK)?.replace("%2E", ".").replace("%25", "%"))
}

/// The name under which a map is pinned, without a seed; none for maps that are made anew each time.
pub(super) fn map_name(p: &Pipeline, layout: &Layout, map: &str, info: &MapInfo) -> Option<String> {
    let (kind, meaning) = meaning(p, layout, map)?;
    Some(format!("{map}-{kind}-{:016x}", digest(&format!("{info:?} {meaning}"))))
}

/// Is this the pin of a flow table of that name, whatever its digest?
pub(super) fn is_flow_table(pin: &str) -> bool {
    pin.split('-').nth(1) == Some("flow")
}

/// Is this the pin of a map that entries of tables or rings stand in?
pub(super) fn has_entries(pin: &str) -> bool {
    let kind = pin.split('-').nth(1).unwrap_or_default();
    ["table", "hits", "half", "ranks", "pool", "ring"].contains(&kind)
}

fn meaning(p: &Pipeline, layout: &Layout, map: &str) -> Option<(&'static str, String)> {
    if map == "events" {
        return Some(("events", format!("{:?}", layout.events)));
    }
    for ring in &p.rings {
        let shape = (ring.slots, ring.pools, ring.id_width, &ring.pool_table);
        if map == ring.pool_table {
            return Some(("pool", format!("{shape:?}")));
        }
        if map == ring.name {
            return Some(("ring", format!("{shape:?}")));
        }
    }
    if let Some(c) = p.counters.iter().find(|c| global(&c.name) == map) {
        return Some(("counter", format!("{:?}", (c.size, c.kind))));
    }
    if let Some(f) = p.flow_tables.iter().find(|f| f.name == map) {
        let keys: Vec<_> = f.keys.iter().map(|k| (&k.name, k.width)).collect();
        return Some(("flow", format!("{:?}", (keys, f.id_width, f.entries, f.idle.len()))));
    }
    // The source's entries are written anew, so these tables are not adopted.
    let tables = p.tables.iter().zip(&layout.tables).enumerate();
    for (i, (table, its)) in tables.filter(|(_, (t, _))| t.const_entries.is_empty()) {
        let kind = match map.strip_prefix(&table.name) {
            Some("") => "table",
            Some("_hits") => "hits",
            Some("_half") => "half",
            Some("_ranks") => "ranks",
            _ => continue,
        };
        let folds: Vec<_> =
            layout.folds.iter().flat_map(|f| &f.entries).filter(|f| f.table.index() == i).collect();
        return Some((kind, table_meaning(p, table, &format!("{its:?} {folds:?}"))));
    }
    None
}

fn table_meaning(p: &Pipeline, table: &Table, layout: &str) -> String {
    let keys: Vec<_> = table.keys.iter().map(|k| (&k.name, k.width, k.kind)).collect();
    let params = |a: &pipeline_ir::Action| -> Vec<_> {
        a.params.iter().map(|v| (p.var(*v).name.clone(), p.var(*v).ty.width())).collect()
    };
    let actions: Vec<_> =
        table.actions.iter().map(|a| &p.actions[a.index()]).map(|a| (&a.name, params(a))).collect();
    format!("{:?} {layout}", (keys, actions, table.size, table.counters))
}

/// FNV-1a over the text.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_survive() {
        for name in ["eth0", "eth0.100", "a%2Eb", "bond-1"] {
            let pin = link_name(name);
            assert!(!pin.contains('.'));
            assert_eq!(interface_of(&pin).as_deref(), Some(name));
        }
    }

    #[test]
    fn the_digest_is_fnv() {
        assert_eq!(digest(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest("a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn what_is_no_bpf_file_system_is_refused() {
        let error = Pins::open(&std::env::temp_dir().join("guideway-pins")).map(drop);
        assert!(matches!(error, Err(XdpError::NoBpfFs { .. })), "{error:?}");
        assert!(!std::env::temp_dir().join("guideway-pins").exists());
    }
}
