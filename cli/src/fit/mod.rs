//! `guideway fit`.

mod deployment;
pub(crate) mod propose;

use crate::source::{PipesArgs, Source, SourceArgs};
use crate::{Done, Refused};
use codegen::fit::most::{self, Most};
use codegen::fit::stages::draw;
use codegen::fit::{Chip, Placement};
use hw_targets::Target;
use pipeline_ir::verify::Verified;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Tells how a pipeline fits a target: what was chosen, what it costs, what does not fit and why.
///
/// On a chip of match-action stages it also tells which tables lie in which stage. Of several targets, whose nodes share
/// connections, it tells whether all hash alike.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway fit --target tofino\n  guideway fit my_pipeline.rs --target xdp\n  guideway fit my_pipeline.rs --target tofino --max\n  guideway fit my_pipeline.rs --target tofino2 --svg stages.svg\n  guideway fit --target xdp,dpdk,bmv2\n\nExit code 1: it does not fit."
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    pipes: PipesArgs,
    /// The target, or several with commas between them; `guideway targets` lists them.
    #[arg(long, required = true, value_delimiter = ',')]
    target: Vec<String>,
    /// Tells how far each table, ring and flow table can grow while the others stay, and what stops it.
    #[arg(long)]
    max: bool,
    /// Draws the stages into a file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Prints one JSON object: {"pipeline", "target", "fits", "report"}, with "stages" on a chip that has them, "max", and,
    /// where it does not fit, "proposal". Of several targets: {"pipeline", "fits", "targets", "hash", "sizes"}; of several
    /// pipes one object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let targets = args.target.iter().map(|name| hw_targets::target(name)).collect::<Result<Vec<_>, _>>()?;
    let source = args.source.read()?;
    let verified = source.verified()?;
    let [target] = targets.as_slice() else {
        if args.pipes.some() {
            return Err(Refused("error: --pipe is about one target".into()));
        }
        return deployment::run(args, &source, &verified, &targets);
    };
    let pipes = args.pipes.divide(&source, &verified, target)?;
    if pipes.is_empty() {
        return one(args, &source, &verified, target);
    }
    if args.max || args.svg.is_some() {
        return Err(Refused("error: --max and --svg are of one pipe: give its settings with --set".into()));
    }
    let mut fits = true;
    for (i, pipe) in pipes.iter().enumerate() {
        if !args.json {
            println!("{}pipe {i}: {}\n", if i == 0 { "" } else { "\n" }, pipe.settings());
        }
        fits &= one(args, pipe, &pipe.verified()?, target)? == ExitCode::SUCCESS;
    }
    Ok(if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Of a pipeline on one pipe.
fn one(args: &Args, source: &Source, verified: &Verified, target: &Target) -> Done {
    let verdict = codegen::fit::verdict(verified, target);
    let (report, fits, placement) = (verdict.report(), verdict.fits(), verdict.placement());
    let name = &verified.pipeline().name;
    if (args.max || args.svg.is_some()) && placement.is_none() {
        let why = match Chip::of(target) {
            None => format!("{} has no stages", target.title),
            Some(_) => format!("{} lacks what {name} needs:\n{report}", target.title),
        };
        return Err(Refused(format!("error: nothing can be placed: {why}")));
    }
    if let (Some(path), Some((placement, chip))) = (&args.svg, &placement) {
        let picture = draw::svg(placement, chip, &format!("{name} on {}", target.title));
        let failed = |e| Refused(format!("error: can't write {}: {e}", path.display()));
        std::fs::write(path, picture).map_err(failed)?;
    }
    let most = if args.max { most::most(verified, target) } else { Vec::new() };
    let proposed = if fits { None } else { propose::Proposed::of(source, verified, target) };
    if args.json {
        let mut out = json!({"pipeline": name, "target": target.name, "fits": fits, "report": report});
        if let Some((placement, _)) = &placement {
            out["stages"] = stages(placement);
        }
        if args.max {
            out["max"] = most.iter().map(size).collect();
        }
        if let Some(proposed) = &proposed {
            out["proposal"] = proposed.json();
        }
        println!("{out}");
    } else {
        print!("{report}");
        if args.max {
            print!("\nat most, while all else stays\n{}", sizes(&most));
        }
        if let Some(proposed) = &proposed {
            print!("\n{}", proposed.text());
        }
    }
    Ok(if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn sizes(most: &[Most]) -> String {
    let line = |m: &Most| {
        let room = m.most.map_or("none fits".to_owned(), |most| most.to_string());
        let rule = m.rule.as_ref().map(|rule| format!("{:>61}declared {}; {rule}\n", "", m.declared));
        let rule = rule.unwrap_or_default();
        format!("  {:<24} {:>12}   now {:>10}   then: {}\n{rule}", m.name, room, m.now, m.then)
    };
    most.iter().map(line).collect()
}

fn size(m: &Most) -> Value {
    json!({
        "name": m.name, "now": m.now, "declared": m.declared, "rule": m.rule, "most": m.most, "next": m.next,
        "then": m.then,
    })
}

fn stages(placement: &Placement) -> Value {
    let stage = |s: &codegen::fit::stages::Stage| {
        let tables = s.placed.iter().map(|p| {
            let table = &placement.tables[p.table];
            json!({"name": table.name, "entries": p.memory.entries, "sram": p.memory.sram, "tcam": p.memory.tcam})
        });
        let arrays = s.arrays.iter().map(|(a, blocks)| {
            json!({"name": placement.arrays[*a].name, "cells": placement.arrays[*a].cells, "sram": blocks})
        });
        json!({"sram": s.sram(), "tcam": s.tcam(), "tables": tables.collect::<Value>(), "arrays": arrays.collect::<Value>()})
    };
    placement.stages.iter().map(stage).collect()
}
