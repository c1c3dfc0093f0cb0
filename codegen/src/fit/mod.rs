//! Proof 2: the pipeline fits a target.
//!
//! Every need is met by what the target provides or by a [recipe](hw_targets::Recipe) of its file; every size is held
//! against the target's limits. What was chosen, and what it costs, stands in [`Fitted::report`] (`fit.txt`).

mod budget;
#[cfg(feature = "p4")]
mod chip;
pub mod most;
pub mod propose;
mod report;
pub mod stages;

pub use budget::Use;
use hw_targets::{Recipe, Target};
use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::needs::{Need, needs};
use pipeline_ir::verify::Verified;
use pipeline_ir::{FlowTableId, Pipeline, RingId};
pub use stages::{Chip, Placement};

/// A pipeline that fits a target, with the recipes chosen. Only [`fit`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    verified: Verified,
    target: Target,
    choices: Vec<Choice>,
    uses: Vec<Use>,
    placement: Option<Placement>,
    cut: bool,
}

/// How one need is met.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The need.
    pub need: Need,
    /// The recipe; none where the target provides it.
    pub recipe: Option<Recipe>,
}

impl Fitted {
    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }
    /// The verified pipeline.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.verified
    }
    /// The target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }
    /// The recipe chosen for a need; `None`: the target provides it, or nothing needs it.
    #[must_use]
    pub fn recipe(&self, word: &str) -> Option<&Recipe> {
        self.choices.iter().find(|c| c.need.word == word)?.recipe.as_ref()
    }
    /// Entries of a flow table on this target: those declared, or what the target's limit leaves.
    #[must_use]
    pub fn flow_entries(&self, id: FlowTableId) -> u32 {
        flow_entries(self.pipeline(), &self.target, id)
    }
    /// Pools for which a ring's table has room on this target.
    #[must_use]
    pub fn ring_pools(&self, id: RingId) -> u32 {
        ring_pools(self.pipeline(), &self.target, id)
    }
    /// Is what comes behind the last table done in egress? Only where it does not fit otherwise.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }
    /// Where it lies in the target's stages, if it has some.
    #[must_use]
    pub fn placement(&self) -> Option<&Placement> {
        self.placement.as_ref()
    }
    /// What was chosen and what it costs: `fit.txt`.
    #[must_use]
    pub fn report(&self) -> String {
        report::fitted(self)
    }
}

fn flow_entries(p: &Pipeline, target: &Target, id: FlowTableId) -> u32 {
    let declared = p.flow_tables[id.index()].entries;
    target
        .limit("flow_entries")
        .map_or(declared, |most| declared.min(u32::try_from(most).unwrap_or(u32::MAX)))
}

fn ring_pools(p: &Pipeline, target: &Target, id: RingId) -> u32 {
    let declared = p.rings[id.index()].pools;
    target.limit("ring_pools").map_or(declared, |most| declared.min(u32::try_from(most).unwrap_or(u32::MAX)))
}

/// Fits a pipeline to a target.
///
/// # Errors
/// What the target lacks and what is too big for it: all of it.
pub fn fit(verified: &Verified, target: &Target) -> Result<Fitted, Diagnostics> {
    let (fitted, faults) = told(verified, target);
    if faults.is_empty() { Ok(fitted) } else { Err(faults) }
}

/// What fitting gives, and all that speaks against it.
fn attempt(verified: &Verified, target: &Target) -> (Fitted, Diagnostics) {
    attempt_with(verified, target, |missing| vec![None; missing.len()])
}

/// As [`attempt`], for people: which settings leave out what the target lacks.
fn told(verified: &Verified, target: &Target) -> (Fitted, Diagnostics) {
    attempt_with(verified, target, |missing| propose::switches(verified, target, missing))
}

fn attempt_with(
    verified: &Verified,
    target: &Target,
    switches: impl Fn(&[Need]) -> Vec<Option<String>>,
) -> (Fitted, Diagnostics) {
    let mut faults = Diagnostics::default();
    let (choices, missing) = choose(verified, target);
    for (need, switch) in missing.iter().zip(switches(&missing)) {
        lacks(need, switch, target, &mut faults);
    }
    let uses = budget::uses(verified.pipeline(), target);
    budget::check(target, &uses, &mut faults);
    budget::host_port(verified.pipeline(), target, &mut faults);
    let (verified, target) = (verified.clone(), target.clone());
    let mut fitted = Fitted { verified, target, choices, uses, placement: None, cut: false };
    // What a target can't do has no place in it.
    if missing.is_empty() {
        fitted.placement = stages::of(&fitted);
        fitted = cut(fitted);
    }
    if let (Some(placement), Some(chip)) = (&fitted.placement, Chip::of(&fitted.target)) {
        fitted.uses.extend(stages::uses(placement));
        stages::faults(placement, &chip, &fitted.target, &mut faults);
    }
    faults.sort();
    (fitted, faults)
}

