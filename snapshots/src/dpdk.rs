//! The `.spec` of every case, in DPDK's SWX.

use crate::case::emitted;
use crate::served::Served;
use anyhow::{Context as _, Result, ensure};
use dpdk_switch::DpdkPlane;
use pipeline_ir::verify::Verified;

/// The highest port that there is.
const HIGHEST: u32 = 253;

/// The program of a pipeline; none where the pipeline doesn't fit.
///
/// # Errors
/// It fits, but there is no program.
pub fn program(verified: &Verified) -> Result<Option<String>> {
    let Ok(fitted) = codegen::fit(verified, &hw_targets::target("dpdk")?) else { return Ok(None) };
    emitted(&fitted, "spec").map(Some)
}

/// Why DPDK can't run here; none if it can.
#[must_use]
pub fn unavailable() -> Option<String> {
    dpdk_switch::start(dpdk_switch::MEGABYTES).err().map(|e| e.to_string())
}

/// A program in SWX behind a P4Runtime server.
///
/// # Errors
/// SWX refuses it, or it can't be served.
pub fn serve(verified: &Verified, program: &str) -> Result<Served<DpdkPlane>> {
    let fresh = {
        let (verified, program) = (verified.clone(), program.to_owned());
        move || DpdkPlane::load(&verified, &program, HIGHEST).context("SWX")
    };
    let first = fresh()?;
    Served::start(verified, "dpdk", first, move |plane| {
        *plane = fresh()?;
        Ok(())
    })
}

/// What p4c-dpdk has made of the pipeline's P4 for PNA, in SWX.
///
/// # Errors
/// SWX refuses it.
pub fn load_p4c(verified: &Verified, program: &str) -> Result<DpdkPlane> {
    DpdkPlane::load_p4c(verified, program, HIGHEST).context("SWX")
}

/// Are all of a story's packets for ports that there are?
///
/// # Errors
/// A packet of the story is malformed.
pub fn is_for_dpdk(story: &crate::story::Story) -> Result<bool> {
    ensure!(!story.step.is_empty(), "{}: no step", story.about);
    Ok(story.step.iter().all(|s| s.port.is_none_or(|port| port <= HIGHEST)))
}
