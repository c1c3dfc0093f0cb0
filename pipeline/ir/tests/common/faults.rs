//! One fault in the sample, and what `verify` says.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use crate::common::sample;
use pipeline_ir::Pipeline;
use pipeline_ir::diagnostic::Code;
use pipeline_ir::stmt::{Block, StmtKind};
use pipeline_ir::verify::verify;

/// Exactly these findings, in order: code, and a part of the message.
pub fn check(fault: impl FnOnce(&mut Pipeline), want: &[(Code, &str)]) {
    let mut p = sample();
    fault(&mut p);
    let found = verify(p).map(|_| ()).unwrap_err();
    let got: Vec<String> = found.0.iter().map(|d| format!("{}: {}", d.code.text(), d.message)).collect();
    let fits = got.len() == want.len()
        && found.0.iter().zip(want).all(|(d, (code, part))| d.code == *code && d.message.contains(part));
    assert!(fits, "got {got:#?}\nwant {want:#?}");
    for d in &found.0 {
        assert!(!d.help.is_empty(), "{d:?}");
    }
}

/// The statement of the sample's control that `pick` chooses, at any depth.
pub fn edit(block: &mut Block, pick: &dyn Fn(&mut StmtKind) -> bool) -> bool {
    block.iter_mut().any(|s| {
        pick(&mut s.kind)
            || match &mut s.kind {
                StmtKind::If { then, otherwise, .. } => edit(then, pick) || edit(otherwise, pick),
                StmtKind::Apply { arms, .. } => arms.iter_mut().any(|a| edit(&mut a.body, pick)),
                StmtKind::Stay { select, arms, .. } => {
                    edit(select, pick) || arms.iter_mut().any(|a| edit(&mut a.body, pick))
                }
                _ => false,
            }
    })
}
