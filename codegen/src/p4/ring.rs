//! Rings: which of its slots a packet asks, and what it gets.

use p4::ast::{Block, Expr as P4, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::{RingId, VarId};

use super::control::Ingress;
use super::worlds::Worlds;

impl Ingress<'_> {
    pub(super) fn select(
        &mut self,
        ring: RingId,
        pool: &Expr,
        hash: &Expr,
        into: VarId,
        w: &Worlds,
    ) -> Block {
        let r = &self.s.p.rings[ring.index()];
        let mut out = Vec::new();
        let apart = self.s.style.arch.keys_in_metadata();
        let pool = self.s.sized(pool, w);
        let (key, put) = self.key_part(&format!("{}_pool", r.name), u32::from(r.pool_width), pool);
        if let Some(put) = put {
            out.extend(self.side_by_side(vec![put]));
        }
        self.pools.insert(ring, key);
        let own = format!("{}_generation", r.name);
        let generation = apart.then(|| self.field(&own, P4Type::bit(8), false));
        let bits = super::info::slot_width(r);
        let part =
            matches!(hash.kind, ExprKind::Var(_)) && self.s.style.means.steps && r.slots.is_power_of_two();
        let place = match part {
            true => self.s.sized(hash, w).slice(bits - 1, 0u32),
            false => self.field(&format!("{}_slot", r.name), P4Type::bit(bits), false),
        };
        self.slots.insert(ring, place.clone());
        let given = self.field("generation", P4Type::bit(8), false);
        let slot = if part { Vec::new() } else { self.slot(ring, place, hash, w) };
        let (pool_table, ring_table) = &self.s.names.rings[ring.index()];
        let miss = |t: &str| P4::name(t).method0("apply").member("miss");
        let [no_pool, no_slot] = [r.no_pool, r.no_slot].map(|reason| self.gone(reason, w));
        let no_slot = match self.selected.take() {
            Some(then) => P4Stmt::if_else(miss(ring_table), no_slot, then),
            None => P4Stmt::if_(miss(ring_table), no_slot),
        };
        let own = generation.map(|own| P4Stmt::assign(own, given)).into_iter().collect();
        if self.s.style.means.steps {
            let asks = slot.into_iter().chain([no_slot]).collect::<Block>();
            out.push(P4Stmt::if_else(miss(pool_table), no_pool, asks));
        } else {
            out.push(P4Stmt::if_(miss(pool_table), no_pool));
            out.extend(self.side_by_side(own));
            out.extend(slot);
            out.push(no_slot);
        }
        if self.s.plan.in_metadata.contains(&into) {
            self.ring_ids.insert(ring, self.s.var(into));
        } else {
            let id = self.field(&format!("{}_id", r.name), P4Type::bit(u32::from(r.id_width)), false);
            out.push(P4Stmt::assign(self.s.var(into), id.clone()));
            self.ring_ids.insert(ring, id);
        }
        out
    }
}
