//! One packet's way through parser and control.

use std::sync::Arc;

use super::expr::Scope;
use super::flows::{Flow, Remembered};
use super::packet::{Bits, Packet, bits, number};
use super::rings::Selected;
use super::{Limited, Oracle, Outcome, TraceStep, Verdict, hash};
use crate::expr::Expr;
use crate::flow::TICK_BITS;
use crate::stmt::{self, Arm, HashAlgorithm, Place, Stmt, StmtKind};
use crate::{
    CounterId, LimiterId, ParserOp, Pattern, Pipeline, ReasonId, RingId, State, StateId, TableId, Transition,
    VarId,
};

struct Run<'a> {
    oracle: &'a mut Oracle,
    pipeline: Arc<Pipeline>,
    packet: Packet,
    vars: Vec<u128>,
    /// By cursor; none: idle.
    flows: Vec<Option<Flow>>,
    port: u32,
    now: u32,
    trace: Vec<TraceStep>,
}

/// A block's end: none, and the next statement runs; else the packet's way is at its end.
type End = Option<Verdict>;

pub(super) fn run(oracle: &mut Oracle, port: u32, now: u32, frame: &[u8]) -> Outcome {
    let pipeline = Arc::clone(&oracle.pipeline);
    let mut run = Run {
        packet: Packet::new(&pipeline, frame),
        vars: vec![0; pipeline.vars.len()],
        flows: vec![None; pipeline.cursors.len()],
        port,
        now: now & ((1 << TICK_BITS) - 1),
        trace: Vec::new(),
        oracle,
        pipeline: Arc::clone(&pipeline),
    };
    run.parse(&pipeline);
    // `verify` has shown that every path ends in a verdict.
    let verdict = run.block(&pipeline.control).unwrap_or(Verdict::Pass);
    let bytes = if matches!(verdict, Verdict::Drop(_)) { Vec::new() } else { run.packet.deparse() };
    let text = match &verdict {
        Verdict::Forward { port } => format!("forward {port}"),
        Verdict::Pass => "pass".to_owned(),
        Verdict::Drop(reason) => format!("drop {reason}"),
    };
    run.trace.push(TraceStep::Verdict { text });
    Outcome { verdict, bytes, trace: run.trace }
}

