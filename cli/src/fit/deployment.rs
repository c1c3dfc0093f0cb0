//! One pipeline on several targets at once: nodes that share connections must choose alike.

use super::Args;
use crate::source::Source;
use crate::{Done, Refused};
use codegen::Fitted;
use hw_targets::Target;
use pipeline_ir::diagnostic::Diagnostics;
use pipeline_ir::needs::needs;
use pipeline_ir::verify::Verified;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What a pipeline calls a hash, and its word among what targets can do.
const HASHES: [(&str, &str); 2] = [("Crc32", "hash.crc32"), ("HalfSipHash", "hash.halfsiphash")];
/// The constant that names the hash, in the pipelines that have one.
const CONSTANT: &str = "HASH";

/// A target with what fitting gave.
struct Node {
    target: Target,
    fitted: Result<Fitted, Diagnostics>,
}

fn nodes(verified: &Verified, targets: &[Target]) -> Vec<Node> {
    let fit = |target: &Target| Node { target: target.clone(), fitted: codegen::fit(verified, target) };
    targets.iter().map(fit).collect()
}

/// Does a target compute this, by itself or by a recipe?
fn has(target: &Target, word: &str) -> bool {
    target.provides(word) || target.recipe(word).is_some()
}

/// What is to be said of the hash.
struct Hash {
    /// What the pipeline hashes with.
    used: Vec<&'static str>,
    /// Of those, what a target lacks.
    lacking: Vec<(&'static str, String)>,
    /// What all targets have.
    shared: Vec<&'static str>,
    /// If the pipeline's own is not on all: one of these that its constant can name, and whether all fits then.
    instead: Option<(&'static str, bool)>,
}

impl Hash {
    fn of(source: &Source, verified: &Verified, targets: &[Target]) -> Self {
        let needed = needs(verified);
        let used: Vec<_> = HASHES.into_iter().filter(|(_, w)| needed.iter().any(|n| n.word == *w)).collect();
        let lacks = |(name, word): &(&'static str, &str)| -> Vec<(&'static str, String)> {
            targets.iter().filter(|t| !has(t, word)).map(|t| (*name, t.name.clone())).collect()
        };
        let shared = HASHES.iter().filter(|hash| lacks(hash).is_empty()).map(|(name, _)| *name);
        let mut hash = Self {
            lacking: used.iter().flat_map(lacks).collect(),
            used: used.iter().map(|(name, _)| *name).collect(),
            shared: shared.collect(),
            instead: None,
        };
        if !hash.lacking.is_empty() {
            let with = |name: &&'static str| Some((*name, all_fit(source, targets, name)?));
            hash.instead = hash.shared.iter().filter_map(with).min_by_key(|(_, fits)| !fits);
        }
        hash
    }

    fn told(&self) -> String {
        if self.used.is_empty() {
            return "  none: the pipeline does not hash\n".into();
        }
        let used = self.used.join(", ");
        if self.lacking.is_empty() {
            return format!(
                "  {used}, on all of them: a flow that comes to another node finds the same backend\n"
            );
        }
        let mut text = String::new();
        for (name, target) in &self.lacking {
            text += &format!(
                "  {name}, which {target} lacks: a flow that comes to another node would change its backend\n"
            );
        }
        text += &match (self.instead, self.shared.as_slice()) {
            (Some((name, fits)), _) => {
                let fits = if fits { ", and with it all fits" } else { "" };
                format!("  help: all of them have {name}{fits}: `--set {CONSTANT}={name}`\n")
            }
            (None, []) => {
                "  help: they share no hash; give them deployments of their own, with VIPs of their own\n"
                    .into()
            }
            (None, shared) => format!("  help: all of them have {}; hash with that\n", shared.join(", ")),
        };
        text
    }
}

/// Does the pipeline fit all targets with another hash? None if it has no constant that names its hash.
fn all_fit(source: &Source, targets: &[Target], hash: &str) -> Option<bool> {
    let mut other = source.clone();
    other.set.retain(|(name, _)| name != CONSTANT);
    other.set.push((CONSTANT.to_owned(), hash.to_owned()));
    let verified = other.checked().ok()?;
    Some(targets.iter().all(|target| codegen::fit(&verified, target).is_ok()))
}

/// Sizes that are not the same on all targets that it fits: the name, and each target's.
fn sizes(verified: &Verified, nodes: &[Node]) -> Vec<(String, Vec<(String, u32)>)> {
    let p = verified.pipeline();
    let fitted: Vec<(&Target, &Fitted)> =
        nodes.iter().filter_map(|n| Some((&n.target, n.fitted.as_ref().ok()?))).collect();
    let each = |of: &dyn Fn(&Fitted) -> u32| -> Vec<(String, u32)> {
        fitted.iter().map(|(target, fitted)| (target.name.clone(), of(fitted))).collect()
    };
    let mut all = Vec::new();
    for (id, ring) in (0..).map(pipeline_ir::RingId).zip(&p.rings) {
        all.push((format!("pools of {}", ring.name), each(&|f| f.ring_pools(id))));
    }
    for (id, table) in (0..).map(pipeline_ir::FlowTableId).zip(&p.flow_tables) {
        all.push((format!("flows of {}", table.name), each(&|f| f.flow_entries(id))));
    }
    all.retain(|(_, each)| each.windows(2).any(|two| two[0].1 != two[1].1));
    all
}

fn verdict(node: &Node) -> String {
    match &node.fitted {
        Ok(fitted) if fitted.report().contains("\nnot as on other targets\n") => {
            format!("fits, but not all is as on other targets: `guideway fit --target {}`", node.target.name)
        }
        Ok(_) => "fits".into(),
        Err(why) => {
            let first = why.0.first().map_or("", |f| f.message.as_str());
            let more = match why.0.len() {
                0 | 1 => String::new(),
                n => format!(" (and {} more reasons: `guideway fit --target {}`)", n - 1, node.target.name),
            };
            format!("does not fit: {first}{more}")
        }
    }
}

/// Tells whether a pipeline fits several targets, and whether they choose alike.
pub(super) fn run(args: &Args, source: &Source, verified: &Verified, targets: &[Target]) -> Done {
    if args.max || args.svg.is_some() {
        return Err(Refused("error: --max and --svg are about one target".into()));
    }
    let nodes = nodes(verified, targets);
    let hash = Hash::of(source, verified, targets);
    let fits = nodes.iter().all(|n| n.fitted.is_ok());
    let sizes = sizes(verified, &nodes);
    let name = &verified.pipeline().name;
    if args.json {
        let node = |n: &Node| {
            let why: Vec<&str> =
                n.fitted.as_ref().err().iter().flat_map(|d| &d.0).map(|d| d.message.as_str()).collect();
            json!({"target": n.target.name, "fits": n.fitted.is_ok(), "why": why})
        };
        let sizes: Value = sizes
            .iter()
            .map(|(name, each)| {
                let each: serde_json::Map<String, Value> =
                    each.iter().map(|(t, n)| (t.clone(), json!(n))).collect();
                json!({"name": name, "on": each})
            })
            .collect();
        println!(
            "{}",
            json!({"pipeline": name, "fits": fits, "targets": nodes.iter().map(node).collect::<Value>(), "sizes": sizes,
                "hash": {"used": hash.used, "shared": hash.shared, "instead": hash.instead.map(|(name, _)| name)}})
        );
    } else {
        let all: Vec<&str> = targets.iter().map(|t| t.name.as_str()).collect();
        let verdict_of_all = if fits { "fits" } else { "does not fit" };
        println!("{name} on {}: {verdict_of_all}\n", all.join(", "));
        nodes.iter().for_each(|node| println!("  {:<9} {}", node.target.name, verdict(node)));
        print!("\nhash\n{}", hash.told());
        if !sizes.is_empty() {
            println!("\nsizes, of which all together have the least");
        }
        for (name, each) in &sizes {
            let each: Vec<String> = each.iter().map(|(target, n)| format!("{n} on {target}")).collect();
            println!("  {name:<24} {}", each.join(", "));
        }
    }
    Ok(if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
