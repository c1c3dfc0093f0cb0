//! Statements of the control.
//!
//! A **cursor** is the flow under way: [`StmtKind::Find`] fills it, [`StmtKind::Stay`] and
//! [`StmtKind::Remember`] use it. A cursor that no `find` has filled on the path taken is *idle*: `stay` selects,
//! `remember` does nothing. That is how a stateless flow looks.

use crate::expr::Expr;
use crate::{
    ActionId, CounterId, CursorId, FieldId, FlowTableId, HeaderId, LimiterId, Loc, ReasonId, RingId, TableId,
    VarId,
};

/// Statements in order.
pub type Block = Vec<Stmt>;

/// A statement and where it stands.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Stmt {
    pub kind: StmtKind,
    pub at: Loc,
}

/// What can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A header's field. Lost while the header is invalid.
    Field(HeaderId, FieldId),
    /// A variable.
    Var(VarId),
}

/// A hash over bytes in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// IEEE 802.3 (zlib) over the seed (32 bits), then the data. The key is the seed: 32 bits.
    Crc32,
    /// HalfSipHash-1-3 as Linux's `hsiphash`: 64-bit key, little-endian words over the data. The 64-bit key is
    /// `k0 ++ k1`: the high half is the key's first word.
    HalfSipHash,
}

/// What the flow's packet means for its state: an expression of 3 bits has one of these values. Others are `Peek`.
pub mod event {
    /// Looks, never writes (ICMP errors).
    pub const PEEK: u128 = 0;
    /// SYN without ACK, RST, FIN.
    pub const OPEN: u128 = 1;
    /// Any other TCP segment.
    pub const DATA: u128 = 2;
    /// A UDP datagram.
    pub const DATAGRAM: u128 = 3;
    /// FIN or RST.
    pub const CLOSE: u128 = 4;
    /// Bits of an event.
    pub const WIDTH: u8 = 3;
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum StmtKind {
    Set {
        place: Place,
        value: Expr,
    },
    /// Makes a header valid. If it was not, its fields are 0.
    Push(HeaderId),
    /// Makes a header invalid.
    Pop(HeaderId),
    If {
        cond: Expr,
        then: Block,
        otherwise: Block,
    },
    /// Looks the key up, sets the action's parameters, runs the action's arm (exactly one arm per action).
    Apply {
        table: TableId,
        key: Vec<Expr>,
        arms: Vec<Arm>,
    },
    /// `into` (32 bits) = hash over `data`, whose widths add up to whole bytes.
    Hash {
        into: VarId,
        algorithm: HashAlgorithm,
        key: Expr,
        data: Vec<Expr>,
    },
    /// `place` (16 bits) = the Internet checksum (RFC 1071) over `data`, whose widths add up to a multiple of 16.
    Checksum {
        place: Place,
        data: Vec<Expr>,
    },
    /// Adjusts the checksum in `place` (16 bits) for `old` having become `new` (both 16 or 32 ... 128 bits,
    /// multiples of 16), word by word from the high end, by RFC 1624 equation 3.
    Adjust {
        place: Place,
        old: Expr,
        new: Expr,
    },
    /// Counts the packet (and the received frame's bytes) in a cell; an index beyond the size counts nothing.
    Count {
        counter: CounterId,
        index: Expr,
    },
    /// `into` (bool) = does the limiter let this packet through?
    Limit {
        limiter: LimiterId,
        into: VarId,
    },
    /// Looks a flow up. `hash` is 32 bits, `event` 3, `class` 2 (beyond the declared classes: the last).
    Find {
        cursor: CursorId,
        table: FlowTableId,
        key: Vec<Expr>,
        hash: Expr,
        event: Expr,
        class: Expr,
    },
    /// The flow's id, if it is live and `table` knows it; else `select` runs (it must set `id` or drop), and `table`
    /// is looked up by that id. `id` holds the id either way. Then the action's arm runs.
    Stay {
        cursor: CursorId,
        id: VarId,
        select: Block,
        table: TableId,
        arms: Vec<Arm>,
    },
    /// Writes the flow under `id`, as its event says.
    Remember {
        cursor: CursorId,
        id: VarId,
    },
    /// `into` = the ring's id for `hash` (32 bits) in `pool`; else drops with the ring's reasons.
    Select {
        ring: RingId,
        pool: Expr,
        hash: Expr,
        into: VarId,
    },
    /// The packet sent or passed has at most this many bytes. At most one on any path.
    Truncate {
        bytes: u16,
    },
    Verdict(Verdict),
}

/// What runs for an action.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Arm {
    pub action: ActionId,
    pub body: Block,
    pub at: Loc,
}

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Out of a port (32 bits).
    Forward(Expr),
    /// To the host's own stack.
    Pass,
    /// Nowhere; counted.
    Drop(ReasonId),
}

