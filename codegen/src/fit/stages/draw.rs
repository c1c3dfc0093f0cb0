//! Pictures of the stages: as text for a terminal, and as SVG.

use super::{Chip, Kind, Placement, Stage};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Signs that stand for all blocks of a stage.
const BAR: u64 = 20;

/// One line a stage: how full its memories are, and what lies in it.
#[must_use]
pub fn text(p: &Placement, chip: &Chip) -> String {
    let bar = BAR as usize;
    let mut out = format!("{:>5}  {:<bar$}       {:<bar$}      tables\n", "stage", "SRAM", "TCAM");
    for (n, stage) in p.stages.iter().enumerate() {
        let over = if n as u64 >= chip.stages { "  BEYOND THE LAST STAGE" } else { "" };
        let (sram, tcam) = (stage.sram(), stage.tcam());
        let _ = writeln!(
            out,
            "{n:>5}  {} {sram:>3}   {} {tcam:>3}  {:>2}  {}{over}",
            filled(sram, chip.sram),
            filled(tcam, chip.tcam),
            stage.tables(),
            names(p, stage).join(", ")
        );
    }
    out
}

fn filled(used: u64, of: u64) -> String {
    let full = (used * BAR).div_ceil(of.max(1)).min(BAR) as usize;
    format!("{}{}", "#".repeat(full), ".".repeat(BAR as usize - full))
}

/// The tables of a stage; conditions and steps are counted.
fn names(p: &Placement, stage: &Stage) -> Vec<String> {
    let mut names = Vec::new();
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for placed in &stage.placed {
        let table = &p.tables[placed.table];
        match table.kind {
            Kind::Match => {
                let whole = placed.memory.entries >= table.entries;
                names.push(if whole {
                    table.name.clone()
                } else {
                    format!("{} ({} entries)", table.name, placed.memory.entries)
                });
            }
            Kind::Condition => *others.entry("condition").or_default() += 1,
            Kind::Steps => *others.entry("step").or_default() += 1,
        }
    }
    names.extend(stage.arrays.iter().map(|(a, _)| format!("{} (array)", p.arrays[*a].name)));
    let several = |n: usize| if n == 1 { "" } else { "s" };
    names.extend(others.into_iter().map(|(what, n)| format!("{n} {what}{}", several(n))));
    names
}

/// Width of a stage, and the height of a block of memory.
const COLUMN: u64 = 96;
const BLOCK: u64 = 3;
/// Where the columns begin.
const LEFT: u64 = 60;
const TOP: u64 = 40;

/// A column a stage: blocks of SRAM from below, those of TCAM above them.
#[must_use]
pub fn svg(p: &Placement, chip: &Chip, title: &str) -> String {
    let stages = (p.stages.len() as u64).max(chip.stages);
    let (width, sram, tcam) = (LEFT + stages * COLUMN + 10, chip.sram * BLOCK, chip.tcam * BLOCK);
    let ground = TOP + tcam + 20 + sram;
    let height = ground + 30;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"10\">\n<text x=\"{LEFT}\" y=\"16\" font-size=\"14\">{}</text>\n",
        escaped(title)
    );
    label(&mut out, 4, TOP + 10, "TCAM");
    label(&mut out, 4, TOP + tcam + 30, "SRAM");
    for n in 0..stages {
        let x = LEFT + n * COLUMN;
        let border = if n < chip.stages { "#888" } else { "#c00" };
        for (y, h) in [(TOP, tcam), (TOP + tcam + 20, sram)] {
            rect(&mut out, (x, y, COLUMN - 6, h), "none", border, "");
        }
        label(&mut out, x, ground + 14, &format!("stage {n}"));
        if let Some(stage) = p.stages.get(n as usize) {
            column(&mut out, p, stage, x, (TOP + tcam, ground));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// What lies in a stage, piled up: TCAM on `floors.0`, SRAM on `floors.1`.
fn column(out: &mut String, p: &Placement, stage: &Stage, x: u64, floors: (u64, u64)) {
    let (mut tcam, mut sram) = floors;
    for placed in &stage.placed {
        let table = &p.tables[placed.table];
        let (fill, memory) = (COLORS[placed.table % COLORS.len()], placed.memory);
        pile(out, x, &mut tcam, memory.tcam, fill, &table.name);
        pile(out, x, &mut sram, memory.sram, fill, &table.name);
    }
    for (a, blocks) in &stage.arrays {
        pile(out, x, &mut sram, *blocks, "#bbb", &p.arrays[*a].name);
    }
}

fn pile(out: &mut String, x: u64, floor: &mut u64, blocks: u64, fill: &str, name: &str) {
    if blocks == 0 {
        return;
    }
    let height = (blocks * BLOCK).min(*floor);
    *floor -= height;
    rect(out, (x, *floor, COLUMN - 6, height), fill, "#fff", &format!("{name}: {blocks} blocks"));
    if height >= 10 {
        label(out, x + 3, *floor + height / 2 + 4, name);
    }
}

fn rect(out: &mut String, (x, y, w, h): (u64, u64, u64, u64), fill: &str, stroke: &str, title: &str) {
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{fill}\" stroke=\"{stroke}\">\
         <title>{}</title></rect>",
        escaped(title)
    );
}

fn label(out: &mut String, x: u64, y: u64, text: &str) {
    let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A table's colour, by its place in the pipeline.
const COLORS: [&str; 8] =
    ["#8dd3c7", "#ffffb3", "#bebada", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#fccde5"];
