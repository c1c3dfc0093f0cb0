//! The pipeline as plain data, its proofs, and the oracle that defines what it means.
//!
//! # What a pipeline is
//!
//! A [`Pipeline`] is a parser, a control and the objects that they name. It is plain data: public fields, ids
//! that index vectors, no behaviour. Three proofs stand on it, each a type with private fields:
//! [`verify`](verify::verify) makes [`Verified`](verify::Verified) ("it means something"), `codegen::fit` makes
//! `Fitted` ("it fits this target"), and [`Tables::check`](entry::Tables::check) makes
//! [`CheckedEntry`](entry::CheckedEntry) ("it may be written").
//!
//! # Values
//!
//! An expression is a `bool` or an unsigned integer of 1 to 128 bits. Arithmetic wraps. Operands of a binary
//! operation have the same width, but for shifts (any width on the right; a shift by the width or more gives 0)
//! and `++` (concatenation: widths add). A cast keeps the low bits or extends with zeros.
//!
//! Every [`Var`] is zero (or `false`) when a packet enters, and keeps what was last written to it.
//!
//! # Parsing
//!
//! Parsing starts in `Parser::start` with the cursor at bit 0 of the frame. [`ParserOp::Extract`] copies the
//! header's bits and marks it valid; when the frame has fewer bytes left, the header stays invalid and the parser
//! **stops there**, without an error: control sees which headers are valid. States form a DAG (loops are unrolled
//! by the front end). A header is extracted at most once on any path. What follows the last extracted header is
//! the payload. Fields of an invalid header read as 0; writes to them are lost.
//!
//! # Control
//!
//! Statements run in order until a [`Stmt::Verdict`](stmt::StmtKind::Verdict); every path ends in one. `forward`
//! and `pass` deparse: the bytes of each valid header in the order of `Pipeline::headers`, then the payload, then
//! [`Truncate`](stmt::StmtKind::Truncate)'s limit. `drop` counts its reason by one.
//!
//! A table's action parameters are variables: applying a table writes the parameters of the action that was
//! chosen, then runs the arm of that action. A hit counts on the entry's direct counter (one packet, and the
//! received frame's bytes); the default action doesn't count. Of the entries that match, the one with the highest
//! priority is hit, or with the longest prefix; between equal priorities the one inserted first (chips promise
//! nothing there).
//!
//! # Flow tables
//!
//! [`Find`](stmt::StmtKind::Find) looks a flow up and fills the [cursor](stmt); nothing is written. With a live hit,
//! [`Stay`](stmt::StmtKind::Stay) applies its table to the flow's id; if that gives the default action, or there
//! was no hit, `select` runs, which leaves a new id in the id variable, and the table is applied to that.
//! [`Remember`](stmt::StmtKind::Remember) writes: the one place where flow state changes. Layout, clock, states,
//! replacement and spilling are defined in [`flow`].
//!
//! # Rings
//!
//! A ring of `slots` slots per pool is two objects of the control plane: the table named by
//! [`Ring::pool_table`](Ring) (`pool` → generation, 8 bits) and the table named by the ring (`pool`, `generation`,
//! `slot` → id). [`Select`](stmt::StmtKind::Select) reads the pool's generation (none: drop `no_pool`), takes slot =
//! hash mod `slots`, and reads the id (none: drop `no_slot`). Two generations of a pool are held at once, one odd
//! and one even; a slot's entry of a generation replaces that of the same parity.
//! Id 0 is no id: no slot holds it.
//!
//! # Counters
//!
//! An indirect counter counts where [`Count`](stmt::StmtKind::Count) says. The names of all others: `drop.<reason>`,
//! `<flow table>.stored`, `<flow table>.not_stored`. Bytes are those of the received frame.
pub mod diagnostic;
pub mod entry;
pub mod eval;
pub mod expr;
pub mod flow;
pub mod needs;
pub mod print;
pub mod stmt;
pub mod suggest;
pub mod verify;

use expr::{Expr, Type};
use stmt::Block;

/// Where something stands in the source: 1-based lines, 0-based columns, end exclusive. All 0: nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub struct Loc {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// The index into the pipeline's vector.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}
ids! {
    /// Index into [`Pipeline::header_types`].
    HeaderTypeId
    /// Index into [`Pipeline::headers`].
    HeaderId
    /// Index into [`HeaderType::fields`].
    FieldId
    /// Index into [`Pipeline::vars`].
    VarId
    /// Index into [`Pipeline::actions`].
    ActionId
    /// Index into [`Pipeline::tables`].
    TableId
    /// Index into [`Pipeline::flow_tables`].
    FlowTableId
    /// Index into [`Pipeline::rings`].
    RingId
    /// Index into [`Pipeline::counters`].
    CounterId
    /// Index into [`Pipeline::limiters`].
    LimiterId
    /// Index into [`Pipeline::reasons`].
    ReasonId
    /// Index into [`Parser::states`].
    StateId
    /// Index into [`Pipeline::cursors`].
    CursorId
}

