//! Verdicts, and how drops are counted.

use p4::ast::{Block, Expr as P4, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::stmt::Verdict;
use pipeline_ir::{CounterKind, ReasonId};

use super::arch::Arch;
use super::control::Ingress;
use super::expr::meta;
use super::worlds::Worlds;

/// A packet goes to a port, and is done with.
fn sent(arch: &dyn Arch, port: P4) -> Block {
    arch.leaves().into_iter().chain([arch.send(port)]).collect()
}

/// The number of the reason that a packet is dropped for.
pub(super) const DROP_REASON: &str = "drop_reason";

impl Ingress<'_> {
    /// Drops, also where more stands behind it.
    pub(super) fn gone(&mut self, reason: ReasonId, w: &Worlds) -> Block {
        let mut out: Block =
            self.over.map(|over| P4Stmt::assign(self.s.var(over), true)).into_iter().collect();
        out.extend(self.verdict(&Verdict::Drop(reason), w));
        out
    }

    /// What runs only if no verdict was given inside what stands before it.
    pub(super) fn unless_over(&self, stmt: P4Stmt) -> P4Stmt {
        match self.over {
            Some(over) if self.s.style.means.steps => P4Stmt::if_(self.s.var(over).inverted(), [stmt]),
            _ => stmt,
        }
    }

    /// Counts a drop by its reason, where that is done once.
    pub(super) fn count_drop(&self) -> Option<P4Stmt> {
        if !self.drops {
            return None;
        }
        let reason = meta(DROP_REASON);
        let count =
            self.s.style.arch.count(P4::name(self.drops_counter()), reason.clone(), CounterKind::Packets);
        Some(P4Stmt::if_(reason.differs(0u32), [count]))
    }

    /// The counter of drop reasons.
    pub(super) fn drops_counter(&self) -> &'static str {
        if self.egress { "egress_drops" } else { "drops" }
    }

    /// Bits of a drop reason's number, which begins at 1.
    pub(super) fn reason_bits(&self) -> u32 {
        self.s.style.arch.cell_bits(self.s.p.reasons.len() as u32 + 1)
    }

    pub(super) fn verdict(&mut self, v: &Verdict, w: &Worlds) -> Block {
        if matches!(v, Verdict::Drop(_)) && self.s.style.means.drops_last {
            self.drops = true;
            self.field(DROP_REASON, P4Type::bit(self.reason_bits()), false);
        }
        self.said(v, w)
    }

    /// The same where the verdict's parts are declared.
    pub(super) fn said(&self, v: &Verdict, w: &Worlds) -> Block {
        let arch = self.s.style.arch;
        let mut out = match v {
            Verdict::Forward(_) if self.egress => Vec::new(),
            Verdict::Forward(port) => sent(arch, self.s.port(port, w)),
            Verdict::Pass => sent(arch, P4::name("CPU_PORT")),
            Verdict::Drop(reason) if self.s.style.means.drops_last => {
                let number = P4Stmt::assign(meta(DROP_REASON), reason.0 + 1);
                std::iter::once(number).chain(arch.drop()).collect()
            }
            Verdict::Drop(reason) => {
                let counter = P4::name(format!("drop_{}", self.s.p.reasons[reason.index()].name));
                let count = arch.count(counter, P4::int(0), CounterKind::Packets);
                std::iter::once(count).chain(arch.drop()).collect()
            }
        };
        if !self.s.style.means.steps {
            out.push(P4Stmt::exit());
        }
        out
    }
}