/// Stages that should be spare: the chip's own compiler may take so many more than are counted.
const SPARE: u64 = 2;

/// Does in egress what comes behind the last table, where stages are short and it saves some.
fn cut(fitted: Fitted) -> Fitted {
    let (Some(chip), Some(now)) = (Chip::of(&fitted.target), &fitted.placement) else { return fitted };
    let stages = now.stages.len() as u64;
    if now.fits(&chip) && stages + SPARE <= chip.stages || !fitted.target.provides("pipe.egress") {
        return fitted;
    }
    let mut other = Fitted { cut: true, ..fitted.clone() };
    other.placement = stages::of(&other);
    let fits = other.placement.as_ref().is_some_and(|p| p.fits(&chip) && (p.stages.len() as u64) < stages);
    if fits { other } else { fitted }
}

/// How each need is met, and which are not.
fn choose(verified: &Verified, target: &Target) -> (Vec<Choice>, Vec<Need>) {
    let (mut choices, mut missing) = (Vec::new(), Vec::new());
    #[cfg(feature = "p4")]
    let own = chip::needs(verified.pipeline(), target);
    #[cfg(not(feature = "p4"))]
    let own = Vec::new();
    for need in needs(verified).into_iter().chain(own) {
        let recipe = target.recipe(need.word).cloned();
        if recipe.is_none() && !target.provides(need.word) {
            missing.push(need);
        } else {
            choices.push(Choice { need, recipe });
        }
    }
    (choices, missing)
}

/// What is said of a pipeline that may not fit.
#[derive(Clone, Debug)]
pub struct Verdict {
    fitted: Fitted,
    faults: Diagnostics,
}

/// An honest verdict on a pipeline that may not fit.
#[must_use]
pub fn verdict(verified: &Verified, target: &Target) -> Verdict {
    let (fitted, faults) = told(verified, target);
    Verdict { fitted, faults }
}

impl Verdict {
    /// Does it fit?
    #[must_use]
    pub fn fits(&self) -> bool {
        self.faults.is_empty()
    }
    /// Every use with its limit, and what speaks against it.
    #[must_use]
    pub fn report(&self) -> String {
        if self.fits() { self.fitted.report() } else { report::refused(&self.fitted, &self.faults) }
    }
    /// Where it lies in the target's stages, also if it does not fit; none where the target has no stages, or lacks what the
    /// pipeline needs.
    #[must_use]
    pub fn placement(&self) -> Option<(&Placement, Chip)> {
        self.fitted.placement().zip(Chip::of(&self.fitted.target))
    }
}

fn lacks(need: &Need, switch: Option<String>, target: &Target, faults: &mut Diagnostics) {
    let what =
        hw_targets::VOCABULARY.iter().find(|(w, _)| *w == need.word).map_or(need.word, |(_, text)| text);
    let recipes: Vec<&Recipe> = target.recipes.iter().filter(|r| r.answers == need.word).collect();
    let missing: Vec<&str> =
        recipes.iter().flat_map(|r| &r.needs).filter(|n| !target.provides(n)).map(String::as_str).collect();
    let message = if missing.is_empty() {
        format!("{} needs {} ({what}), which {} lacks", need.of, need.word, target.title)
    } else {
        format!("{} needs {}, and {} lacks {} for it", need.of, need.word, target.title, missing.join(", "))
    };
    faults.push(Code::TargetLacks, need.at, message, help(need.word, switch, target));
}

fn help(word: &str, switch: Option<String>, target: &Target) -> String {
    let other = hw_targets::names()
        .filter_map(|n| hw_targets::target(n).ok())
        .filter(|t| t.emits && (t.provides(word) || t.recipe(word).is_some_and(|r| r.differs.is_empty())))
        .map(|t| t.name)
        .collect::<Vec<_>>()
        .join(", ");
    let advice = match word {
        "arith.modulo" => "take a power of two for the ring's slots (65_536, with odd skips)".to_string(),
        "hash.halfsiphash" | "hash.crc32" => {
            let hashes: Vec<&str> =
                target.provides.iter().filter(|w| w.starts_with("hash.")).map(String::as_str).collect();
            format!("use a hash that it has: {}", hashes.join(", "))
        }
        "parser.arith" => "compute it in the control".to_string(),
        "checksum.read" => "change what the checksum is of, and ask for it, before".to_string(),
        "flow.after_change" => "change headers in the arms of `stay_or`, or after them".to_string(),
        "flow.several" => "let one flow decide; put what excludes it into an `else`".to_string(),
        "table.places" => "choose the key first, then use it in one place".to_string(),
        "limiter.places" => "ask it once, and keep the answer".to_string(),
        _ => switch.map_or_else(
            || "leave it out of the pipelines for this target".to_string(),
            |switch| format!("leave it out: `{switch}`"),
        ),
    };
    if other.is_empty() { advice } else { format!("{advice}; or use a target that has it: {other}") }
}
