//! The emitted C in the kernel, one packet at a time.

use crate::objects;
use crate::story::Stories;
use anyhow::{Context, Result, anyhow};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, Tables, WriteError, WriteKind};
use pipeline_ir::verify::Verified;
use pipeline_ir::{FlowTableId, Pipeline, TableId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use sw_fallback::plane::{Count, DataPlane, FlowRecord, Outcome, TestPlane};
use sw_fallback::xdp::{Options, PROLOGUE, Runner, XdpPlane};

/// A compiled pipeline, ready for as many stories as there are.
#[derive(Debug)]
pub struct XdpCase {
    verified: Verified,
    object: Vec<u8>,
    options: Options,
    /// Loaded, and not in use.
    idle: Rc<RefCell<Option<XdpPlane>>>,
}

/// A program in the kernel, fresh; it goes back to its case in the end.
#[derive(Debug)]
pub struct Loaded {
    plane: Option<XdpPlane>,
    home: Rc<RefCell<Option<XdpPlane>>>,
}

/// Why XDP can't be tested here; none if it can.
#[must_use]
pub fn unavailable() -> Option<String> {
    if objects::clang().is_none() {
        return Some("no clang".to_owned());
    }
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    (!root).then(|| "not root".to_owned())
}

impl XdpCase {
    /// Emits the pipeline's C and compiles it, without warnings.
    ///
    /// # Errors
    /// If the pipeline doesn't fit or clang refuses the C.
    pub fn compile(verified: &Verified, stories: &Stories) -> Result<Self> {
        let target = hw_targets::target("xdp")?;
        let fitted = codegen::fit(verified, &target).map_err(|d| anyhow!("{d}"))?;
        let artifacts = codegen::xdp::emit(&fitted);
        let mut files = Vec::new();
        for (path, bytes) in artifacts.iter() {
            files.push((path, std::str::from_utf8(bytes)?));
        }
        let source = files.iter().find(|f| f.0.ends_with(".bpf.c")).context("no C source")?.1;
        let pipeline = verified.pipeline();
        let tables = Tables::new(pipeline);
        let entries = stories.entry.iter().map(|e| e.check(pipeline, &tables)).collect::<Result<_>>()?;
        Ok(Self {
            verified: verified.clone(),
            object: objects::compile(source, &files)?,
            options: Options {
                testing: true,
                prologue: Some(objects::compile(PROLOGUE, &[])?),
                entries,
                ..Options::default()
            },
            idle: Rc::default(),
        })
    }

    /// A fresh instance in the kernel. The verifier looks at the first; one that is given back is made as new.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn load(&self) -> Result<Loaded> {
        let idle = self.idle.take();
        let plane = match idle {
            Some(mut plane) => {
                plane.renew()?;
                plane
            }
            None => XdpPlane::load(&self.verified, &self.object, &self.options)?,
        };
        Ok(Loaded { plane: Some(plane), home: self.idle.clone() })
    }
}

impl Loaded {
    /// The program alone, for threads.
    ///
    /// # Errors
    /// The system gives no more descriptors.
    pub fn runner(&self) -> Result<Runner> {
        Ok(self.get().runner()?)
    }

    fn get(&self) -> &XdpPlane {
        self.plane.as_ref().expect("it is taken in drop only")
    }

    fn get_mut(&mut self) -> &mut XdpPlane {
        self.plane.as_mut().expect("it is taken in drop only")
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.home.replace(self.plane.take());
    }
}

impl DataPlane for Loaded {
    fn pipeline(&self) -> &Pipeline {
        self.get().pipeline()
    }
    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        self.get_mut().write(entry, kind)
    }
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        self.get_mut().fill_ring(fill)
    }
    fn counters(&self) -> BTreeMap<String, Count> {
        self.get().counters()
    }
    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.get().table_entries(table)
    }
    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.get().flows(table)
    }
}

impl TestPlane for Loaded {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        self.get_mut().process(port, now, frame)
    }
}
