//! Names in the `.spec`: those of the pipeline, each once.

use std::collections::BTreeSet;

use pipeline_ir::{Pipeline, VarKind};

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
            headers.push(once(&h.name, &mut taken));
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
            vars.push(once(&name, &mut taken));
        }
        Self { headers, vars }
    }
}

/// The name, or it with a number.
fn once(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut numbered = name.to_owned();
    let mut number = 1;
    while !taken.insert(numbered.clone()) {
        number += 1;
        numbered = format!("{name}_{number}");
    }
    numbered
}
