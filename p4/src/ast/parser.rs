//! Parsers: states and transitions.

use super::annotation::{annotated, noted};
use super::{Annotation, Decl, Expr, Keyset, Note, Param, Stmt};

/// `parser name(params) { locals states }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParserDecl {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Constants, variables and instances before the states.
    pub locals: Vec<Decl>,
    /// The states; the first to run is named `start`.
    pub states: Vec<State>,
}

/// `state name { body transition ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Annotations before it.
    pub annotations: Vec<Annotation>,
    /// Its name.
    pub name: String,
    /// What it does.
    pub body: Vec<Stmt>,
    /// Where it goes.
    pub transition: Transition,
}

/// Where a state goes, with the comment lines above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Where it goes.
    pub kind: TransitionKind,
}

/// Where a state goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransitionKind {
    /// `transition name;`
    To(String),
    /// `transition select(subjects) { cases }`
    Select(Vec<Expr>, Vec<SelectCase>),
}

/// `keysets: target;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectCase {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// One component for each subject, or a single `default` or `_`.
    pub keysets: Vec<Keyset>,
    /// The next state.
    pub target: String,
}

noted!(State, Transition, SelectCase);
annotated!(State);

impl ParserDecl {
    /// A parser without locals and states.
    pub fn new(name: impl Into<String>, params: impl IntoIterator<Item = Param>) -> Self {
        Self { name: name.into(), params: params.into_iter().collect(), locals: vec![], states: vec![] }
    }

    /// Adds a state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.states.push(state);
        self
    }
}

impl State {
    /// A state.
    pub fn new(
        name: impl Into<String>,
        body: impl IntoIterator<Item = Stmt>,
        transition: impl Into<Transition>,
    ) -> Self {
        Self {
            notes: Vec::new(),
            annotations: Vec::new(),
            name: name.into(),
            body: body.into_iter().collect(),
            transition: transition.into(),
        }
    }
}

impl Transition {
    /// `transition target;`
    pub fn to(target: impl Into<String>) -> Self {
        Self { notes: Vec::new(), kind: TransitionKind::To(target.into()) }
    }

    /// `transition accept;`
    pub fn accept() -> Self {
        Self::to("accept")
    }

    /// `transition reject;`
    pub fn reject() -> Self {
        Self::to("reject")
    }

    /// `transition select(subjects) { cases }`
    pub fn select<E: Into<Expr>>(
        subjects: impl IntoIterator<Item = E>,
        cases: impl IntoIterator<Item = SelectCase>,
    ) -> Self {
        let subjects = subjects.into_iter().map(Into::into).collect();
        Self { notes: Vec::new(), kind: TransitionKind::Select(subjects, cases.into_iter().collect()) }
    }
}

impl SelectCase {
    /// `(keysets): target;`
    pub fn new<K: Into<Keyset>>(keysets: impl IntoIterator<Item = K>, target: impl Into<String>) -> Self {
        Self {
            notes: Vec::new(),
            keysets: keysets.into_iter().map(Into::into).collect(),
            target: target.into(),
        }
    }

    /// `default: target;`
    pub fn default(target: impl Into<String>) -> Self {
        Self::new([Keyset::Default], target)
    }
}
