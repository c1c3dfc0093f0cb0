//! What a placement uses of the chip, and why it does not fit.

use super::place::ARRAY_STAGES;
use super::{Chip, Kind, Placement};
use crate::fit::Use;
use hw_targets::Target;
use pipeline_ir::Loc;
use pipeline_ir::diagnostic::{Code, Diagnostics};

/// Stages and blocks, as uses of the target's limits.
pub(in crate::fit) fn uses(p: &Placement) -> Vec<Use> {
    let of = |limit, amount| Use {
        limit,
        of: "all tables".into(),
        amount,
        adds: false,
        at: Loc::default(),
        help: "make tables smaller, or look fewer of them up one after the other",
    };
    vec![of("stages", p.stages.len() as u64), of("sram_blocks", p.sram()), of("tcam_blocks", p.tcam())]
}

/// Why it does not fit: the table, what it needs, what the chip has, what to do.
pub(in crate::fit) fn faults(p: &Placement, chip: &Chip, target: &Target, faults: &mut Diagnostics) {
    if let Some(stuck) = &p.stuck {
        let table = &p.tables[stuck.table];
        let limit = target.limits.get(stuck.limit);
        let (most, source) = limit.map_or((1, ""), |l| (l.value, l.source.as_str()));
        // Steps have no name of their own.
        let array = stuck.array.map(|a| &p.arrays[a]).filter(|_| table.kind == Kind::Steps);
        let (name, at) = array.map_or((&table.name, table.at), |array| (&array.name, array.at));
        let message =
            format!("{name} needs {} {}; {} has {most} ({source})", stuck.needs, stuck.limit, target.title);
        faults.push(Code::TargetBudget, at, message, stuck_help(stuck.limit));
        return;
    }
    if p.stages.len() as u64 <= chip.stages {
        return;
    }
    let (at, message, help) = too_long(p, chip, target);
    faults.push(Code::TargetBudget, at, message, help);
}

fn stuck_help(limit: &str) -> &'static str {
    match limit {
        "counter_blocks" | "register_blocks" => "make the array smaller: it lies in one stage",
        "stage_masked_bytes" => "match fewer bytes under masks, or all of them exactly",
        "stage_exact_bytes" => "match fewer bytes",
        ARRAY_STAGES => "use the array in one place, or in places that are no more than one step apart",
        _ => "make the table smaller",
    }
}

/// More stages than there are: by memory, or by tables that wait for each other.
fn too_long(p: &Placement, chip: &Chip, target: &Target) -> (Loc, String, String) {
    let (title, stages) = (&target.title, p.stages.len());
    let chain: Vec<&str> = p.chain.iter().map(|i| p.tables[*i].name.as_str()).collect();
    if p.chain.len() as u64 > chip.stages {
        let at = p.chain.last().map_or(Loc::default(), |i| p.tables[*i].at);
        let message = format!(
            "{} tables and steps wait for each other, a stage each; {title} has {} stages: {}",
            chain.len(),
            chip.stages,
            chain.join(" > ")
        );
        return (
            at,
            message,
            "decide in fewer steps, or look tables up that do not wait for each other".into(),
        );
    }
    let blocks = |i: usize| -> (u64, u64) {
        let parts = p.stages.iter().flat_map(|s| &s.placed).filter(|x| x.table == i);
        parts.fold((0, 0), |sum, x| (sum.0 + x.memory.sram, sum.1 + x.memory.tcam))
    };
    let (sram, tcam) = (p.sram(), p.tcam());
    let by_tcam = tcam * chip.sram > sram * chip.tcam;
    let tables = (0..p.tables.len()).filter(|i| p.tables[*i].kind == Kind::Match);
    let biggest = tables.max_by_key(|i| if by_tcam { blocks(*i).1 } else { blocks(*i).0 });
    let of = biggest.map_or((Loc::default(), "nothing", (0, 0)), |i| {
        (p.tables[i].at, p.tables[i].name.as_str(), blocks(i))
    });
    let (what, needs, has, most) = match by_tcam {
        true => ("TCAM", tcam, chip.tcam * chip.stages, of.2.1),
        false => ("SRAM", sram, chip.sram * chip.stages, of.2.0),
    };
    let more = if p.whole { "" } else { "more than " };
    let message = format!(
        "all together need {more}{stages} stages; {title} has {} (with {has} blocks of {what}, of which {more}{needs} are needed); \
         the biggest part is table {} with {more}{most}",
        chip.stages, of.1
    );
    (of.0, message, format!("make table {} smaller", of.1))
}
