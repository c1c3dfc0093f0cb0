//! A small balancer built by hand, with an object of every kind, for the tests of this crate.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Arm, Block, HashAlgorithm, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::*;

pub const ETH: HeaderId = HeaderId(0);
pub const OUTER: HeaderId = HeaderId(1);
pub const IP4: HeaderId = HeaderId(2);
pub const UDP: HeaderId = HeaderId(3);

pub const POOL: VarId = VarId(0);
pub const HASH: VarId = VarId(1);
pub const ID: VarId = VarId(2);
pub const FLAG: VarId = VarId(3);
pub const KIND: VarId = VarId(4);
pub const P_POOL: VarId = VarId(5);
pub const P_SEED: VarId = VarId(6);
pub const P_PORT: VarId = VarId(7);
pub const P_MAC: VarId = VarId(8);
pub const P_HOP: VarId = VarId(9);

pub const SET_POOL: ActionId = ActionId(0);
pub const NO_VIP: ActionId = ActionId(1);
pub const TO: ActionId = ActionId(2);
pub const GONE: ActionId = ActionId(3);
pub const PERMIT: ActionId = ActionId(4);
pub const DENY: ActionId = ActionId(5);
pub const VIA: ActionId = ActionId(6);

pub const VIP: TableId = TableId(0);
pub const BACKEND: TableId = TableId(1);
pub const ACL: TableId = TableId(2);
pub const ROUTE: TableId = TableId(3);
pub const FIXED: TableId = TableId(4);

pub const CUT: ReasonId = ReasonId(0);
pub const NO_POOL: ReasonId = ReasonId(1);
pub const NO_SLOT: ReasonId = ReasonId(2);
pub const GONE_REASON: ReasonId = ReasonId(3);
pub const DENIED: ReasonId = ReasonId(4);
pub const RATE: ReasonId = ReasonId(5);

pub const FLOW: CursorId = CursorId(0);

/// A place in the source, so that diagnostics can be told apart.
pub fn at(line: u32) -> Loc {
    Loc { line, column: 0, end_line: line, end_column: 1 }
}

pub fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, at: Loc::default() }
}
pub fn bits(value: u128, width: u8) -> Expr {
    Expr::bits(value, width)
}
pub fn var(id: VarId, width: u8) -> Expr {
    expr(ExprKind::Var(id), Type::Bits(width))
}
pub fn field(p: &Pipeline, header: HeaderId, name: &str) -> Expr {
    let id = field_id(p, header, name);
    expr(ExprKind::Field(header, id), Type::Bits(p.field(header, id).width))
}
pub fn field_id(p: &Pipeline, header: HeaderId, name: &str) -> FieldId {
    FieldId(p.header_type(header).fields.iter().position(|f| f.name == name).unwrap() as u32)
}
pub fn valid(header: HeaderId) -> Expr {
    expr(ExprKind::Valid(header), Type::Bool)
}
pub fn not(e: Expr) -> Expr {
    expr(ExprKind::Unary(UnOp::Not, Box::new(e)), Type::Bool)
}
pub fn binary(op: BinOp, a: Expr, b: Expr, ty: Type) -> Expr {
    expr(ExprKind::Binary(op, Box::new(a), Box::new(b)), ty)
}
pub fn cast(e: Expr, width: u8) -> Expr {
    expr(ExprKind::Cast(Box::new(e)), Type::Bits(width))
}
pub fn slice(e: Expr, hi: u8, lo: u8) -> Expr {
    expr(ExprKind::Slice { of: Box::new(e), hi, lo }, Type::Bits(hi - lo + 1))
}
pub fn port() -> Expr {
    expr(ExprKind::Builtin(Builtin::IngressPort), Type::Bits(32))
}
pub fn stmt(kind: StmtKind) -> Stmt {
    Stmt { kind, at: Loc::default() }
}
pub fn set(place: Place, value: Expr) -> Stmt {
    stmt(StmtKind::Set { place, value })
}
pub fn set_var(to: VarId, value: Expr) -> Stmt {
    set(Place::Var(to), value)
}
pub fn pass() -> Stmt {
    stmt(StmtKind::Verdict(Verdict::Pass))
}
pub fn drop(reason: ReasonId) -> Stmt {
    stmt(StmtKind::Verdict(Verdict::Drop(reason)))
}
pub fn forward(to: Expr) -> Stmt {
    stmt(StmtKind::Verdict(Verdict::Forward(to)))
}
pub fn arm(action: ActionId, body: Block) -> Arm {
    Arm { action, body, at: Loc::default() }
}
pub fn apply(table: TableId, key: Vec<Expr>, arms: Vec<Arm>) -> Stmt {
    stmt(StmtKind::Apply { table, key, arms })
}