/// A data plane. Names are the source's, in `snake_case`; each list keeps the source's order.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Pipeline {
    pub name: String,
    /// The file name (no folders) that generated text cites.
    pub file: String,
    /// Target names of `#[pipeline(targets = [...])]`.
    pub targets: Vec<String>,
    pub header_types: Vec<HeaderType>,
    /// In the order of deparsing.
    pub headers: Vec<Header>,
    pub vars: Vec<Var>,
    pub actions: Vec<Action>,
    pub tables: Vec<Table>,
    pub flow_tables: Vec<FlowTable>,
    pub cursors: Vec<Cursor>,
    pub rings: Vec<Ring>,
    pub counters: Vec<Counter>,
    pub limiters: Vec<Limiter>,
    /// Drop reasons; each is a packet counter named `drop.<name>`.
    pub reasons: Vec<Reason>,
    pub parser: Parser,
    pub control: Block,
}

/// A header's shape: fields in wire order, network byte order, a whole number of bytes in all.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct HeaderType {
    pub name: String,
    pub fields: Vec<Field>,
    pub at: Loc,
}

impl HeaderType {
    /// Width in bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.fields.iter().map(|f| u32::from(f.width)).sum()
    }
    /// Length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.bits() / 8
    }
    /// Bit offset of a field from the header's first bit.
    #[must_use]
    pub fn offset(&self, field: FieldId) -> u32 {
        self.fields[..field.index()].iter().map(|f| u32::from(f.width)).sum()
    }
}

/// A field of a header: 1 to 128 bits.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Field {
    pub name: String,
    pub width: u8,
    pub at: Loc,
}

/// A header of the packet. A source stack `vlan: [Vlan; 2]` is two headers, `vlan_0` and `vlan_1`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Header {
    pub name: String,
    pub ty: HeaderTypeId,
    pub at: Loc,
}

/// A variable: metadata, a local of the control, or an action's parameter.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Var {
    pub name: String,
    pub ty: Type,
    pub kind: VarKind,
    pub at: Loc,
}

/// What made a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarKind {
    /// A field of `struct Meta`.
    Meta,
    /// A `let` in the parser or control; names may repeat.
    Local,
    /// A parameter of an action; its name is the parameter's.
    Param(ActionId),
}

/// An action: data that an entry carries. What it does stands in the arms of the tables that use it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Action {
    pub name: String,
    pub params: Vec<VarId>,
    /// Only as a default, never in an entry.
    pub default_only: bool,
    pub at: Loc,
}

/// How a key field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MatchKind {
    Exact,
    Lpm,
    Ternary,
    Range,
    Optional,
}

/// A field of a table's key.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Key {
    pub name: String,
    pub width: u8,
    pub kind: MatchKind,
    pub at: Loc,
}

/// Which direct counters a table has, or what a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CounterKind {
    Packets,
    Bytes,
    Both,
}

/// A match-action table.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Table {
    pub name: String,
    pub keys: Vec<Key>,
    /// The variants of its action enum, in order.
    pub actions: Vec<ActionId>,
    /// Index into `actions`: what a miss runs. Its parameters are 0.
    pub default: ActionId,
    /// The most entries.
    pub size: u32,
    pub counters: Option<CounterKind>,
    /// `Some(n)`: the single exact key's low `n` bits are a slot, and a slot holds one entry at a time. Software
    /// indexes an array by it and compares the whole key.
    pub slot_bits: Option<u8>,
    /// Entries written in the source; the control plane can't change them.
    pub const_entries: Vec<ConstEntry>,
    pub at: Loc,
}

impl Table {
    /// Is its only field of another kind than exact one of longest prefix?
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        let of = |kind| self.keys.iter().filter(|k| k.kind == kind).count();
        of(MatchKind::Lpm) == 1 && of(MatchKind::Exact) + 1 == self.keys.len()
    }
    /// Does software have to search it entry by entry: neither exact nor by prefix?
    #[must_use]
    pub fn is_searched(&self) -> bool {
        !self.is_prefix() && self.keys.iter().any(|k| k.kind != MatchKind::Exact)
    }
}

/// An entry written in the source.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct ConstEntry {
    pub keys: Vec<KeyValue>,
    pub action: ActionId,
    pub args: Vec<u128>,
    pub at: Loc,
}

/// A key field's value in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum KeyValue {
    Exact(u128),
    Lpm {
        value: u128,
        prefix: u8,
    },
    Ternary {
        value: u128,
        mask: u128,
    },
    Range {
        low: u128,
        high: u128,
    },
    /// `None` matches all.
    Optional(Option<u128>),
}

