//! Statements.

use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::stmt::{Arm, HashAlgorithm, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{CounterId, CounterKind, HeaderId, LimiterId, Loc, RingId, TableId, VarId};

use super::layout::{self, limbs};
use super::value::{Operand, Value};
use super::{HOST_PORT, Spec, tables};
use crate::p4::worlds::{self, Known, Worlds};
use Operand::{Imm, Place as At};

impl Spec<'_> {
    /// Statements in order.
    pub(super) fn block(&mut self, block: &[Stmt], w: &Worlds) {
        let mut w = w.clone();
        let mut rest = block;
        while let Some((stmt, after)) = rest.split_first() {
            let mark = self.regs.mark();
            let taken = match stmt.kind {
                StmtKind::Push(h) => self.push(h, after, &w),
                _ => {
                    self.stmt(stmt, &w);
                    0
                }
            };
            self.regs.release(mark);
            w = worlds::after(std::slice::from_ref(stmt), &w);
            rest = after.get(taken..).unwrap_or_default();
        }
    }

    fn note(&mut self, at: Loc, what: &str) {
        if at.line > 0 {
            self.asm.comment(format!("{}:{} {what}", self.p.file, at.line));
        }
    }

    fn stmt(&mut self, stmt: &Stmt, w: &Worlds) {
        match &stmt.kind {
            StmtKind::Set { place: Place::Var(v), value } if !reads(value, *v) => {
                let to = self.var(*v);
                self.value_to(&to, value, w);
            }
            StmtKind::Set { place, value } => {
                let value = self.value(value, w);
                self.set(*place, &value, w);
            }
            StmtKind::Push(h) => {
                self.push(*h, &[], w);
            }
            StmtKind::Pop(h) => {
                let name = self.header(*h);
                self.asm.op(format!("invalidate h.{name}"));
            }
            StmtKind::If { cond, then, otherwise } => self.condition(cond, then, otherwise, w),
            StmtKind::Apply { table, key, arms } => {
                let name = self.p.tables[table.index()].name.clone();
                self.note(stmt.at, &name);
                let key: Vec<Value> = key.iter().map(|e| self.value(e, w)).collect();
                self.lookup(*table, &key);
                self.arms(*table, arms, w);
            }
            StmtKind::Hash { into, algorithm, key, data } => self.hash(*into, *algorithm, key, data, w),
            StmtKind::Checksum { place, data } => self.checksum(*place, data, w),
            StmtKind::Adjust { place, old, new } => self.adjust(*place, old, new, w),
            StmtKind::Count { counter, index } => self.count(*counter, index, w),
            StmtKind::Limit { limiter, into } => self.limit(*limiter, *into, w),
            StmtKind::Find { cursor, table, key, hash: _, event, class } => {
                let name = self.p.flow_tables[table.index()].name.clone();
                self.note(stmt.at, &format!("find in {name}"));
                self.find(*cursor, *table, key, (event, class), w);
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                self.note(stmt.at, "stay or move");
                self.stay((*cursor, *id), select, (*table, arms), w);
            }
            StmtKind::Remember { cursor, id } => {
                self.note(stmt.at, "remember");
                self.remember(*cursor, *id, w);
            }
            StmtKind::Select { ring, pool, hash, into } => {
                self.note(stmt.at, "select");
                self.select(*ring, pool, hash, *into, w);
            }
            StmtKind::Truncate { bytes } => self.asm.op(format!("mov h.preamble.most {bytes}")),
            StmtKind::Verdict(verdict) => self.verdict(verdict, w),
        }
    }

    fn condition(&mut self, cond: &Expr, then: &[Stmt], otherwise: &[Stmt], w: &Worlds) {
        let (no, end) = (self.asm.label("else"), self.asm.label("end"));
        let mark = self.regs.mark();
        self.jump_if(cond, false, no, w);
        self.regs.release(mark);
        self.block(then, &w.assume(cond, true));
        if !otherwise.is_empty() {
            self.asm.jump("jmp", end, "");
        }
        self.asm.place(no);
        self.block(otherwise, &w.assume(cond, false));
        self.asm.place(end);
    }

    /// Makes a header valid; if the statements behind set all of its fields, those too. How many of them were taken.
    fn push(&mut self, h: HeaderId, after: &[Stmt], w: &Worlds) -> usize {
        let name = self.header(h);
        let fields = self.p.header_type(h).fields.len();
        if let Some(values) = after.get(..fields).and_then(|sets| all_fields(h, sets)) {
            let inside = w.set(h, true);
            let widths: Vec<u32> = self.p.header_type(h).fields.iter().map(|f| u32::from(f.width)).collect();
            let values: Vec<(Value, u32)> =
                values.into_iter().zip(widths).map(|(e, width)| (self.value(e, &inside), width)).collect();
            self.asm.op(format!("validate h.{name}"));
            self.fill(h, &values);
            return fields;
        }
        let end = self.asm.label("there");
        match w.header(h) {
            Known::Valid => return 0,
            Known::Invalid => {}
            Known::Maybe => self.asm.jump("jmpv", end, format!("h.{name}")),
        }
        self.asm.op(format!("validate h.{name}"));
        for cell in 0..self.cells(h).len() {
            let cell = self.cell(h, cell);
            self.mov(&cell, &Imm(0));
        }
        self.asm.place(end);
        0
    }

    /// Writes all cells of a header from the values of its fields, in order.
    fn fill(&mut self, h: HeaderId, values: &[(Value, u32)]) {
        let cells = self.cells(h).to_vec();
        let mut at = 0;
        let mut parts: Vec<Value> = vec![Value::number(0); cells.len()];
        for (value, width) in values {
            let mut left = *width;
            for part in layout::parts(&cells, at, *width) {
                left -= part.bits;
                let piece = if part.bits == *width {
                    value.clone()
                } else {
                    self.slice(value, left + part.bits - 1, left)
                };
                let so_far = parts[part.cell].clone();
                parts[part.cell] = self.concat(&so_far, &piece, part.bits);
            }
            at += width;
        }
        for (i, value) in parts.iter().enumerate() {
            let cell = self.cell(h, i);
            self.mov(&cell, &value.lo);
        }
    }

    /// Looks a key up; the table's action has run when it ends.
    pub(super) fn lookup(&mut self, table: TableId, key: &[Value]) {
        let t = &self.p.tables[table.index()];
        let header = tables::key(&t.name);
        let fields: Vec<(String, u32)> =
            t.keys.iter().map(|k| (k.name.clone(), u32::from(k.width))).collect();
        self.key(&header, &fields, key);
        self.asm.op(format!("table {}", t.name));
    }

    /// Writes a key's fields.
    pub(super) fn key(&mut self, header: &str, fields: &[(String, u32)], key: &[Value]) {
        for ((name, width), value) in fields.iter().zip(key) {
            for ((name, bits), part) in limbs(name, *width).into_iter().zip(value.limbs(*width)) {
                let to = self.scratch(header, &name, bits);
                self.mov(&to, &part);
            }
        }
    }

    /// What runs for the action that the last lookup has chosen.
    pub(super) fn arms(&mut self, table: TableId, arms: &[Arm], w: &Worlds) {
        let name = self.p.tables[table.index()].name.clone();
        let end = self.asm.label("end");
        let Some((first, others)) = arms.split_first() else { return };
        let action = |s: &Self, arm: &Arm| s.p.actions[arm.action.index()].name.clone();
        let mut labels = Vec::new();
        for arm in others {
            let own = action(self, arm);
            let label = if arm.body.is_empty() { end } else { self.asm.label(&own) };
            self.asm.jump("jmpa", label, tables::action(&name, &own));
            labels.push(label);
        }
        self.block(&first.body, w);
        for (arm, label) in others.iter().zip(labels).filter(|(arm, _)| !arm.body.is_empty()) {
            self.asm.jump("jmp", end, "");
            self.asm.place(label);
            self.block(&arm.body, w);
        }
        self.asm.place(end);
    }

    fn count(&mut self, counter: CounterId, index: &Expr, w: &Worlds) {
        let c = &self.p.counters[counter.index()];
        let end = self.asm.label("uncounted");
        let cell = self.value(index, w);
        if index.most() >= u128::from(c.size) {
            let last = Value::number(u128::from(c.size.max(1)) - 1);
            self.compare(BinOp::Gt, true, (&cell, &last), u32::from(index.ty.width()), end);
        }
        let cell = self.in_place(&cell.lo);
        if c.kind != CounterKind::Bytes {
            self.asm.op(format!("regadd {}_packets {cell} 1", c.name));
        }
        if c.kind != CounterKind::Packets {
            self.asm.op(format!("regadd {}_bytes {cell} m.frame_length", c.name));
        }
        self.asm.place(end);
    }

    /// Counts one in the only cell of a counter. A number for the cell would count in the first array that there is: SWX
    /// forgets which one was named.
    pub(super) fn tally(&mut self, name: &str) {
        self.asm.op(format!("regadd {name} m.zero 1"));
    }

    fn limit(&mut self, limiter: LimiterId, into: VarId, w: &Worlds) {
        let l = &self.p.limiters[limiter.index()];
        let (name, most) = (l.name.clone(), u64::from(l.per_tick));
        let (word, then) = (self.temp(64), self.temp(64));
        let (same, no, end) = (self.asm.label("same_tick"), self.asm.label("no"), self.asm.label("end"));
        self.asm.op(format!("regrd {word} {name}_limiter m.zero"));
        self.mov(&then, &word);
        self.alu("shr", &then, &Imm(32));
        self.asm.jump("jmpeq", same, format!("{then} h.preamble.tick"));
        self.mov(&word, &At("h.preamble.tick".into(), 32));
        self.alu("shl", &word, &Imm(32));
        self.asm.place(same);
        self.mov(&then, &word);
        self.alu("and", &then, &Imm(u64::from(u32::MAX)));
        let past = Value::number(u128::from(most));
        self.compare(BinOp::Lt, false, (&Value::of(then), &past), 64, no);
        self.alu("add", &word, &Imm(1));
        self.asm.op(format!("regwr {name}_limiter m.zero {word}"));
        self.set(Place::Var(into), &Value::number(1), w);
        self.asm.jump("jmp", end, "");
        self.asm.place(no);
        self.set(Place::Var(into), &Value::number(0), w);
        self.asm.place(end);
    }

    fn select(&mut self, ring: RingId, pool: &Expr, hash: &Expr, into: VarId, w: &Worlds) {
        let r = &self.p.rings[ring.index()];
        let (name, pool_table, slots) = (r.name.clone(), r.pool_table.clone(), r.slots);
        let (no_pool, no_slot) = (Verdict::Drop(r.no_pool), Verdict::Drop(r.no_slot));
        let (pool_bits, id_bits) = (u32::from(r.pool_width), u32::from(r.id_width));
        let (known, none, end) =
            (self.asm.label("pool"), self.asm.label("no_slot"), self.asm.label("selected"));
        let pool = self.value(pool, w);
        let field = [(pipeline_ir::entry::ring_names::POOL.to_owned(), pool_bits)];
        self.key(&tables::key(&pool_table), &field, std::slice::from_ref(&pool));
        self.asm.op(format!("table {pool_table}"));
        self.asm.jump("jmph", known, "");
        self.verdict(&no_pool, w);
        self.asm.place(known);
        let hash = self.value(hash, w);
        let slot = self.remainder(&hash.lo, slots);
        let (cell, part, word) = (self.temp(32), self.temp(32), self.temp(64));
        self.mov(&cell, &pool.lo);
        self.alu("shl", &cell, &Imm(1));
        self.mov(&part, &At("m.generation".into(), 8));
        self.alu("and", &part, &Imm(1));
        self.alu("or", &cell, &part);
        self.alu("shl", &cell, &Imm(u64::from(tables::slot_bits(slots))));
        self.alu("or", &cell, &slot);
        self.asm.op(format!("regrd {word} {name} {cell}"));
        let id = self.low(&Value::of(word.clone()), id_bits);
        self.compare(BinOp::Eq, true, (&id, &Value::number(0)), 32, none);
        self.alu("shr", &word, &Imm(32));
        self.set(Place::Var(into), &id, w);
        self.asm.jump("jmpeq", end, format!("{word} m.generation"));
        self.asm.place(none);
        self.verdict(&no_slot, w);
        self.asm.place(end);
    }

    /// `hash % slots`.
    fn remainder(&mut self, hash: &Operand, slots: u32) -> Operand {
        if slots.is_power_of_two() {
            return self.logic("and", hash, &Imm(u64::from(slots) - 1), 32);
        }
        let rest = self.temp(32);
        let multiples = if slots == 65_537 {
            // 2^16 is -1 there: the low half less the high half.
            let high = self.shift_part("shr", hash, 16);
            self.mov(&rest, hash);
            self.alu("and", &rest, &Imm(0xffff));
            self.alu("add", &rest, &Imm(u64::from(slots)));
            self.alu("sub", &rest, &high);
            1
        } else {
            self.mov(&rest, hash);
            slots.leading_zeros() + 1
        };
        for shift in (0..multiples).rev() {
            let multiple = slots << shift;
            let less = self.asm.label("less");
            self.asm.jump("jmplt", less, format!("{rest} {}", Imm(u64::from(multiple))));
            self.alu("sub", &rest, &Imm(u64::from(multiple)));
            self.asm.place(less);
        }
        rest
    }

    pub(super) fn verdict(&mut self, verdict: &Verdict, w: &Worlds) {
        let Some(ends) = self.ends else { return };
        match verdict {
            Verdict::Forward(port) => {
                let port = self.value(port, w);
                let out = self.own("out_port");
                self.mov(&out, &port.lo);
                self.asm.jump("jmp", ends.send, "");
            }
            Verdict::Pass => {
                self.asm.op(format!("mov m.out_port {HOST_PORT}"));
                self.asm.jump("jmp", ends.send, "");
            }
            Verdict::Drop(reason) => {
                let name = format!("drop_{}", self.p.reasons[reason.index()].name);
                self.tally(&name);
                self.asm.jump("jmp", ends.drop, "");
            }
        }
    }

    fn hash(&mut self, into: VarId, algorithm: HashAlgorithm, key: &Expr, data: &[Expr], w: &Worlds) {
        let (function, key_bits) = match algorithm {
            HashAlgorithm::Crc32 => ("guideway_crc32", 32),
            HashAlgorithm::HalfSipHash => ("guideway_halfsiphash", 64),
        };
        let key = self.value(key, w);
        let key = self.low(&key, key_bits);
        let mut all = vec![(key, key_bits)];
        for e in data {
            all.push((self.value(e, w), u32::from(e.ty.width())));
        }
        let fields = self.bytes(all);
        let widths: Vec<u32> = fields.iter().map(|(_, width)| *width).collect();
        let header = self.hashed(widths);
        let (mut first, mut last) = (String::new(), String::new());
        for (i, (value, width)) in fields.iter().enumerate() {
            for ((name, bits), part) in
                limbs(&format!("part{i}"), *width).into_iter().zip(value.limbs(*width))
            {
                let to = self.scratch(&header, &name, bits);
                self.mov(&to, &part);
                last = to.to_string();
                if first.is_empty() {
                    first.clone_from(&last);
                }
            }
        }
        self.asm.op(format!("hash {function} m.hash {first} {last}"));
        let hash = self.own("hash");
        self.set(Place::Var(into), &Value::of(hash), w);
    }

    /// The header for what is hashed; one for each shape.
    fn hashed(&mut self, widths: Vec<u32>) -> String {
        let number = self.hashes.iter().position(|known| *known == widths).unwrap_or_else(|| {
            self.hashes.push(widths);
            self.hashes.len() - 1
        });
        format!("hashed__{number}")
    }

    /// Gives numbers whole bytes: what one lacks, the next one gives.
    fn bytes(&mut self, all: Vec<(Value, u32)>) -> Vec<(Value, u32)> {
        let mut out: Vec<(Value, u32)> = Vec::new();
        for (value, width) in all {
            let lacks = out.last().map_or(0, |(_, bits)| (8 - bits % 8) % 8).min(width);
            if let Some((before, bits)) = out.last_mut().filter(|_| lacks > 0) {
                let piece = self.slice(&value, width - 1, width - lacks);
                *before = self.concat(&before.clone(), &piece, lacks);
                *bits += lacks;
            }
            if width > lacks {
                out.push((self.low(&value, width - lacks), width - lacks));
            }
        }
        out
    }
}

/// The values of statements that set all fields of a header in order and read none of them.
fn all_fields(h: HeaderId, sets: &[Stmt]) -> Option<Vec<&Expr>> {
    let value = |(i, stmt): (usize, &'_ Stmt)| -> bool {
        match &stmt.kind {
            StmtKind::Set { place: Place::Field(of, f), value } => {
                let reads =
                    |e: &Expr| matches!(e.kind, ExprKind::Field(of, _) | ExprKind::Valid(of) if of == h);
                *of == h && f.index() == i && !value.any(reads)
            }
            _ => false,
        }
    };
    let all = sets.iter().enumerate().all(value);
    let values = sets.iter().filter_map(|s| match &s.kind {
        StmtKind::Set { value, .. } => Some(value),
        _ => None,
    });
    (all && !sets.is_empty()).then(|| values.collect())
}

/// Does an expression read a variable?
fn reads(e: &Expr, v: VarId) -> bool {
    e.any(|e| e.kind == ExprKind::Var(v))
}
