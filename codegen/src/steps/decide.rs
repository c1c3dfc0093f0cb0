//! A condition that is too big for a gateway, and one of many ways: decided in one stage, by a table under masks with constant
//! entries.
//!
//! ```text
//! odd = a && (b == 3 || c < 8) || ..      table decides_odd { key = { a; b; c; } }
//!                                             (1, 3, _): holds
//!                                             (1, _, 0 &&& 0xf8): holds
//! ```

use std::collections::{BTreeMap, BTreeSet};

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict, walk};
use pipeline_ir::{Action, ActionId, Loc, Pipeline, TableId};

use super::masks::Decision;
use super::{Steps, early, length, small, stmt};
use crate::off::{drop_unread, replace};
use crate::p4::worlds::Worlds;

/// So many ways that only set values make a table of a chain of conditions.
const WAYS: usize = 3;

/// How a chip asks a condition.
pub(super) enum Asked {
    /// By a gateway.
    Gateway(Expr),
    /// By a table.
    Table(Decision),
}

impl Steps<'_> {
    /// How a condition is asked, and the steps that come before.
    pub(super) fn asked(&mut self, cond: &Expr, w: &Worlds, out: &mut Block) -> Asked {
        let mut before = Block::new();
        let plain = self.condition(cond, w, w, &mut before);
        if !self.may.decide || small::is_small(&plain) || is_beside(&plain) {
            out.append(&mut before);
            return Asked::Gateway(self.small(&plain, w, out));
        }
        // As a table, it need not wait for flags.
        let mut steps = Block::new();
        let whole = self.inlined(cond, w, &mut steps);
        if let Some(decision) = Decision::of(&whole, w) {
            out.append(&mut steps);
            return Asked::Table(decision);
        }
        let mut steps = before.clone();
        let asked = self.beside_numbers(&plain, w, &mut steps);
        if let Some(decision) = Decision::of(&asked, w) {
            out.append(&mut steps);
            return Asked::Table(decision);
        }
        out.append(&mut before);
        Asked::Gateway(self.small(&plain, w, out))
    }

    /// The condition with flags for what two values say beside each other.
    fn beside_numbers(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let kind = match &e.kind {
            ExprKind::Unary(op, a) => ExprKind::Unary(*op, Box::new(self.beside_numbers(a, w, out))),
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
                let then = w.assume(a, *op == BinOp::And);
                let (a, b) = (self.beside_numbers(a, w, out), self.beside_numbers(b, &then, out));
                ExprKind::Binary(*op, Box::new(a), Box::new(b))
            }
            _ if is_beside(e) => return self.flag(e, w, out),
            _ => return e.clone(),
        };
        Expr { kind, ..e.clone() }
    }

    /// What each outcome of a condition does.
    pub(super) fn branch(
        &mut self,
        asked: &Asked,
        name: &str,
        [then, otherwise]: [Block; 2],
        at: Loc,
    ) -> Block {
        match asked {
            Asked::Gateway(cond) => {
                vec![stmt(StmtKind::If { cond: cond.clone(), then, otherwise }, at)]
            }
            Asked::Table(d) => {
                let ways = [("holds".to_owned(), then), ("fails".to_owned(), otherwise)];
                self.ways(d, name, ways.into(), at)
            }
        }
    }

    /// A chain of conditions, where a table can choose one of its blocks, and most of these set values only.
    pub(super) fn chain(&mut self, s: &Stmt, w: &Worlds, out: &mut Block) -> Option<Block> {
        let (conditions, blocks) = chained(s);
        // What is looked up would wait for the table.
        let waits = conditions.iter().any(|c| length::asks(c)) || early::looks_up(s);
        if !self.may.decide || conditions.len() < WAYS || waits {
            return None;
        }
        let (mut steps, mut known) = (Block::new(), w.clone());
        let (mut asked, mut ways) = (Vec::new(), Vec::new());
        let mut conditions = conditions.into_iter();
        for block in blocks {
            let Some(cond) = conditions.next() else {
                ways.push(("else".to_owned(), self.block(block, &known)));
                break;
            };
            ways.push((format!("{}", ways.len() + 1), self.block(block, &known.assume(cond, true))));
            let cond = self.inlined(cond, &known, &mut steps);
            let after = known.assume(&cond, false);
            asked.push((cond, std::mem::replace(&mut known, after)));
        }
        let sets = ways.iter().filter(|(_, block)| is_set(block)).count();
        let decision = Decision::first(&asked).filter(|_| sets >= WAYS)?;
        out.append(&mut steps);
        Some(self.ways(&decision, &format!("line_{}", s.at.line), ways, s.at))
    }

    /// A condition with what its flags stand for, for a table that asks values whole.
    fn inlined(&mut self, cond: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        let whole = self.flags.put(self.p, cond, usize::MAX, &|e| self.told(e, w));
        self.whole_values = true;
        let whole = self.condition(&whole, w, w, out);
        self.whole_values = false;
        self.beside_numbers(&whole, w, out)
    }

    /// A name that no table and no action begins with.
    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| {
            let table = format!("decides_{name}");
            let action = format!("{name}_");
            self.tables.iter().any(|t| t.name == table)
                || self.actions.iter().any(|a| a.name.starts_with(&action))
        };
        let names = (2..).map(|n| format!("{name}_{n}"));
        std::iter::once(name.to_owned()).chain(names).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Runs the block of the way that is decided.
    fn ways(&mut self, d: &Decision, name: &str, ways: Vec<(String, Block)>, at: Loc) -> Block {
        if let Some(always) = d.always() {
            return ways.into_iter().nth(always).map_or_else(Block::new, |(_, block)| block);
        }
        let name = &self.free_name(name);
        let first = self.actions.len() as u32;
        let ids: Vec<ActionId> = (first..).map(ActionId).take(ways.len()).collect();
        for (what, _) in &ways {
            let name = format!("{name}_{what}");
            self.actions.push(Action { name, params: Vec::new(), default_only: false, at });
        }
        self.tables.push(d.table(name, &ids, at));
        let table = TableId(self.tables.len() as u32 - 1);
        // Parts of a key are numbers.
        let key = d.keys.iter().map(|k| match k.ty {
            Type::Bool => Expr { kind: ExprKind::Cast(Box::new(k.clone())), ty: Type::Bits(1), at: k.at },
            Type::Bits(_) => k.clone(),
        });
        let arms = ids.into_iter().zip(ways);
        let arms = arms.map(|(action, (_, body))| Arm { action, body, at }).collect();
        vec![stmt(StmtKind::Apply { table, key: key.collect(), arms }, at)]
    }
}