pub fn header_type(name: &str, fields: &[(&str, u8)]) -> HeaderType {
    let field = |(n, w): &(&str, u8)| Field { name: (*n).into(), width: *w, at: Loc::default() };
    HeaderType { name: name.into(), fields: fields.iter().map(field).collect(), at: Loc::default() }
}
fn header(name: &str, ty: u32) -> Header {
    Header { name: name.into(), ty: HeaderTypeId(ty), at: Loc::default() }
}
pub fn variable(name: &str, ty: Type, kind: VarKind) -> Var {
    Var { name: name.into(), ty, kind, at: Loc::default() }
}
pub fn action(name: &str, params: &[VarId], default_only: bool) -> Action {
    Action { name: name.into(), params: params.to_vec(), default_only, at: Loc::default() }
}
pub fn key(name: &str, width: u8, kind: MatchKind) -> Key {
    Key { name: name.into(), width, kind, at: Loc::default() }
}
pub fn table(name: &str, keys: Vec<Key>, actions: &[ActionId], default: ActionId, size: u32) -> Table {
    Table {
        name: name.into(),
        keys,
        actions: actions.to_vec(),
        default,
        size,
        counters: Some(CounterKind::Both),
        slot_bits: None,
        const_entries: Vec::new(),
        at: Loc::default(),
    }
}
pub fn reason(name: &str) -> Reason {
    Reason { name: name.into(), at: Loc::default() }
}

fn state(name: &str, ops: Vec<ParserOp>, next: Transition) -> State {
    State { name: name.into(), ops, next, at: Loc::default() }
}
pub fn extract(header: HeaderId) -> ParserOp {
    ParserOp::Extract { header, at: Loc::default() }
}
pub fn select(on: Vec<Expr>, cases: Vec<(Vec<Pattern>, Option<u32>)>) -> Transition {
    let case = |(patterns, to): (Vec<Pattern>, Option<u32>)| Case {
        patterns,
        to: to.map(StateId),
        at: Loc::default(),
    };
    Transition::Select { on, cases: cases.into_iter().map(case).collect(), at: Loc::default() }
}

