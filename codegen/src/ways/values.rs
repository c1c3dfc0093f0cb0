//! The values that a number can have: a small set, or a range with holes. Every operation gives a superset of what
//! is possible.

use pipeline_ir::Pattern;
use pipeline_ir::expr::BinOp;
use std::collections::BTreeSet;

/// Sets have at most so many values, ranges so many holes.
const MOST: usize = 16;

/// What a number can be; never nothing. One form for one knowledge: a range of at most 16 values is a set, and holes
/// are inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Values {
    /// One of these: 1 to 16.
    In(BTreeSet<u128>),
    /// `low` to `high`, both included, but for the holes.
    Range {
        /// The least.
        low: u128,
        /// The greatest.
        high: u128,
        /// At most 16 that it can't be.
        holes: BTreeSet<u128>,
    },
}

impl Values {
    /// This value.
    #[must_use]
    pub fn one(value: u128) -> Self {
        Self::In(BTreeSet::from([value]))
    }

    /// Anything up to `mask`.
    pub(super) fn any(mask: u128) -> Self {
        Self::between(0, mask)
    }

    /// `low` to `high`; `low` alone, if they are the wrong way round.
    pub(super) fn between(low: u128, high: u128) -> Self {
        Self::range(low, high, BTreeSet::new()).unwrap_or_else(|| Self::one(low))
    }

    fn range(mut low: u128, mut high: u128, mut holes: BTreeSet<u128>) -> Option<Self> {
        holes.retain(|v| (low..=high).contains(v));
        while holes.remove(&low) {
            low = low.checked_add(1)?;
        }
        while low <= high && holes.remove(&high) {
            high = high.checked_sub(1)?;
        }
        if low > high {
            return None;
        }
        if high - low < (MOST + holes.len()) as u128 {
            return Self::set((low..=high).filter(|v| !holes.contains(v)).collect());
        }
        while holes.len() > MOST {
            holes.pop_last();
        }
        Some(Self::Range { low, high, holes })
    }

    /// None, if there is none of them.
    fn set(values: BTreeSet<u128>) -> Option<Self> {
        let (low, high) = (*values.first()?, *values.last()?);
        Some(if values.len() <= MOST {
            Self::In(values)
        } else {
            Self::Range { low, high, holes: BTreeSet::new() }
        })
    }

    /// The value, if there is only one.
    #[must_use]
    pub fn only(&self) -> Option<u128> {
        match self {
            Self::In(set) if set.len() == 1 => set.first().copied(),
            _ => None,
        }
    }

    /// The least.
    #[must_use]
    pub fn low(&self) -> u128 {
        match self {
            Self::In(set) => set.first().copied().unwrap_or(0),
            Self::Range { low, .. } => *low,
        }
    }

    /// The greatest.
    #[must_use]
    pub fn high(&self) -> u128 {
        match self {
            Self::In(set) => set.last().copied().unwrap_or(u128::MAX),
            Self::Range { high, .. } => *high,
        }
    }

    /// Can it be this?
    #[must_use]
    pub fn contains(&self, value: u128) -> bool {
        match self {
            Self::In(set) => set.contains(&value),
            Self::Range { low, high, holes } => (*low..=*high).contains(&value) && !holes.contains(&value),
        }
    }

    /// Either of both.
    pub(super) fn join(&self, other: &Self) -> Self {
        if let (Self::In(a), Self::In(b)) = (self, other) {
            return Self::set(a | b).unwrap_or_else(|| self.clone());
        }
        let (low, high) = (self.low().min(other.low()), self.high().max(other.high()));
        // Of what lies between two sets only known holes are kept.
        let holes = self.holes().chain(other.holes());
        let holes = holes.filter(|v| !self.contains(*v) && !other.contains(*v)).collect();
        Self::range(low, high, holes).unwrap_or_else(|| self.clone())
    }