/// Is it a comparison of two values, none of which is a number?
fn is_beside(e: &Expr) -> bool {
    let number = |e: &Expr| matches!(e.kind, ExprKind::Const(_));
    match &e.kind {
        ExprKind::Binary(BinOp::And | BinOp::Or, ..) => false,
        ExprKind::Binary(_, a, b) => !number(a) && !number(b),
        _ => false,
    }
}

/// The conditions of a chain of `else if`, and its blocks: the last one where none holds.
fn chained(s: &Stmt) -> (Vec<&Expr>, Vec<&Block>) {
    let (mut conditions, mut blocks) = (Vec::new(), Vec::new());
    let mut next = s;
    while let StmtKind::If { cond, then, otherwise } = &next.kind {
        conditions.push(cond);
        blocks.push(then);
        match &otherwise[..] {
            [s] if matches!(s.kind, StmtKind::If { .. }) => next = s,
            _ => {
                blocks.push(otherwise);
                break;
            }
        }
    }
    (conditions, blocks)
}

/// Can a table's action do it? It copies values, and may drop the packet or pass it.
pub(crate) fn is_set(block: &[Stmt]) -> bool {
    let set = |s: &Stmt| match &s.kind {
        StmtKind::Set { place: Place::Var(_), value } => matches!(
            value.kind,
            ExprKind::Const(_) | ExprKind::Bool(_) | ExprKind::Var(_) | ExprKind::Field(..)
        ),
        StmtKind::Verdict(Verdict::Drop(_) | Verdict::Pass) => true,
        _ => false,
    };
    block.iter().all(set)
}

/// Takes away the tables of decisions that nobody asks for, and numbers the others anew behind the pipeline's own.
pub(super) fn tidy(out: &mut Pipeline, declared: &Pipeline) {
    let (tables, actions) = (declared.tables.len(), declared.actions.len());
    while drop_unread(out) || drop_idle(&mut out.control, tables) {}
    let mut asked = BTreeSet::new();
    walk(&out.control, &mut |s| {
        if let StmtKind::Apply { table, .. } = &s.kind {
            asked.insert(*table);
        }
    });
    let own = out.tables.split_off(tables);
    let all = out.actions.split_off(actions);
    let (mut table_now, mut action_now) = (BTreeMap::new(), BTreeMap::new());
    for (table, i) in own.into_iter().zip(tables as u32..) {
        if !asked.contains(&TableId(i)) {
            continue;
        }
        table_now.insert(TableId(i), TableId(out.tables.len() as u32));
        for a in &table.actions {
            action_now.insert(*a, ActionId(out.actions.len() as u32));
            out.actions.push(all[a.index() - actions].clone());
        }
        out.tables.push(table);
    }
    let action = |a: &mut ActionId| *a = action_now.get(a).copied().unwrap_or(*a);
    for t in out.tables.iter_mut().skip(tables) {
        t.actions.iter_mut().for_each(action);
        t.const_entries.iter_mut().for_each(|e| action(&mut e.action));
        action(&mut t.default);
    }
    replace(&mut out.control, &mut |s| {
        if let StmtKind::Apply { table, arms, .. } = &mut s.kind {
            *table = table_now.get(table).copied().unwrap_or(*table);
            arms.iter_mut().for_each(|a| action(&mut a.action));
        }
        None
    });
}

/// Takes away decisions that nothing follows from.
fn drop_idle(control: &mut Block, declared: usize) -> bool {
    let mut some = false;
    replace(control, &mut |s| match &s.kind {
        StmtKind::Apply { table, arms, .. }
            if table.index() >= declared && arms.iter().all(|a| a.body.is_empty()) =>
        {
            some = true;
            Some(Block::new())
        }
        _ => None,
    });
    some
}