fn declarations() -> Pipeline {
    let ip4 = [
        ("version", 4),
        ("ihl", 4),
        ("tos", 8),
        ("total_length", 16),
        ("identification", 16),
        ("fragment", 16),
        ("ttl", 8),
        ("protocol", 8),
        ("checksum", 16),
        ("src", 32),
        ("dst", 32),
    ];
    let b = Type::Bits;
    let meta = |n: &str, ty| variable(n, ty, VarKind::Meta);
    let param = |n: &str, w, a| variable(n, b(w), VarKind::Param(a));
    let exact = |n: &str, w| key(n, w, MatchKind::Exact);
    Pipeline {
        name: "sample".into(),
        file: "sample.rs".into(),
        targets: vec!["native".into()],
        header_types: vec![
            header_type("Ethernet", &[("dst", 48), ("src", 48), ("ethertype", 16)]),
            header_type("Ipv4", &ip4),
            header_type("Udp", &[("src_port", 16), ("dst_port", 16), ("length", 16), ("checksum", 16)]),
        ],
        headers: vec![header("eth", 0), header("outer", 1), header("ip4", 1), header("udp", 2)],
        vars: vec![
            meta("pool", b(16)),
            meta("hash", b(32)),
            meta("id", b(24)),
            meta("flag", Type::Bool),
            meta("kind", b(8)),
            param("pool_no", 16, SET_POOL),
            param("seed", 32, SET_POOL),
            param("port", 32, TO),
            param("mac", 48, TO),
            param("hop", 16, VIA),
        ],
        actions: vec![
            action("set_pool", &[P_POOL, P_SEED], false),
            action("no_vip", &[], true),
            action("to", &[P_PORT, P_MAC], false),
            action("gone", &[], true),
            action("permit", &[], false),
            action("deny", &[], false),
            action("via", &[P_HOP], false),
        ],
        tables: vec![
            table("vip", vec![exact("dst", 32), exact("port", 16)], &[SET_POOL, NO_VIP], NO_VIP, 4),
            Table { slot_bits: Some(4), ..table("backend", vec![exact("id", 24)], &[TO, GONE], GONE, 8) },
            table(
                "acl",
                vec![
                    key("src", 32, MatchKind::Ternary),
                    key("protocol", 8, MatchKind::Optional),
                    key("port", 16, MatchKind::Range),
                ],
                &[PERMIT, DENY],
                PERMIT,
                8,
            ),
            table("route", vec![key("dst", 32, MatchKind::Lpm)], &[VIA, DENY], DENY, 8),
            Table {
                const_entries: vec![
                    const_entry(KeyValue::Exact(17), PERMIT),
                    const_entry(KeyValue::Exact(99), DENY),
                ],
                ..table("fixed", vec![exact("protocol", 8)], &[PERMIT, DENY], PERMIT, 2)
            },
        ],
        flow_tables: vec![flow_table()],
        cursors: vec![Cursor { name: "flow".into(), at: Loc::default() }],
        rings: vec![ring()],
        counters: vec![Counter {
            name: "by_protocol".into(),
            size: 100,
            kind: CounterKind::Both,
            at: Loc::default(),
        }],
        limiters: vec![Limiter { name: "rate".into(), per_tick: 2, at: Loc::default() }],
        reasons: ["cut", "no_pool", "no_slot", "gone", "denied", "rate"].map(reason).to_vec(),
        ..Pipeline::default()
    }
}

pub fn const_entry(key: KeyValue, action: ActionId) -> ConstEntry {
    ConstEntry { keys: vec![key], action, args: Vec::new(), at: Loc::default() }
}

fn flow_table() -> FlowTable {
    let field = |n: &str, width| Field { name: n.into(), width, at: Loc::default() };
    FlowTable {
        name: "flows".into(),
        keys: vec![field("src", 32), field("src_port", 16), field("vip_pool", 16), field("dst_port", 16)],
        id_width: 24,
        entries: 16,
        // Ticks of 100 ms: 10, 100, 50, 20; and 5, 20, 10, 5.
        idle: vec![
            Idle { new: 1000, tcp: 10_000, udp: 5000, closing: 2000 },
            Idle { new: 500, tcp: 2000, udp: 1000, closing: 500 },
        ],
        at: Loc::default(),
    }
}

fn ring() -> Ring {
    Ring {
        name: "ring".into(),
        pool_table: "pool_generation".into(),
        slots: 7,
        pools: 2,
        pool_width: 16,
        id_width: 24,
        no_pool: NO_POOL,
        no_slot: NO_SLOT,
        at: Loc::default(),
    }
}

fn parser(p: &Pipeline) -> Parser {
    let value = |v| vec![Pattern::Value(v)];
    let lookahead = ParserOp::Lookahead { into: KIND, offset: 0, at: Loc::default() };
    Parser {
        start: StateId(0),
        states: vec![
            state(
                "start",
                vec![extract(ETH)],
                select(vec![field(p, ETH, "ethertype")], vec![(value(0x0800), Some(1))]),
            ),
            state(
                "ip4",
                vec![lookahead, extract(IP4)],
                select(
                    vec![field(p, IP4, "ihl"), field(p, IP4, "protocol")],
                    vec![
                        (vec![Pattern::Value(5), Pattern::Mask { value: 0x11, mask: 0xff }], Some(2)),
                        (vec![Pattern::Any, Pattern::Range { low: 0, high: 5 }], None),
                    ],
                ),
            ),
            state("udp", vec![extract(UDP)], Transition::Accept),
        ],
    }
}