/// A flow table (`affinity`); see [`flow`].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct FlowTable {
    pub name: String,
    /// Key fields in order, at most 176 bits together; see [`flow::Layout`].
    pub keys: Vec<Field>,
    /// Width of the id that a flow holds; at most 24.
    pub id_width: u8,
    /// Ways in all: a power of two, at least 8.
    pub entries: u32,
    /// Idle time-outs by class, 1 to 4 of them.
    pub idle: Vec<Idle>,
    pub at: Loc,
}

/// Idle time-outs, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Idle {
    pub new: u64,
    pub tcp: u64,
    pub udp: u64,
    pub closing: u64,
}

/// A flow under way in the control: what `find` found, for `stay_or` and `remember`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Cursor {
    pub name: String,
    pub at: Loc,
}

/// A consistent-hashing ring per pool.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Ring {
    pub name: String,
    /// Name of the table pool → generation.
    pub pool_table: String,
    /// Slots per ring: 65,537 or another prime, or a power of two.
    pub slots: u32,
    /// Pools are numbered from 0 to `pools - 1`.
    pub pools: u32,
    pub pool_width: u8,
    /// Width of the id that a slot holds; at most 24.
    pub id_width: u8,
    pub no_pool: ReasonId,
    pub no_slot: ReasonId,
    pub at: Loc,
}

/// An indirect counter with `size` cells.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Counter {
    pub name: String,
    pub size: u32,
    pub kind: CounterKind,
    pub at: Loc,
}

/// Lets through at most `per_tick` packets in one tick, all CPUs together.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Limiter {
    pub name: String,
    /// At most 16,383.
    pub per_tick: u16,
    pub at: Loc,
}

/// A drop reason.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Reason {
    pub name: String,
    pub at: Loc,
}

/// The parser: states without cycles.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Parser {
    pub states: Vec<State>,
    pub start: StateId,
}

impl Default for Parser {
    fn default() -> Self {
        Self { states: Vec::new(), start: StateId(0) }
    }
}

/// A parser state: operations, then one way on.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct State {
    pub name: String,
    pub ops: Vec<ParserOp>,
    pub next: Transition,
    pub at: Loc,
}

/// What a parser state does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ParserOp {
    Extract {
        header: HeaderId,
        at: Loc,
    },
    /// Sets `into` to the `width` bits (that of the variable) that start `offset` bits after the cursor. Where the
    /// frame ends before them, the parser stops.
    Lookahead {
        into: VarId,
        offset: u32,
        at: Loc,
    },
    Set {
        var: VarId,
        value: Expr,
        at: Loc,
    },
}

impl ParserOp {
    /// The header that it extracts.
    #[must_use]
    pub fn extracts(&self) -> Option<HeaderId> {
        match self {
            Self::Extract { header, .. } => Some(*header),
            Self::Lookahead { .. } | Self::Set { .. } => None,
        }
    }
}

/// Where a state goes.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Transition {
    Accept,
    To(StateId),
    /// The first case that matches; none: accept.
    Select {
        on: Vec<Expr>,
        cases: Vec<Case>,
        at: Loc,
    },
}

impl Transition {
    /// The states that can follow.
    pub fn to(&self) -> impl Iterator<Item = StateId> + '_ {
        let (only, cases) = match self {
            Self::Accept => (None, &[][..]),
            Self::To(to) => (Some(*to), &[][..]),
            Self::Select { cases, .. } => (None, &cases[..]),
        };
        only.into_iter().chain(cases.iter().filter_map(|c| c.to))
    }
}

/// One case of a select: a pattern for each expression.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Case {
    pub patterns: Vec<Pattern>,
    /// `None`: accept.
    pub to: Option<StateId>,
    pub at: Loc,
}

/// A pattern over one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Pattern {
    Any,
    Value(u128),
    Range { low: u128, high: u128 },
    Mask { value: u128, mask: u128 },
}

impl Pipeline {
    /// The type of a header.
    #[must_use]
    pub fn header_type(&self, header: HeaderId) -> &HeaderType {
        &self.header_types[self.headers[header.index()].ty.index()]
    }
    /// The field of a header.
    #[must_use]
    pub fn field(&self, header: HeaderId, field: FieldId) -> &Field {
        &self.header_type(header).fields[field.index()]
    }
    /// A variable.
    #[must_use]
    pub fn var(&self, var: VarId) -> &Var {
        &self.vars[var.index()]
    }
    /// The table with this name.
    #[must_use]
    pub fn table_named(&self, name: &str) -> Option<(TableId, &Table)> {
        let i = self.tables.iter().position(|t| t.name == name)?;
        Some((TableId(i as u32), &self.tables[i]))
    }
}