    fn holes(&self) -> impl Iterator<Item = u128> + '_ {
        let holes = match self {
            Self::Range { holes, .. } => Some(holes),
            Self::In(_) => None,
        };
        holes.into_iter().flatten().copied()
    }

    /// Those for which the comparison with `other` holds; none, if for none.
    pub(super) fn filter(&self, op: BinOp, other: u128) -> Option<Self> {
        let (low, high, mut holes) = match self {
            Self::In(set) => {
                return Self::set(set.iter().copied().filter(|v| compare(op, *v, other)).collect());
            }
            Self::Range { low, high, holes } => (*low, *high, holes.clone()),
        };
        match op {
            BinOp::Eq => self.contains(other).then(|| Self::one(other)),
            BinOp::Ne => {
                if holes.len() < MOST || other == low || other == high {
                    holes.insert(other);
                }
                Self::range(low, high, holes)
            }
            BinOp::Lt => Self::range(low, high.min(other.checked_sub(1)?), holes),
            BinOp::Le => Self::range(low, high.min(other), holes),
            BinOp::Gt => Self::range(low.max(other.checked_add(1)?), high, holes),
            BinOp::Ge => Self::range(low.max(other), high, holes),
            _ => Some(self.clone()),
        }
    }

    /// Those that a pattern takes, or doesn't (`takes` false); none, if there are none.
    pub(super) fn taken(&self, pattern: Pattern, takes: bool) -> Option<Self> {
        if let Self::In(set) = self {
            return Self::set(set.iter().copied().filter(|v| covers(pattern, *v) == takes).collect());
        }
        match (pattern, takes) {
            (Pattern::Any, _) => takes.then(|| self.clone()),
            (Pattern::Value(v), true) => self.filter(BinOp::Eq, v),
            (Pattern::Value(v), false) => self.filter(BinOp::Ne, v),
            (Pattern::Range { low, high }, true) => self.filter(BinOp::Ge, low)?.filter(BinOp::Le, high),
            (Pattern::Range { low, high }, false) if low <= self.low() => self.filter(BinOp::Gt, high),
            (Pattern::Range { low, high }, false) if high >= self.high() => self.filter(BinOp::Lt, low),
            (Pattern::Range { low, high }, false) if high - low < MOST as u128 => {
                (low..=high).try_fold(self.clone(), |rest, v| rest.filter(BinOp::Ne, v))
            }
            (Pattern::Range { .. } | Pattern::Mask { .. }, _) => Some(self.clone()),
        }
    }

    /// Every value changed, where there are few of them.
    fn map(&self, to: impl Fn(u128) -> u128) -> Option<Self> {
        match self {
            Self::In(set) => Self::set(set.iter().map(|v| to(*v)).collect()),
            Self::Range { .. } => None,
        }
    }

    /// All bits turned, within `mask`.
    pub(super) fn not(&self, mask: u128) -> Self {
        self.map(|v| !v & mask).unwrap_or_else(|| Self::any(mask))
    }

    /// Shifted right, then cut to `mask`.
    pub(super) fn slice(&self, lo: u8, mask: u128) -> Self {
        let cut = |v: u128| v.checked_shr(u32::from(lo)).unwrap_or(0);
        if let Some(set) = self.map(|v| cut(v) & mask) {
            return set;
        }
        match lo {
            0 if self.high() <= mask => self.clone(),
            _ if cut(self.high()) <= mask => Self::between(cut(self.low()), cut(self.high())),
            _ => Self::any(mask),
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

/// Of two numbers; other operations than comparisons hold for none.
fn compare(op: BinOp, a: u128, b: u128) -> bool {
    match op {
        BinOp::Eq => a == b,
        BinOp::Ne => a != b,
        BinOp::Lt => a < b,
        BinOp::Le => a <= b,
        BinOp::Gt => a > b,
        BinOp::Ge => a >= b,
        _ => false,
    }
}

/// What `a op b` can be: the result has the bits of `mask`, `b` is `right` bits wide.
pub(super) fn binary(op: BinOp, a: &Values, b: &Values, right: u8, mask: u128) -> Values {
    if let (Values::In(x), Values::In(y)) = (a, b) {
        let all = x.iter().flat_map(|x| y.iter().map(move |y| number(op, *x, *y, right) & mask));
        if let Some(values) = Values::set(all.collect()) {
            return values;
        }
    }
    if matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge) {
        return decided(op, a, b).map_or_else(|| Values::any(1), |v| Values::one(u128::from(v)));
    }
    match bounds(op, a, b, right, mask) {
        Some((low, high)) if low <= high && high <= mask => Values::between(low, high),
        _ => Values::any(mask),
    }
}

/// Before it is cut to its type.
fn number(op: BinOp, a: u128, b: u128, right: u8) -> u128 {
    let by = u32::try_from(b).unwrap_or(u32::MAX);
    match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::BitAnd | BinOp::And => a & b,
        BinOp::BitOr | BinOp::Or => a | b,
        BinOp::BitXor => a ^ b,
        BinOp::Shl => a.checked_shl(by).unwrap_or(0),
        BinOp::Shr => a.checked_shr(by).unwrap_or(0),
        BinOp::Concat => a.checked_shl(u32::from(right)).unwrap_or(0) | b,
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
            u128::from(compare(op, a, b))
        }
    }
}

