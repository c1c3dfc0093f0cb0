//! A pipeline in several pipes of a chip, each with a part of the work.

use std::collections::BTreeSet;

use hw_targets::Target;
use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::{Loc, Pipeline};

use super::{Fate, plain};

/// What becomes of parts in each pipe, where the given ones are off: what comes to a parser state that is off goes to the
/// first pipe where it is not, if there is one.
///
/// ```text
/// pipe 0: ipv6, Ipip6     ipv6=to:128 Ipip6=off ipv4=from:6
/// pipe 1: ipv4, Ipip4     ipv4=to:6 Ipip4=off ipv6=from:128
/// ```
///
/// # Errors
/// The target has no ports that lead from pipe to pipe, or not so many.
pub fn pipes(
    p: &Pipeline,
    target: &Target,
    off: &[Vec<String>],
) -> Result<Vec<Vec<(String, Fate)>>, Diagnostics> {
    let ports = target.loop_ports.as_ref().map_or(&[][..], |ports| &ports.value);
    if off.len() > ports.len() {
        let message = match ports.len() {
            0 => format!("no port of {} leads from pipe to pipe", target.title),
            most => format!("{} has {most} pipes, and {} are wanted", target.title, off.len()),
        };
        let mut faults = Diagnostics::default();
        faults.push(
            Code::TargetLacks,
            Loc::default(),
            message,
            "take fewer pipes, or a target that has them",
        );
        return Err(faults);
    }
    let is_off = |pipe: usize, name: &str| off[pipe].iter().any(|n| plain(n) == plain(name));
    // Where packets go that come to a parser state which is off somewhere.
    let takes = |name: &str| (0..off.len()).find(|pipe| !is_off(*pipe, name)).filter(|_| is_state(p, name));
    let mut names: BTreeSet<&String> = off.iter().flatten().collect();
    let mut said = BTreeSet::new();
    names.retain(|name| said.insert(plain(name)));
    let fates = (0..off.len()).map(|pipe| {
        let fate = |name: &&String| {
            let taker = takes(name);
            let fate = match taker {
                _ if !is_off(pipe, name) => (taker == Some(pipe)).then(|| Fate::From(ports[pipe]))?,
                Some(taker) => Fate::To(ports[taker]),
                None => Fate::Off,
            };
            Some(((*name).clone(), fate))
        };
        names.iter().filter_map(fate).collect()
    });
    Ok(fates.collect())
}

fn is_state(p: &Pipeline, name: &str) -> bool {
    p.parser.states.iter().any(|s| plain(&s.name) == plain(name))
}
