//! The emitted C in the kernel, one packet at a time.

use crate::objects;
use crate::served::Served;
use crate::story::Stories;
use anyhow::{Context, Result, anyhow};
use pipeline_ir::entry::Tables;
use pipeline_ir::verify::Verified;
use sw_fallback::xdp::{Options, PROLOGUE, XdpPlane};

/// A compiled pipeline, ready for as many stories as there are.
#[derive(Debug)]
pub struct XdpCase {
    verified: Verified,
    object: Vec<u8>,
    options: Options,
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
        })
    }

    /// In the kernel. The verifier looks at it.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn load(&self) -> Result<XdpPlane> {
        Ok(XdpPlane::load(&self.verified, &self.object, &self.options)?)
    }

    /// In the kernel, behind a P4Runtime server. One load serves all stories: it is made as new between them.
    ///
    /// # Errors
    /// If the kernel refuses it, or it can't be served.
    pub fn serve(&self) -> Result<Served<XdpPlane>> {
        Served::start(&self.verified, "xdp", self.load()?, |plane| Ok(plane.renew()?))
    }
}