/// A comparison that ranges and sets decide.
fn decided(op: BinOp, a: &Values, b: &Values) -> Option<bool> {
    let apart = || {
        let none = |x: &Values, y: &Values| match x {
            Values::In(set) => set.iter().all(|v| !y.contains(*v)),
            Values::Range { .. } => false,
        };
        a.high() < b.low() || b.high() < a.low() || none(a, b) || none(b, a)
    };
    let below = |a: &Values, b: &Values| match (a.high() < b.low(), a.low() >= b.high()) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    match op {
        BinOp::Eq => apart().then_some(false),
        BinOp::Ne => apart().then_some(true),
        BinOp::Lt => below(a, b),
        BinOp::Gt => below(b, a),
        BinOp::Ge => below(a, b).map(|x| !x),
        BinOp::Le => below(b, a).map(|x| !x),
        _ => None,
    }
}

/// The least and the greatest result, where nothing wraps.
fn bounds(op: BinOp, a: &Values, b: &Values, right: u8, mask: u128) -> Option<(u128, u128)> {
    let ones = |v: u128| u128::MAX.checked_shr(v.leading_zeros()).unwrap_or(0);
    match op {
        BinOp::Add => Some((a.low().checked_add(b.low())?, a.high().checked_add(b.high())?)),
        BinOp::Sub => Some((a.low().checked_sub(b.high())?, a.high().checked_sub(b.low())?)),
        BinOp::Mul => Some((a.low().checked_mul(b.low())?, a.high().checked_mul(b.high())?)),
        BinOp::BitAnd => Some((0, a.high().min(b.high()))),
        BinOp::BitOr => Some((a.low().max(b.low()), ones(a.high().max(b.high())))),
        BinOp::BitXor => Some((0, ones(a.high().max(b.high())))),
        BinOp::Shl => {
            let by = u32::try_from(b.only()?).ok().filter(|by| *by < 128 && mask >> by > 0);
            let Some(by) = by else { return Some((0, 0)) };
            (a.high() <= mask >> by).then(|| (a.low() << by, a.high() << by))
        }
        BinOp::Shr => {
            let Some(by) = b.only() else { return Some((0, a.high())) };
            let by = u32::try_from(by).unwrap_or(u32::MAX);
            Some((a.low().checked_shr(by).unwrap_or(0), a.high().checked_shr(by).unwrap_or(0)))
        }
        BinOp::Concat => {
            let high = |v: u128| v.checked_shl(u32::from(right)).unwrap_or(0);
            Some((high(a.low()) | b.low(), high(a.high()) | b.high()))
        }
        _ => None,
    }
}