impl Run<'_> {
    fn value(&self, e: &Expr) -> u128 {
        let (pipeline, packet) = (&*self.pipeline, &self.packet);
        Scope { pipeline, packet, vars: &self.vars, port: self.port }.value(e)
    }

    fn values(&self, exprs: &[Expr]) -> Vec<u128> {
        exprs.iter().map(|e| self.value(e)).collect()
    }

    /// The values one after the other, in network order.
    fn bits(&self, exprs: &[Expr]) -> Bits {
        let mut all = Bits::new();
        for e in exprs {
            all.extend_from_bitslice(&bits(self.value(e), u32::from(e.ty.width())));
        }
        all
    }

    fn set_var(&mut self, var: VarId, value: u128) {
        self.vars[var.index()] = value & self.pipeline.var(var).ty.mask();
    }

    fn set(&mut self, place: Place, value: u128) {
        match place {
            Place::Var(var) => self.set_var(var, value),
            Place::Field(header, field) => self.packet.set_field(&self.pipeline, header, field, value),
        }
    }

    fn get(&self, place: Place) -> u128 {
        match place {
            Place::Var(var) => self.vars[var.index()],
            Place::Field(header, field) => self.packet.field(&self.pipeline, header, field),
        }
    }

    fn parse(&mut self, pipeline: &Pipeline) {
        let mut next = Some(pipeline.parser.start);
        // States form a DAG: no path is longer than their number.
        for _ in 0..pipeline.parser.states.len() {
            let Some(id) = next else { return };
            let state = &pipeline.parser.states[id.index()];
            self.trace.push(TraceStep::State { name: state.name.clone() });
            if !state.ops.iter().all(|op| self.parser_op(pipeline, op)) {
                return;
            }
            next = self.transition(state);
        }
    }

    /// False: the frame ends here, the parser stops.
    fn parser_op(&mut self, pipeline: &Pipeline, op: &ParserOp) -> bool {
        match op {
            ParserOp::Extract { header, .. } => {
                let name = pipeline.headers[header.index()].name.clone();
                let done = self.packet.extract(pipeline, *header);
                self.trace.push(match done {
                    true => TraceStep::Extracted { header: name },
                    false => TraceStep::Cut { wanted: name },
                });
                done
            }
            ParserOp::Lookahead { into, offset, .. } => {
                let width = u32::from(pipeline.var(*into).ty.width());
                match self.packet.lookahead(*offset, width) {
                    Some(value) => self.set_var(*into, value),
                    None => {
                        self.trace.push(TraceStep::Cut { wanted: pipeline.var(*into).name.clone() });
                        return false;
                    }
                }
                true
            }
            ParserOp::Set { var, value, .. } => {
                let value = self.value(value);
                self.set_var(*var, value);
                true
            }
        }
    }

    fn transition(&self, state: &State) -> Option<StateId> {
        match &state.next {
            Transition::Accept => None,
            Transition::To(to) => Some(*to),
            Transition::Select { on, cases, .. } => {
                let values = self.values(on);
                let fits = |patterns: &[Pattern]| patterns.iter().zip(&values).all(|(p, v)| covers(*p, *v));
                cases.iter().find(|c| fits(&c.patterns)).and_then(|c| c.to)
            }
        }
    }

    fn block(&mut self, block: &[Stmt]) -> End {
        block.iter().find_map(|stmt| self.stmt(&stmt.kind))
    }

    fn stmt(&mut self, kind: &StmtKind) -> End {
        match kind {
            StmtKind::If { cond, then, otherwise } => {
                return self.block(if self.value(cond) == 1 { then } else { otherwise });
            }
            StmtKind::Apply { table, key, arms } => return self.apply(*table, &self.values(key), arms),
            StmtKind::Stay { cursor, id, select, table, arms } => {
                return self.stay(cursor.index(), *id, select, *table, arms);
            }
            StmtKind::Select { ring, pool, hash, into } => return self.select(*ring, pool, hash, *into),
            StmtKind::Verdict(verdict) => return Some(self.verdict(verdict)),
            StmtKind::Set { place, value } => self.set(*place, self.value(value)),
            StmtKind::Push(header) => {
                self.packet.push(&self.pipeline, *header);
                let header = self.pipeline.headers[header.index()].name.clone();
                self.trace.push(TraceStep::Pushed { header });
            }
            StmtKind::Pop(header) => {
                self.packet.pop(*header);
                let header = self.pipeline.headers[header.index()].name.clone();
                self.trace.push(TraceStep::Popped { header });
            }
            StmtKind::Hash { into, algorithm, key, data } => self.hash(*into, *algorithm, key, data),
            StmtKind::Checksum { place, data } => {
                let words: Vec<u16> = self.bits(data).chunks(16).map(|w| number(w) as u16).collect();
                self.set(*place, u128::from(hash::internet_checksum(&words)));
            }
            StmtKind::Adjust { place, old, new } => {
                let (old, new) = (self.bits(std::slice::from_ref(old)), self.bits(std::slice::from_ref(new)));
                let mut sum = self.get(*place) as u16;
                for (old, new) in old.chunks(16).zip(new.chunks(16)) {
                    sum = hash::adjust(sum, number(old) as u16, number(new) as u16);
                }
                self.set(*place, u128::from(sum));
            }
            StmtKind::Count { counter, index } => self.count(*counter, index),
            StmtKind::Limit { limiter, into } => self.limit(*limiter, *into),
            StmtKind::Find { cursor, table, key, hash, event, class } => {
                let (key, hash) = (self.values(key), self.value(hash) as u32);
                let (event, class) = (self.value(event), self.value(class));
                let state = &self.oracle.flows[table.index()];
                let flow = state.find(table.index(), key.clone(), hash, event, class, self.now);
                let declared = &self.pipeline.flow_tables[table.index()];
                let names = declared.keys.iter().map(|k| k.name.clone());
                self.trace.push(TraceStep::Found {
                    table: declared.name.clone(),
                    key: names.zip(key).collect(),
                    live: flow.live,
                });
                self.flows[cursor.index()] = Some(flow);
            }
            StmtKind::Remember { cursor, id } => self.remember(cursor.index(), *id),
            StmtKind::Truncate { bytes } => self.packet.limit = Some(*bytes),
        }
        None
    }

    fn hash(&mut self, into: VarId, algorithm: HashAlgorithm, key: &Expr, data: &[Expr]) {
        let data = self.bits(data).into_vec();
        let key = self.value(key) as u64;
        let value = match algorithm {
            HashAlgorithm::Crc32 => hash::crc32(&[&(key as u32).to_be_bytes()[..], &data].concat()),
            HashAlgorithm::HalfSipHash => hash::half_sip_hash(key, &data),
        };
        self.set_var(into, u128::from(value));
        self.trace.push(TraceStep::Hashed { into: self.pipeline.var(into).name.clone(), value });
    }

    fn count(&mut self, counter: CounterId, index: &Expr) {
        let declared = &self.pipeline.counters[counter.index()];
        let index = self.value(index);
        let inside = index < u128::from(declared.size);
        if inside {
            let cell = self.oracle.counters[counter.index()].entry(index as u32).or_default();
            cell.add(declared.kind, self.packet.frame_length());
        }
        self.trace.push(TraceStep::Counted { counter: declared.name.clone(), index, inside });
    }

    fn limit(&mut self, limiter: LimiterId, into: VarId) {
        let declared = &self.pipeline.limiters[limiter.index()];
        let (limiter_name, most) = (declared.name.clone(), u32::from(declared.per_tick));
        let limited = &mut self.oracle.limiters[limiter.index()];
        if limited.tick != self.now {
            *limited = Limited { tick: self.now, packets: 0 };
        }
        let allowed = limited.packets < most;
        limited.packets += u32::from(allowed);
        self.set_var(into, u128::from(allowed));
        self.trace.push(TraceStep::Limited { limiter: limiter_name, allowed });
    }

    fn apply(&mut self, table: TableId, key: &[u128], arms: &[Arm]) -> End {
        let declared = &self.pipeline.tables[table.index()];
        let params = self.pipeline.actions[declared.default.index()].params.len();
        let found = self.oracle.tables[table.index()].find(key, params);
        self.oracle.tables[table.index()].count(key, self.packet.frame_length());
        let action = &self.pipeline.actions[found.action.index()];
        let names = action.params.iter().map(|p| self.pipeline.var(*p).name.clone());
        let fields = declared.keys.iter().map(|k| k.name.clone());
        self.trace.push(TraceStep::Applied {
            table: declared.name.clone(),
            key: fields.zip(key.iter().copied()).collect(),
            hit: found.hit,
            action: action.name.clone(),
            data: names.zip(found.args.iter().copied()).collect(),
        });
        for (param, value) in action.params.clone().into_iter().zip(found.args) {
            self.set_var(param, value);
        }
        arms.iter().find(|arm| arm.action == found.action).and_then(|arm| self.block(&arm.body))
    }

    fn stay(&mut self, cursor: usize, id: VarId, select: &[Stmt], table: TableId, arms: &[Arm]) -> End {
        let live = self.flows[cursor].as_ref().and_then(|flow| flow.live);
        let stays = live.filter(|id| self.oracle.tables[table.index()].knows(&[u128::from(*id)]));
        if let Some(flow) = &mut self.flows[cursor] {
            flow.stays = stays.is_some();
        }
        match stays {
            Some(held) => {
                self.set_var(id, u128::from(held));
                self.trace.push(TraceStep::Stayed { id: held });
            }
            None => {
                let end = self.block(select);
                if end.is_some() {
                    return end;
                }
            }
        }
        self.apply(table, &[self.vars[id.index()]], arms)
    }

    fn remember(&mut self, cursor: usize, id: VarId) {
        let Some(flow) = &self.flows[cursor] else { return };
        let id = self.vars[id.index()] as u32;
        let done = self.oracle.flows[flow.table].remember(flow, id, self.now);
        let table = self.pipeline.flow_tables[flow.table].name.clone();
        match done {
            Remembered::Nothing => {}
            Remembered::Stored { bucket, way, state } => {
                self.trace.push(TraceStep::Stored { table, place: Some((bucket, way)), state });
            }
            Remembered::NotStored => self.trace.push(TraceStep::Stored { table, place: None, state: 0 }),
        }
    }

    fn select(&mut self, ring: RingId, pool: &Expr, hash: &Expr, into: VarId) -> End {
        let (pool, hash) = (self.value(pool), self.value(hash) as u32);
        let declared = &self.pipeline.rings[ring.index()];
        let (name, no_pool, no_slot) = (declared.name.clone(), declared.no_pool, declared.no_slot);
        let selected = self.oracle.rings[ring.index()].select(pool, hash);
        let (generation, slot, id) = match selected {
            Selected::NoPool => (None, None, None),
            Selected::NoSlot { generation, slot } => (Some(generation), Some(slot), None),
            Selected::Id { generation, slot, id } => (Some(generation), Some(slot), Some(id)),
        };
        self.trace.push(TraceStep::Selected { ring: name, pool, generation, slot, id });
        match selected {
            Selected::NoPool => Some(self.drop(no_pool)),
            Selected::NoSlot { .. } => Some(self.drop(no_slot)),
            Selected::Id { id, .. } => {
                self.set_var(into, u128::from(id));
                None
            }
        }
    }

    fn drop(&mut self, reason: ReasonId) -> Verdict {
        self.oracle.reasons[reason.index()] += 1;
        Verdict::Drop(self.pipeline.reasons[reason.index()].name.clone())
    }

    fn verdict(&mut self, verdict: &stmt::Verdict) -> Verdict {
        match verdict {
            stmt::Verdict::Forward(port) => Verdict::Forward { port: self.value(port) as u32 },
            stmt::Verdict::Pass => Verdict::Pass,
            stmt::Verdict::Drop(reason) => self.drop(*reason),
        }
    }
}

fn covers(pattern: Pattern, value: u128) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Value(v) => v == value,
        Pattern::Range { low, high } => (low..=high).contains(&value),
        Pattern::Mask { value: v, mask } => value & mask == v & mask,
    }
}
