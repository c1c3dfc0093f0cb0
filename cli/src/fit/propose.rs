//! A way out, where a target refuses a pipeline, as options to copy.

use crate::source::Source;
use codegen::fit::Chip;
use codegen::fit::propose::{Part, Proposal, Slots, propose};
use codegen::off::Fate;
use hw_targets::Target;
use pipeline_ir::verify::Verified;
use serde_json::{Value, json};

/// What fits instead, or why nothing was found.
pub(crate) struct Proposed {
    found: Result<Proposal, String>,
    /// For all pipes: what was set already, and what comes to it.
    set: Vec<(String, String)>,
    /// Rings whose slots are no constant of the source.
    by_hand: Vec<Slots>,
    /// Stages of the chip.
    stages: Option<u64>,
}

impl Proposed {
    /// Searches for settings with which a target takes a pipeline that it refuses; not where it is one pipe's already.
    pub(crate) fn of(source: &Source, verified: &Verified, target: &Target) -> Option<Self> {
        if source.set.iter().any(|(_, value)| matches!(Fate::parse(value), Some(Fate::To(_) | Fate::From(_))))
        {
            return None;
        }
        let found = propose(verified, target);
        let (mut set, mut by_hand) = (source.set.clone(), Vec::new());
        for part in found.iter().flat_map(|p| &p.off) {
            set.push((part.name.clone(), "off".to_owned()));
        }
        for slots in found.iter().flat_map(|p| &p.slots) {
            match constant(source, verified, slots) {
                Some(name) => {
                    set.retain(|(n, _)| *n != name);
                    set.push((name, slots.slots.to_string()));
                }
                None => by_hand.push(slots.clone()),
            }
        }
        Some(Self { found, set, by_hand, stages: Chip::of(target).map(|chip| chip.stages) })
    }

    /// What is set for each pipe alone.
    fn pipes(&self) -> Vec<String> {
        let of =
            |parts: &[Part]| parts.iter().map(|p| format!("{}=off", p.name)).collect::<Vec<_>>().join(",");
        self.found
            .iter()
            .flat_map(|p| &p.pipes)
            .map(|pipe| of(&pipe.off))
            .filter(|set| !set.is_empty())
            .collect()
    }

    /// The options: `--pipe ipv6=off --pipe ipv4=off --set TOO_BIG_RATE=off`.
    fn options(&self) -> String {
        let pipes = self.pipes().into_iter().map(|set| format!("--pipe {set}"));
        let set = self.set.iter().map(|(name, value)| format!("--set {name}={value}"));
        pipes.chain(set).collect::<Vec<_>>().join(" ")
    }

    /// Its lines of a report.
    pub(crate) fn text(&self) -> String {
        let proposal = match &self.found {
            Ok(proposal) => proposal,
            Err(why) => return format!("nothing that fits instead was found\n  {why}\n"),
        };
        let mut out = format!("what fits instead\n  {}\n", self.options());
        for slots in &self.by_hand {
            out += &format!("  and {} slots for ring {} (line {})\n", slots.slots, slots.ring, slots.at.line);
        }
        let lost = |parts: &[Part]| parts.iter().map(|p| p.lost.as_str()).collect::<Vec<_>>().join("; ");
        let several = proposal.pipes.len() > 1;
        for (i, pipe) in proposal.pipes.iter().enumerate() {
            let name = if several { format!("pipe {i}") } else { "then".to_owned() };
            let stages = pipe.stages.zip(self.stages).map(|(n, of)| format!("{n} of {of} stages"));
            let what: Vec<String> =
                stages.into_iter().chain([lost(&pipe.off)]).filter(|t| !t.is_empty()).collect();
            if !what.is_empty() {
                out += &format!("  {name}: {}\n", what.join("; "));
            }
        }
        if !proposal.off.is_empty() {
            out += &format!("  lost{}: {}\n", if several { " in both" } else { "" }, lost(&proposal.off));
        }
        out
    }

    /// All of it as data.
    pub(crate) fn json(&self) -> Value {
        let lost = |parts: &[Part]| parts.iter().map(|p| p.lost.clone()).collect::<Vec<_>>();
        match &self.found {
            Err(why) => json!({"found": false, "why": why}),
            Ok(p) => json!({
                "found": true,
                "options": self.options(),
                "set": self.set.iter().map(|(n, v)| json!({"name": n, "value": v})).collect::<Value>(),
                "slots_by_hand":
                    self.by_hand.iter().map(|s| json!({"ring": s.ring, "slots": s.slots, "line": s.at.line})).collect::<Value>(),
                "lost": lost(&p.off),
                "pipes": p.pipes.iter().map(|pipe| json!({
                    "off": pipe.off.iter().map(|part| part.name.clone()).collect::<Vec<_>>(),
                    "lost": lost(&pipe.off),
                    "stages": pipe.stages,
                })).collect::<Value>(),
            }),
        }
    }
}

/// The constant that says how many slots a ring has: with another value, only they are others.
fn constant(source: &Source, verified: &Verified, slots: &Slots) -> Option<String> {
    let mut wanted = verified.pipeline().clone();
    wanted.rings.iter_mut().filter(|r| r.name == slots.ring).for_each(|r| r.slots = slots.slots);
    constants(&source.text).find(|name| {
        let mut other = source.clone();
        other.set.retain(|(n, _)| n != name);
        other.set.push((name.clone(), slots.slots.to_string()));
        other.checked().is_ok_and(|changed| *changed.pipeline() == wanted)
    })
}

/// The names of a source's numbers of 32 bits.
fn constants(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let (name, rest) = line.trim_start().strip_prefix("const ")?.split_once(':')?;
        rest.trim_start().starts_with("u32").then(|| name.trim().to_owned())
    })
}