/// Calls `visit` on every statement of a block, outer ones first.
pub fn walk<'a>(block: &'a [Stmt], visit: &mut impl FnMut(&'a Stmt)) {
    for stmt in block {
        visit(stmt);
        for inner in stmt.kind.blocks() {
            walk(inner, visit);
        }
    }
}

/// Is a statement of a block, wherever it stands, one that `is` asks for?
pub fn any(block: &[Stmt], mut is: impl FnMut(&StmtKind) -> bool) -> bool {
    let mut some = false;
    walk(block, &mut |s| some = some || is(&s.kind));
    some
}

impl StmtKind {
    /// The blocks inside.
    #[must_use]
    pub fn blocks(&self) -> Vec<&Block> {
        match self {
            Self::If { then, otherwise, .. } => vec![then, otherwise],
            Self::Apply { arms, .. } => arms.iter().map(|a| &a.body).collect(),
            Self::Stay { select, arms, .. } => {
                std::iter::once(select).chain(arms.iter().map(|a| &a.body)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The blocks inside, to be changed.
    #[must_use]
    pub fn blocks_mut(&mut self) -> Vec<&mut Block> {
        match self {
            Self::If { then, otherwise, .. } => vec![then, otherwise],
            Self::Apply { arms, .. } => arms.iter_mut().map(|a| &mut a.body).collect(),
            Self::Stay { select, arms, .. } => {
                std::iter::once(select).chain(arms.iter_mut().map(|a| &mut a.body)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The place that the statement itself writes, but for action parameters.
    #[must_use]
    pub fn written(&self) -> Option<Place> {
        match self {
            Self::Set { place, .. } | Self::Checksum { place, .. } | Self::Adjust { place, .. } => {
                Some(*place)
            }
            Self::Hash { into: var, .. }
            | Self::Limit { into: var, .. }
            | Self::Stay { id: var, .. }
            | Self::Select { into: var, .. } => Some(Place::Var(*var)),
            Self::Push(_)
            | Self::Pop(_)
            | Self::If { .. }
            | Self::Apply { .. }
            | Self::Count { .. }
            | Self::Find { .. }
            | Self::Remember { .. }
            | Self::Truncate { .. }
            | Self::Verdict(_) => None,
        }
    }

    /// The expressions that the statement itself reads, not those inside its blocks.
    #[must_use]
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Self::Set { value: e, .. } | Self::If { cond: e, .. } | Self::Count { index: e, .. } => vec![e],
            Self::Verdict(Verdict::Forward(e)) => vec![e],
            Self::Apply { key, .. } => key.iter().collect(),
            Self::Hash { key, data, .. } => std::iter::once(key).chain(data).collect(),
            Self::Checksum { data, .. } => data.iter().collect(),
            Self::Adjust { old, new, .. } => vec![old, new],
            Self::Find { key, hash, event, class, .. } => key.iter().chain([hash, event, class]).collect(),
            Self::Select { pool, hash, .. } => vec![pool, hash],
            Self::Push(_)
            | Self::Pop(_)
            | Self::Limit { .. }
            | Self::Stay { .. }
            | Self::Remember { .. }
            | Self::Truncate { .. }
            | Self::Verdict(Verdict::Pass | Verdict::Drop(_)) => Vec::new(),
        }
    }

    /// The expressions that the statement itself reads, to be changed.
    #[must_use]
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Set { value: e, .. } | Self::If { cond: e, .. } | Self::Count { index: e, .. } => vec![e],
            Self::Verdict(Verdict::Forward(e)) => vec![e],
            Self::Apply { key: list, .. } | Self::Checksum { data: list, .. } => list.iter_mut().collect(),
            Self::Hash { key, data, .. } => std::iter::once(key).chain(data).collect(),
            Self::Adjust { old, new, .. } => vec![old, new],
            Self::Find { key, hash, event, class, .. } => {
                key.iter_mut().chain([hash, event, class]).collect()
            }
            Self::Select { pool, hash, .. } => vec![pool, hash],
            _ => Vec::new(),
        }
    }
}