/// What a forwarded packet gets: an outer header, a new address, a smaller TTL.
fn rewrite(p: &Pipeline) -> Block {
    let outer = |n: &str| Place::Field(OUTER, field_id(p, OUTER, n));
    let ttl = binary(BinOp::Sub, field(p, IP4, "ttl"), bits(1, 8), Type::Bits(8));
    let with = |ttl| binary(BinOp::Concat, ttl, field(p, IP4, "protocol"), Type::Bits(16));
    let words = ["src", "dst"].map(|n| field(p, OUTER, n));
    vec![
        stmt(StmtKind::Remember { cursor: FLOW, id: ID }),
        stmt(StmtKind::Push(OUTER)),
        set(outer("src"), bits(0x0a00_0001, 32)),
        set(outer("dst"), cast(var(ID, 24), 32)),
        stmt(StmtKind::Checksum { place: outer("checksum"), data: words.to_vec() }),
        stmt(StmtKind::Adjust {
            place: Place::Field(IP4, field_id(p, IP4, "checksum")),
            old: with(field(p, IP4, "ttl")),
            new: with(ttl.clone()),
        }),
        set(Place::Field(IP4, field_id(p, IP4, "ttl")), ttl),
        set(Place::Field(ETH, field_id(p, ETH, "dst")), var(P_MAC, 48)),
        stmt(StmtKind::Truncate { bytes: 1000 }),
        forward(var(P_PORT, 32)),
    ]
}

fn control(p: &Pipeline) -> Block {
    let f = |h, n: &str| field(p, h, n);
    let key = vec![f(IP4, "src"), f(UDP, "src_port"), var(POOL, 16), f(UDP, "dst_port")];
    let data = ["src", "dst", "protocol"].map(|n| f(IP4, n)).into_iter();
    let denied = || arm(DENY, vec![drop(DENIED)]);
    vec![
        stmt(StmtKind::If { cond: not(valid(IP4)), then: vec![drop(CUT)], otherwise: vec![] }),
        stmt(StmtKind::Count { counter: CounterId(0), index: cast(f(IP4, "protocol"), 32) }),
        apply(FIXED, vec![f(IP4, "protocol")], vec![arm(PERMIT, vec![]), denied()]),
        apply(
            ACL,
            vec![f(IP4, "src"), f(IP4, "protocol"), f(UDP, "dst_port")],
            vec![arm(PERMIT, vec![]), denied()],
        ),
        apply(ROUTE, vec![f(IP4, "dst")], vec![arm(VIA, vec![set_var(POOL, var(P_HOP, 16))]), denied()]),
        apply(
            VIP,
            vec![f(IP4, "dst"), f(UDP, "dst_port")],
            vec![arm(SET_POOL, vec![set_var(POOL, var(P_POOL, 16))]), arm(NO_VIP, vec![pass()])],
        ),
        stmt(StmtKind::If {
            cond: binary(BinOp::Eq, f(IP4, "tos"), bits(1, 8), Type::Bool),
            then: vec![
                stmt(StmtKind::Limit { limiter: LimiterId(0), into: FLAG }),
                stmt(StmtKind::If {
                    cond: expr(ExprKind::Var(FLAG), Type::Bool),
                    then: vec![forward(port())],
                    otherwise: vec![drop(RATE)],
                }),
            ],
            otherwise: vec![],
        }),
        stmt(StmtKind::Hash {
            into: HASH,
            algorithm: HashAlgorithm::Crc32,
            key: var(P_SEED, 32),
            data: data.chain(["src_port", "dst_port"].map(|n| f(UDP, n))).collect(),
        }),
        // The UDP header states event, class and, so that buckets can be chosen, the hash.
        stmt(StmtKind::Find {
            cursor: FLOW,
            table: FlowTableId(0),
            key,
            hash: cast(f(UDP, "checksum"), 32),
            event: slice(f(UDP, "length"), 2, 0),
            class: slice(f(UDP, "length"), 9, 8),
        }),
        stmt(StmtKind::Stay {
            cursor: FLOW,
            id: ID,
            select: vec![stmt(StmtKind::Select {
                ring: RingId(0),
                pool: var(POOL, 16),
                hash: var(HASH, 32),
                into: ID,
            })],
            table: BACKEND,
            arms: vec![arm(TO, rewrite(p)), arm(GONE, vec![drop(GONE_REASON)])],
        }),
    ]
}

/// The whole pipeline; it verifies.
pub fn sample() -> Pipeline {
    let mut p = declarations();
    p.parser = parser(&p);
    p.control = control(&p);
    p
}
