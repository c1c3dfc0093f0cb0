//! P4_16 and P4Info; what architectures differ in is in `arch`.
//!
//! ```p4
//! // l4lb.rs:97 table vip4
//! @name(".vip4") @id(0x02...)
//! table vip4 {
//!     key = {
//!         h.ip4.dst: exact @name("dst");
//!         ...
//! ```
//!
//! One control, `ingress`, does everything: a verdict ends in `exit`. Names that the control plane sees stand at the
//! top level, so that they are the same on every target. What v1model can't do as the pipeline says it is in
//! `plan`, what BMv2 does with invalid headers in `worlds`, flow tables in `flow`.

mod absorb;
mod apart;
mod arch;
mod asked;
mod control;
mod egress;
mod expr;
mod flow;
mod hash;
mod in_two;
mod info;
mod learner;
mod limiter;
mod means;
mod names;
mod parser;
mod plan;
mod ports;
mod preamble;
mod prelude;
mod program;
mod remember;
mod ring;
pub(crate) mod same;
mod staged;
mod sums;
mod tables;
mod taken;
mod verdicts;
pub(crate) mod worlds;

pub use in_two::{HANDED_OVER, in_two};
pub use info::{FLOW_TABLE, Sizes, info, slot_width};

use std::borrow::Cow;

use pipeline_ir::Pipeline;

use crate::artifacts::Artifacts;
use crate::fit::Fitted;
use arch::Style;
use means::Means;

/// Is P4 written for this architecture?
#[must_use]
pub fn writes(arch: &str) -> bool {
    arch::find(arch).is_some()
}

/// The P4 program and its P4Info in text and binary form: `<name>.p4`, `<name>.p4info.txtpb`, `<name>.p4info.bin`.
#[must_use]
pub fn emit(fitted: &Fitted) -> Artifacts {
    let counted = counted(fitted);
    let p: &Pipeline = &counted;
    let sizes = Sizes { cut: fitted.is_cut(), ..Sizes::of(fitted.target()) };
    let info = info(p, &sizes);
    let mut artifacts = Artifacts::default();
    let Some(program) = program(fitted) else { return artifacts };
    artifacts.add(format!("{}.p4", p.name), p4::print(&program));
    artifacts.add(format!("{}.p4info.txtpb", p.name), info.to_text());
    artifacts.add(format!("{}.p4info.bin", p.name), info.to_bytes());
    artifacts
}

/// The pipeline as the target has it: entries without counters, if it has none.
fn counted(fitted: &Fitted) -> Cow<'_, Pipeline> {
    let p = fitted.pipeline();
    if fitted.target().provides("counter.direct") {
        return Cow::Borrowed(p);
    }
    let mut p = p.clone();
    p.tables.iter_mut().for_each(|t| t.counters = None);
    Cow::Owned(p)
}

/// The P4 program; none where there is no skeleton for the target's architecture.
pub(crate) fn program(fitted: &Fitted) -> Option<p4::ast::Program> {
    let counted = counted(fitted);
    let p: &Pipeline = &counted;
    let sizes = Sizes::of(fitted.target());
    let style = Style { arch: arch::find(&fitted.target().arch)?, means: Means::of(fitted) };
    let in_steps = style.means.steps.then(|| crate::steps::steps(p, crate::steps::May::of(fitted.target())));
    let written = in_steps.as_ref().map_or(p, |s| &s.pipeline);
    Some(program::program(written, in_steps.as_ref(), &info(p, &sizes), &sizes, fitted.target(), style))
}
