//! Names in the `.spec`: those of the pipeline, each once.

use std::collections::BTreeSet;

use pipeline_ir::{Pipeline, VarKind};

use super::layout;

/// Names of what the pipeline names.
pub(super) struct Names {
    /// By [`HeaderId`](pipeline_ir::HeaderId).
    pub(super) headers: Vec<String>,
    /// By [`VarId`](pipeline_ir::VarId).
    pub(super) vars: Vec<String>,
}

impl Names {
    pub(super) fn new(p: &Pipeline) -> Self {
        let ours = ["preamble", "pad"].map(str::to_owned);
        let mut taken = BTreeSet::from(ours);
        let mut headers = Vec::new();
        for h in &p.headers {
            headers.push(once(&h.name, 1, &mut taken));
        }
        let mut taken: BTreeSet<String> = super::OWN.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut vars = Vec::new();
        for var in &p.vars {
            let name = match var.kind {
                VarKind::Meta | VarKind::Local => var.name.clone(),
                VarKind::Param(a) => match p.actions.get(a.index()) {
                    Some(action) => format!("{}_{}", action.name, var.name),
                    None => var.name.clone(),
                },
            };
            vars.push(once(&name, var.ty.width().into(), &mut taken));
        }
        Self { headers, vars }
    }
}

/// The name of a value of so many bits, or it with a number: neither it nor a field that holds it is taken, or ours.
fn once(name: &str, bits: u32, taken: &mut BTreeSet<String>) -> String {
    let mut numbered = name.to_owned();
    let mut number = 1;
    loop {
        let limbs = layout::limbs(&numbered, bits).into_iter().map(|(name, _)| name);
        let fields: Vec<String> = limbs.chain([numbered.clone()]).collect();
        if !fields.iter().any(|f| taken.contains(f) || is_ours(f)) {
            taken.extend(fields);
            return numbered;
        }
        number += 1;
        numbered = format!("{name}_{number}");
    }
}

/// Is it a temporary (`t32_1`) or a mark of a cursor (`flow0_word`)?
fn is_ours(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((head, tail)) = name.split_once('_') else { return false };
    head.strip_prefix('t').is_some_and(is_number) && is_number(tail)
        || head.strip_prefix("flow").is_some_and(is_number) && !tail.bytes().any(|b| b.is_ascii_digit())
}
