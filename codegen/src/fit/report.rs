//! `fit.txt`: what was chosen, what it costs, what does not fit.

use super::stages::draw;
use super::{Chip, Choice, Fitted, Use};
use hw_targets::Target;
use pipeline_ir::diagnostic::Diagnostics;
use pipeline_ir::{FlowTableId, RingId};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) fn fitted(fitted: &Fitted) -> String {
    let p = fitted.pipeline();
    let mut out = format!("{} on {}: fits\n\nneeds\n", p.name, fitted.target().title);
    met(&mut out, &fitted.choices);
    differences(&mut out, &fitted.choices);
    sizes(&mut out, fitted);
    budget(&mut out, fitted.target(), &fitted.uses);
    stages(&mut out, fitted);
    out
}

/// The stages, where the target has some.
fn stages(out: &mut String, fitted: &Fitted) {
    if let (Some(placement), Some(chip)) = (fitted.placement(), Chip::of(fitted.target())) {
        out.push_str("\nstages\n");
        out.push_str(&draw::text(placement, &chip));
    }
}

/// Needs that are met, and how.
fn met(out: &mut String, choices: &[Choice]) {
    let mut by_word: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for choice in choices {
        by_word.entry(choice.need.word).or_default().push(&choice.need.of);
    }
    for (word, of) in &by_word {
        let recipe = choices.iter().find(|c| c.need.word == *word).and_then(|c| c.recipe.as_ref());
        let how = recipe.map_or("provided".to_string(), |r| format!("{}: {}", r.name, r.how));
        let _ = writeln!(out, "  {word:<22} {how}");
        let _ = writeln!(out, "  {:<22}   for {}", "", of.join(", "));
    }
}

/// What is not as on other targets.
fn differences(out: &mut String, choices: &[Choice]) {
    let mut said: Vec<&String> = Vec::new();
    for difference in choices.iter().filter_map(|c| c.recipe.as_ref()).flat_map(|r| &r.differs) {
        if !said.contains(&difference) {
            said.push(difference);
        }
    }
    if !said.is_empty() {
        out.push_str("\nnot as on other targets\n");
        said.iter().for_each(|text| {
            let _ = writeln!(out, "  {text}");
        });
    }
}

fn sizes(out: &mut String, fitted: &Fitted) {
    let p = fitted.pipeline();
    if p.tables.is_empty() && p.flow_tables.is_empty() && p.rings.is_empty() {
        return;
    }
    out.push_str("\nsizes\n");
    for table in &p.tables {
        let _ = writeln!(out, "  table {:<16} {:>10} entries", table.name, table.size);
    }
    for (i, ring) in p.rings.iter().enumerate() {
        let pools = fitted.ring_pools(RingId(i as u32));
        let less = if pools < ring.pools {
            format!(" (declared: {}, limit ring_pools)", ring.pools)
        } else {
            String::new()
        };
        let _ = writeln!(out, "  ring {:<17} {:>10} slots for {pools} pools{less}", ring.name, ring.slots);
    }
    for (i, flow) in p.flow_tables.iter().enumerate() {
        let entries = fitted.flow_entries(FlowTableId(i as u32));
        let less = if entries < flow.entries {
            format!(" (declared: {}, limit flow_entries)", flow.entries)
        } else {
            String::new()
        };
        let bytes = u64::from(entries) * u64::from(flow.layout().bytes());
        let _ = writeln!(out, "  flow table {:<11} {entries:>10} entries, {bytes} bytes{less}", flow.name);
    }
}

fn budget(out: &mut String, target: &Target, uses: &[Use]) {
    if uses.is_empty() {
        return;
    }
    out.push_str("\nbudget\n");
    for (name, limit) in &target.limits {
        let of_name = || uses.iter().filter(|u| u.limit == name);
        let sum: u64 = of_name().filter(|u| u.adds).map(|u| u.amount).sum();
        let most = of_name().filter(|u| !u.adds).map(|u| u.amount).max().unwrap_or(0);
        if of_name().next().is_some() {
            let used = sum.max(most);
            let over = if used > limit.value { "  TOO MUCH" } else { "" };
            let _ = writeln!(out, "  {name:<16} {used:>12} of {:>12}  {}{over}", limit.value, limit.source);
        }
    }
}

pub(super) fn refused(fitted: &Fitted, faults: &Diagnostics) -> String {
    let (p, target) = (fitted.pipeline(), fitted.target());
    let mut out = format!("{} on {}: does not fit\n\nwhy\n", p.name, target.title);
    for fault in &faults.0 {
        let _ = match fault.at.line {
            0 => writeln!(out, "  {}: {}", p.file, fault.message),
            line => writeln!(out, "  {}:{line}: {}", p.file, fault.message),
        };
        let _ = writeln!(out, "    help: {}", fault.help);
    }
    out.push_str("\nwhat it has\n");
    met(&mut out, &fitted.choices);
    budget(&mut out, target, &fitted.uses);
    stages(&mut out, fitted);
    out
}
