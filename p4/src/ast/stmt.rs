//! Statements.

use super::annotation::noted;
use super::{Expr, Note, Type};

/// Statements between braces.
pub type Block = Vec<Stmt>;

/// A statement with the comment lines above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stmt {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// What it does.
    pub kind: StmtKind,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StmtKind {
    /// `left = right;`
    Assign(Expr, Expr),
    /// A call for its effect; the expression is an [`Expr::Call`].
    Call(Expr),
    /// `if (condition) { } else { }`
    If(If),
    /// `switch (subject) { case: { } }`
    Switch(Expr, Vec<SwitchCase>),
    /// `type name = init;`
    Variable(Type, String, Option<Expr>),
    /// `const type name = value;`
    Const(Type, String, Expr),
    /// `{ }`
    Block(Block),
    /// `exit;`
    Exit,
    /// `return;`, `return value;`
    Return(Option<Expr>),
    /// `;`
    Empty,
}

/// A condition with its branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct If {
    /// The condition.
    pub condition: Expr,
    /// What happens if it holds.
    pub then: Block,
    /// What happens otherwise.
    pub otherwise: Option<Else>,
}

/// What follows `else`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Else {
    /// `else if`
    If(Box<If>),
    /// `else { }`
    Block(Block),
}

/// A case of a `switch` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchCase {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// What it stands for.
    pub label: Label,
    /// What happens; `None` falls through to the next case.
    pub body: Option<Block>,
}

/// What a case of a `switch` statement stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// An action's name or a value.
    Value(Expr),
    /// `default`
    Default,
}

noted!(Stmt, SwitchCase);

impl From<StmtKind> for Stmt {
    fn from(kind: StmtKind) -> Self {
        Self { notes: Vec::new(), kind }
    }
}

impl Stmt {
    /// `left = right;`
    pub fn assign(left: impl Into<Expr>, right: impl Into<Expr>) -> Self {
        StmtKind::Assign(left.into(), right.into()).into()
    }

    /// A call for its effect: `counter.count(1);`.
    pub fn call(call: Expr) -> Self {
        StmtKind::Call(call).into()
    }

    /// `name.apply();`
    pub fn apply(name: impl Into<String>) -> Self {
        Self::call(Expr::name(name).method0("apply"))
    }

    /// `if (condition) { then }`
    pub fn if_(condition: impl Into<Expr>, then: impl Into<Block>) -> Self {
        StmtKind::If(If::new(condition, then)).into()
    }

    /// `if (condition) { then } else { otherwise }`
    pub fn if_else(condition: impl Into<Expr>, then: impl Into<Block>, otherwise: impl Into<Block>) -> Self {
        StmtKind::If(If::new(condition, then).or_else(otherwise)).into()
    }

    /// `if ... else if ... else { }` from pairs of condition and branch; `None` without pairs and
    /// without `otherwise`, a plain block without pairs.
    pub fn if_chain(
        branches: impl IntoIterator<Item = (Expr, Block), IntoIter: DoubleEndedIterator>,
        otherwise: Option<Block>,
    ) -> Option<Self> {
        let last = otherwise.map(Else::Block);
        let chain = branches.into_iter().rev().fold(last, |otherwise, (condition, then)| {
            Some(Else::If(Box::new(If { condition, then, otherwise })))
        })?;
        Some(match chain {
            Else::If(first) => StmtKind::If(*first).into(),
            Else::Block(block) => StmtKind::Block(block).into(),
        })
    }

    /// `switch (subject) { ... }`
    pub fn switch(subject: impl Into<Expr>, cases: impl IntoIterator<Item = SwitchCase>) -> Self {
        StmtKind::Switch(subject.into(), cases.into_iter().collect()).into()
    }

    /// `ty name;`
    pub fn declare(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        StmtKind::Variable(ty.into(), name.into(), None).into()
    }

    /// `ty name = init;`
    pub fn let_(ty: impl Into<Type>, name: impl Into<String>, init: impl Into<Expr>) -> Self {
        StmtKind::Variable(ty.into(), name.into(), Some(init.into())).into()
    }

    /// `exit;`
    pub fn exit() -> Self {
        StmtKind::Exit.into()
    }

    /// `return;`
    pub fn return_() -> Self {
        StmtKind::Return(None).into()
    }

    /// `return value;`
    pub fn return_value(value: impl Into<Expr>) -> Self {
        StmtKind::Return(Some(value.into())).into()
    }

    /// `{ ... }`
    pub fn block(block: impl Into<Block>) -> Self {
        StmtKind::Block(block.into()).into()
    }
}

impl If {
    /// A condition with one branch.
    pub fn new(condition: impl Into<Expr>, then: impl Into<Block>) -> Self {
        Self { condition: condition.into(), then: then.into(), otherwise: None }
    }

    /// With a branch for when the condition does not hold.
    #[must_use]
    pub fn or_else(mut self, otherwise: impl Into<Block>) -> Self {
        self.otherwise = Some(Else::Block(otherwise.into()));
        self
    }

    /// With another condition for when this one does not hold.
    #[must_use]
    pub fn or_if(mut self, otherwise: Self) -> Self {
        self.otherwise = Some(Else::If(Box::new(otherwise)));
        self
    }
}

impl SwitchCase {
    /// `value: { body }`
    pub fn new(value: impl Into<Expr>, body: impl Into<Block>) -> Self {
        Self { notes: Vec::new(), label: Label::Value(value.into()), body: Some(body.into()) }
    }

    /// `value:`, which falls through to the next case.
    pub fn through(value: impl Into<Expr>) -> Self {
        Self { notes: Vec::new(), label: Label::Value(value.into()), body: None }
    }

    /// `default: { body }`
    pub fn default(body: impl Into<Block>) -> Self {
        Self { notes: Vec::new(), label: Label::Default, body: Some(body.into()) }
    }
}
