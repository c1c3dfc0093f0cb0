//! Limiters: so many packets in a tick, by a register's cell of tick and packets.

use p4::ast::{Block, Decl, Expr as P4, Field, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::flow::TICK_BITS;
use pipeline_ir::{LimiterId, VarId};

use super::control::{Ingress, note};
use super::expr::meta;
use super::prelude;

/// The tick by which limiters count where a cell is two words: all bits of it.
const TICK: &str = "limiter_tick";

impl Ingress<'_> {
    /// Asks a limiter.
    pub(super) fn limit(&mut self, limiter: LimiterId, into: VarId) -> P4Stmt {
        self.limiters.insert(limiter);
        let asked = format!("{}_allow", self.s.p.limiters[limiter.index()].name);
        let into = self.s.var(into);
        if self.s.style.means.limits_in_pairs {
            self.field(TICK, P4Type::bit(32), false);
            return P4Stmt::assign(into, P4::name(asked).method("execute", [P4::int(0)]));
        }
        self.field("now", P4Type::bit(u32::from(TICK_BITS)), true);
        P4Stmt::call(P4::call(asked, [into]))
    }

    /// Sets the tick, where a limiter takes all of it.
    pub(super) fn limiter_tick(&self) -> Block {
        if !self.fields.iter().any(|f| f.name == TICK) {
            return Block::new();
        }
        vec![P4Stmt::assign(meta(TICK), self.s.style.arch.clock(self.tick_ns).cast(P4Type::bit(32)))]
    }
}

/// The type of a cell of two words.
pub(super) fn types(g: &Ingress<'_>) -> Option<Decl> {
    let pairs = g.s.style.means.limits_in_pairs && !g.limiters.is_empty();
    let words = ["tick", "passed"].map(|word| Field::new(P4Type::bit(32), word));
    let cell = || Decl::structure("limiter_t", words).note("What a limiter has let through, and when.");
    pairs.then(cell)
}

/// What asks each limiter; with it, where a cell is two words, its register.
pub(super) fn helpers(g: &Ingress<'_>) -> Vec<Decl> {
    let pairs = g.s.style.means.limits_in_pairs;
    let text = if pairs { prelude::LIMITER_BY_PAIR } else { g.s.style.arch.limiter() };
    let of = |l: &LimiterId| {
        let (limiter, register) = (&g.s.p.limiters[l.index()], &g.s.names.limiters[l.index()]);
        let most = limiter.per_tick.to_string();
        let holes = [("LIMITER", limiter.name.as_str()), ("REGISTER", register.as_str()), ("MOST", &most)];
        let mut decls = prelude::fill(text, &holes).1;
        if let Some(first) = pairs.then(|| decls.first_mut()).flatten() {
            first.notes.insert(0, note(&g.s.p.file, limiter.at, "limiter").into());
        }
        decls
    };
    g.limiters.iter().flat_map(of).collect()
}
