//! Flow tables: a learner finds the key, a word in a regarray says what is known of the flow.
//!
//! `find` only looks. `remember` looks again with leave to write: what is there is rearmed, what is not is learned, and a
//! last look tells whether there was room. SWX holds up to 16 packets at once and turns to another one at each lookup:
//! so a word is written only if it is what the packet had read, and the loser skips its write.

use std::collections::BTreeSet;

use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::flow::{TICK_BITS, state, ticks};
use pipeline_ir::stmt::{Arm, Block, Place, event};
use pipeline_ir::{CursorId, FlowTableId, TableId, VarId};

use super::asm::Label;
use super::value::{Operand, Value, ones};
use super::{Spec, tables};
use crate::p4::worlds::{self, Worlds};
use Operand::{Imm, Place as At};

/// Where the parts of a flow's word begin.
const ID: u32 = 40;
const STATE: u32 = 37;
const CLASS: u32 = 35;
const LIMIT: u32 = 18;
/// Bits of a time-out.
const LIMIT_BITS: u32 = 17;

impl Spec<'_> {
    /// A mark of a cursor.
    fn cursor(&mut self, c: CursorId, what: &str) -> Operand {
        let bits = match what {
            "word" => 64,
            _ => 8,
        };
        At(self.regs.get(&format!("flow{}_{what}", c.0), bits), bits)
    }

    /// Is nothing under way on some path here? Then its marks start as 0.
    fn may_be_idle(&mut self, c: CursorId, w: &Worlds, what: &str) {
        if w.cursor(self.p, c).contains(&None) {
            self.cursor(c, what);
            self.idle.insert(format!("flow{}_{what}", c.0), 8);
        }
    }

    fn jump(&mut self, op: BinOp, a: &Operand, n: u64, to: Label) {
        self.compare(op, true, (&Value::of(a.clone()), &Value::number(u128::from(n))), 64, to);
    }

    /// `find`.
    pub(super) fn find(
        &mut self,
        c: CursorId,
        t: FlowTableId,
        key: &[Expr],
        (event, class): (&Expr, &Expr),
        w: &Worlds,
    ) {
        let table = &self.p.flow_tables[t.index()];
        let name = table.name.clone();
        let fields: Vec<(String, u32)> =
            table.keys.iter().map(|k| (k.name.clone(), u32::from(k.width))).collect();
        let last = (table.idle.len().clamp(1, 4) - 1) as u64;
        let key: Vec<Value> = key.iter().map(|e| self.value(e, w)).collect();
        self.key(&tables::key(&name), &fields, &key);
        let places = ["event", "class", "table", "hit", "word"].map(|what| self.cursor(c, what));
        let [own_event, own_class, own_table, hit, word] = places;
        let event = self.value(event, w);
        self.mov(&own_event, &event.lo);
        self.class(&own_class, class, last, w);
        self.mov(&own_table, &Imm(u64::from(t.0) + 1));
        self.mov(&hit, &Imm(0));
        self.mov(&word, &Imm(0));
        self.asm.op("mov m.flow_write 0");
        self.asm.op("mov m.now h.preamble.tick");
        self.alu("and", &At("m.now".into(), 32), &Imm(ones(u32::from(TICK_BITS))));
        let end = self.asm.label("found");
        self.asm.op(format!("table {name}"));
        self.asm.jump("jmpnh", end, "");
        self.asm.op("entryid m.flow_entry");
        self.asm.op(format!("regrd {word} {name}_flows m.flow_entry"));
        self.live(&own_event, &word, &hit, end);
        self.asm.place(end);
    }

    /// The time-out class; beyond the last it is the last.
    fn class(&mut self, to: &Operand, class: &Expr, last: u64, w: &Worlds) {
        match class.kind {
            ExprKind::Const(n) => self.mov(to, &Imm(n.min(u128::from(last)) as u64)),
            _ if last == 0 => self.mov(to, &Imm(0)),
            _ => {
                let class = self.value(class, w);
                self.mov(to, &class.lo);
                if last < 3 {
                    let end = self.asm.label("class");
                    self.compare(
                        BinOp::Gt,
                        false,
                        (&Value::of(to.clone()), &Value::number(u128::from(last))),
                        8,
                        end,
                    );
                    self.mov(to, &Imm(last));
                    self.asm.place(end);
                }
            }
        }
    }

    /// Sets `hit` if the word is that of a flow that has not expired, and is not met by `OPEN` while it closes.
    fn live(&mut self, own_event: &Operand, word: &Operand, hit: &Operand, end: Label) {
        let (age, limit) = (self.temp(64), self.temp(64));
        self.mov(&age, &At("m.now".into(), 32));
        self.alu("add", &age, &Imm(1));
        self.alu("sub", &age, word);
        self.alu("and", &age, &Imm(ones(u32::from(TICK_BITS))));
        self.mov(&limit, word);
        self.alu("shr", &limit, &Imm(u64::from(LIMIT)));
        self.alu("and", &limit, &Imm(ones(LIMIT_BITS)));
        self.asm.jump("jmpgt", end, format!("{age} {limit}"));
        let live = self.asm.label("live");
        self.jump(BinOp::Ne, own_event, event::OPEN as u64, live);
        let is = self.state_of(word);
        self.jump(BinOp::Eq, &is, u64::from(state::CLOSING), end);
        self.asm.place(live);
        self.mov(hit, &Imm(1));
    }

    fn state_of(&mut self, word: &Operand) -> Operand {
        let value = Value::of(word.clone());
        self.slice(&value, STATE + 2, STATE).lo
    }

    /// `stay`.
    pub(super) fn stay(
        &mut self,
        (c, id): (CursorId, VarId),
        select: &Block,
        (table, arms): (TableId, &[Arm]),
        w: &Worlds,
    ) {
        let flows = w.cursor(self.p, c).into_iter().any(|t| t.is_some());
        let (moves, ask) = (self.asm.label("moves"), self.asm.label("arms"));
        if flows {
            self.may_be_idle(c, w, "hit");
            let [hit, word] = ["hit", "word"].map(|what| self.cursor(c, what));
            self.jump(BinOp::Eq, &hit, 0, moves);
            let known = self.shift_part("shr", &word, ID);
            let width = u32::from(self.p.var(id).ty.width());
            let known = self.low(&Value::of(known), width);
            self.set(Place::Var(id), &known, w);
            let key = self.var(id);
            self.lookup(table, &[key]);
            let t = &self.p.tables[table.index()];
            let default = self.p.actions[t.default.index()].name.clone();
            self.asm.jump("jmpna", ask, tables::action(&t.name, &default));
            self.mov(&hit, &Imm(0));
            self.asm.place(moves);
        }
        self.block(select, w);
        let key = self.var(id);
        self.lookup(table, &[key]);
        self.asm.place(ask);
        self.arms(table, arms, &w.clone().or(worlds::after(select, w)));
    }

    /// `remember`.
    pub(super) fn remember(&mut self, c: CursorId, id: VarId, w: &Worlds) {
        let tables: BTreeSet<FlowTableId> = w.cursor(self.p, c).into_iter().flatten().collect();
        let end = self.asm.label("remembered");
        self.may_be_idle(c, w, "table");
        let which = self.cursor(c, "table");
        let several = tables.len() > 1 || w.cursor(self.p, c).contains(&None);
        for t in tables {
            let next = self.asm.label("next");
            if several {
                self.jump(BinOp::Ne, &which, u64::from(t.0) + 1, next);
            }
            self.remember_in(t, c, id, end);
            self.asm.jump("jmp", end, "");
            self.asm.place(next);
        }
        self.asm.place(end);
    }

    fn remember_in(&mut self, t: FlowTableId, c: CursorId, id: VarId, end: Label) {
        let [hit, own_event, class, word] =
            ["hit", "event", "class", "word"].map(|what| self.cursor(c, what));
        let moves = self.asm.label("moves");
        self.jump(BinOp::Eq, &hit, 0, moves);
        self.unchanged((&own_event, &class, &word), end);
        let now = self.state_of(&word);
        let now = self.copy(&now, 8);
        self.next_state(&own_event, &now, end);
        self.new_word(t, id, &now, &class);
        self.asm.jump("jmpeq", end, format!("m.flow_word {word}"));
        self.store(t, &word, None, end);
        self.asm.jump("jmp", end, "");

        self.asm.place(moves);
        self.jump(BinOp::Lt, &own_event, event::OPEN as u64, end);
        self.jump(BinOp::Gt, &own_event, event::DATAGRAM as u64, end);
        let new = self.temp(8);
        self.mov(&new, &Imm(u64::from(state::NEW)));
        self.new_word(t, id, &new, &class);
        self.store(t, &word, Some("stored"), end);
    }

    /// The most frequent case: heard in this tick already, established, of the same class. There is nothing to write.
    fn unchanged(&mut self, (own_event, class, word): (&Operand, &Operand, &Operand), end: Label) {
        let changed = self.asm.label("changed");
        let part = self.copy(word, 64);
        self.alu("xor", &part, &At("m.now".into(), 32));
        self.alu("and", &part, &Imm(ones(u32::from(TICK_BITS))));
        self.jump(BinOp::Ne, &part, 0, changed);
        self.jump(BinOp::Eq, own_event, event::CLOSE as u64, changed);
        self.mov(&part, word);
        self.alu("shr", &part, &Imm(u64::from(CLASS)));
        self.alu("and", &part, &Imm(ones(STATE + 3 - CLASS)));
        self.jump(BinOp::Lt, &part, u64::from(state::TCP) << (STATE - CLASS), changed);
        self.alu("and", &part, &Imm(ones(STATE - CLASS)));
        self.asm.jump("jmpeq", end, format!("{part} {class}"));
        self.asm.place(changed);
    }

    /// The state of a flow that stays, after the event; nothing happens at others.
    fn next_state(&mut self, own_event: &Operand, now: &Operand, end: Label) {
        let [is_new, close, closing, done] =
            ["stays_new", "close", "closing", "state"].map(|hint| self.asm.label(hint));
        self.jump(BinOp::Eq, own_event, event::PEEK as u64, end);
        self.jump(BinOp::Gt, own_event, event::CLOSE as u64, end);
        self.jump(BinOp::Eq, own_event, event::CLOSE as u64, close);
        self.jump(BinOp::Eq, own_event, event::OPEN as u64, done);
        self.jump(BinOp::Eq, now, u64::from(state::NEW), is_new);
        self.asm.jump("jmp", done, "");
        self.asm.place(is_new);
        self.mov(now, &Imm(u64::from(state::TCP)));
        self.jump(BinOp::Eq, own_event, event::DATA as u64, done);
        self.mov(now, &Imm(u64::from(state::UDP)));
        self.asm.jump("jmp", done, "");
        self.asm.place(close);
        self.asm.place(closing);
        self.mov(now, &Imm(u64::from(state::CLOSING)));
        self.asm.place(done);
    }

    /// `m.flow_word`, and the learner's time-out.
    fn new_word(&mut self, t: FlowTableId, id: VarId, now: &Operand, class: &Operand) {
        let word = self.own("flow_word");
        let part = self.temp(64);
        let id = self.var(id);
        self.mov(&word, &id.lo);
        for (value, bits) in [(now, 3), (class, 2)] {
            self.alu("shl", &word, &Imm(bits));
            self.mov(&part, value);
            self.alu("or", &word, &part);
        }
        self.alu("shl", &word, &Imm(u64::from(LIMIT_BITS)));
        self.limit_of(t, now, class, &part);
        self.alu("or", &word, &part);
        self.alu("shl", &word, &Imm(u64::from(LIMIT)));
        self.mov(&part, &At("m.now".into(), 32));
        self.alu("or", &word, &part);
    }

    /// The time-out of a state in a class, in ticks, and its number among the learner's.
    fn limit_of(&mut self, t: FlowTableId, now: &Operand, class: &Operand, to: &Operand) {
        let table = &self.p.flow_tables[t.index()];
        let tick_ns = self.fitted.target().tick_ns;
        let classes = table.idle.len().clamp(1, 4);
        let limit = |class: usize, of: u8| u64::from(ticks(table.idle_ms(class as u8, of), tick_ns));
        let limits: Vec<Vec<u64>> =
            (0..classes).map(|class| STATES.iter().map(|of| limit(class, *of)).collect()).collect();
        let number = At(self.regs.get("flow_timeout", 8), 8);
        self.mov(&number, class);
        self.alu("shl", &number, &Imm(2));
        self.alu("add", &number, now);
        self.alu("sub", &number, &Imm(1));
        let done = self.asm.label("limit");
        let all: Vec<u64> = limits.concat();
        for (i, limit) in all.iter().enumerate() {
            self.mov(to, &Imm((*limit).min(ones(LIMIT_BITS))));
            if i + 1 < all.len() {
                self.jump(BinOp::Eq, &number, i as u64, done);
            }
        }
        self.asm.place(done);
    }

    /// Looks up with leave to write, and writes the word where the flow is. A flow that is stored is counted.
    fn store(&mut self, t: FlowTableId, was: &Operand, counter: Option<&str>, end: Label) {
        let name = self.p.flow_tables[t.index()].name.clone();
        let there = self.asm.label("there");
        self.asm.op("mov m.flow_write 1");
        self.asm.op(format!("table {name}"));
        self.asm.op("mov m.flow_write 0");
        self.asm.jump("jmph", there, "");
        // It has been learned, if there was room.
        self.asm.op(format!("table {name}"));
        let none = self.asm.label("no_room");
        self.asm.jump("jmpnh", none, "");
        self.asm.op("entryid m.flow_entry");
        let stored = self.asm.label("store");
        self.asm.jump("jmp", stored, "");
        self.asm.place(there);
        self.asm.op("entryid m.flow_entry");
        if counter.is_none() {
            let now = self.temp(64);
            self.asm.op(format!("regrd {now} {name}_flows m.flow_entry"));
            self.asm.jump("jmpneq", end, format!("{now} {was}"));
        }
        self.asm.place(stored);
        self.asm.op(format!("regwr {name}_flows m.flow_entry m.flow_word"));
        if let Some(counter) = counter {
            self.tally(&format!("{name}_{counter}"));
        }
        self.asm.jump("jmp", end, "");
        self.asm.place(none);
        if counter.is_some() {
            self.tally(&format!("{name}_not_stored"));
        }
    }
}

/// In the order of the learner's time-outs.
pub(super) const STATES: [u8; 4] = [state::NEW, state::TCP, state::UDP, state::CLOSING];
