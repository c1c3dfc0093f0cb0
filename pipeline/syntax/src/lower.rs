//! The state of the translation from syntax to IR.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Block, HashAlgorithm, Place, Stmt, StmtKind};
use pipeline_ir::{
    ActionId, CounterId, CursorId, FlowTableId, HeaderId, LimiterId, Loc, Pipeline, RingId, TableId, Var,
    VarId, VarKind,
};
use quote::ToTokens;

use crate::names;
use crate::source::Source;
use crate::spans::Spans;

/// The most statements that a pipeline may become once its functions stand in their places.
pub(crate) const STATEMENTS: usize = 20_000;

/// Spans and diagnostics: where errors go.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) spans: Spans,
    pub(crate) diagnostics: Diagnostics,
}

impl Report {
    /// The place of a piece of syntax.
    pub(crate) fn at(&mut self, node: &dyn ToTokens) -> Loc {
        self.spans.note(node)
    }
    /// An error at a piece of syntax.
    pub(crate) fn error(
        &mut self,
        code: Code,
        node: &dyn ToTokens,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let at = self.at(node);
        self.diagnostics.push(code, at, message, help);
    }
    /// Something that the language doesn't have.
    pub(crate) fn syntax(&mut self, node: &dyn ToTokens, message: &str, help: &str) {
        self.error(Code::Syntax, node, message, help);
    }
    /// An error that `syn` found.
    pub(crate) fn parse_error(&mut self, error: &syn::Error, help: &str) {
        for e in error.clone() {
            let at = self.spans.between(e.span(), e.span());
            self.diagnostics.push(Code::Syntax, at, e.to_string(), help);
        }
    }
}

/// What a name or path stands for.
#[derive(Clone, Debug)]
pub(crate) enum Thing {
    Packet,
    Headers,
    Meta,
    Header(HeaderId),
    Stack(usize),
    /// A place that can be read, and written if `mutable`.
    Place {
        place: Place,
        mutable: bool,
    },
    /// Bound to a constant.
    Value(Val),
    /// A key, bound by `let`.
    Key {
        ty: String,
        fields: Vec<Expr>,
    },
    Flow(CursorId),
    /// Its definition has an error, which was reported.
    Bad,
}

/// What an expression gives.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    /// A number without a width yet.
    Num(u128),
    /// A typed value.
    Expr(Expr),
    /// Control never comes here: the packet has its verdict.
    Never,
    /// Nothing: a block's last expression is missing, or its error was reported.
    Bad,
}

/// What a declared object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectId {
    Table(TableId),
    Flow(FlowTableId),
    Ring(RingId),
    Counter(CounterId),
    Limiter(LimiterId),
}

/// A header's name in `Headers`.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) what: Thing,
}

/// A constant's value.
#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Value(Val),
    Hash(HashAlgorithm),
    Bad,
}

/// The translation under way.
pub(crate) struct Lower<'a> {
    pub(crate) source: &'a Source,
    pub(crate) report: Report,
    pub(crate) p: Pipeline,
    /// Constants that have been evaluated.
    pub(crate) constants: BTreeMap<String, Constant>,
    /// Constants being evaluated: a second visit is a cycle.
    pub(crate) evaluating: Vec<String>,
    pub(crate) overrides: BTreeMap<String, syn::Expr>,
    /// The fields of `Headers`.
    pub(crate) slots: Vec<Slot>,
    /// Header stacks, by the index in [`Thing::Stack`].
    pub(crate) stacks: Vec<Vec<HeaderId>>,
    /// The fields of `Meta`.
    pub(crate) meta: Vec<(String, VarId)>,
    /// Objects by their source names.
    pub(crate) objects: Vec<(String, ObjectId)>,
    /// Key structs by table and by flow table.
    pub(crate) table_keys: Vec<String>,
    pub(crate) flow_keys: Vec<String>,
    /// Actions by (enum, variant).
    pub(crate) actions: Vec<(String, String, ActionId)>,
    /// Drop reasons by their source names.
    pub(crate) reasons: Vec<String>,
    /// Names in force, inner ones last.
    pub(crate) scope: Vec<(String, Thing)>,
    /// The control, once translated.
    pub(crate) control: Block,
    /// The block being filled.
    pub(crate) out: Block,
    /// Functions being put in place, outermost first.
    pub(crate) calls: Vec<String>,
    /// Functions that were called.
    pub(crate) called: BTreeSet<String>,
    /// Above 0: inside an operand, where nothing may be assigned.
    pub(crate) operand: u32,
    /// Statements made so far.
    pub(crate) made: usize,
    /// Variables declared with `let mut`.
    pub(crate) mutable: BTreeSet<VarId>,
    /// The id that `stay_or` gave each cursor.
    pub(crate) cursor_ids: Vec<Option<VarId>>,
    /// In a repeated parser state: which header of a stack is `next`.
    pub(crate) repetition: Option<u32>,
}

impl<'a> Lower<'a> {
    pub(crate) fn new(source: &'a Source, report: Report) -> Self {
        Self {
            source,
            report,
            p: Pipeline::default(),
            constants: BTreeMap::new(),
            evaluating: Vec::new(),
            overrides: BTreeMap::new(),
            slots: Vec::new(),
            stacks: Vec::new(),
            meta: Vec::new(),
            objects: Vec::new(),
            table_keys: Vec::new(),
            flow_keys: Vec::new(),
            actions: Vec::new(),
            reasons: Vec::new(),
            scope: Vec::new(),
            control: Block::new(),
            out: Block::new(),
            calls: Vec::new(),
            called: BTreeSet::new(),
            operand: 0,
            made: 0,
            mutable: BTreeSet::new(),
            cursor_ids: Vec::new(),
            repetition: None,
        }
    }

    /// Is there an object that was declared and refused? What is said of it was said where it is declared.
    pub(crate) fn lacks_objects(&self) -> bool {
        !self.report.diagnostics.is_empty() && self.objects.len() < self.source.objects.len()
    }

    /// Was an object of this name declared and refused?
    pub(crate) fn is_refused(&self, name: &str) -> bool {
        self.lacks_objects() && self.source.objects.iter().any(|o| o.ident == name)
    }

    /// The place of a piece of syntax.
    pub(crate) fn at(&mut self, node: &dyn ToTokens) -> Loc {
        self.report.at(node)
    }
    /// An error at a piece of syntax.
    pub(crate) fn error(
        &mut self,
        code: Code,
        node: &dyn ToTokens,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report.error(code, node, message, help);
    }
    /// Something that the language doesn't have.
    pub(crate) fn syntax(&mut self, node: &dyn ToTokens, message: &str, help: &str) {
        self.report.syntax(node, message, help);
    }

    /// Appends a statement to the block being filled.
    pub(crate) fn emit(&mut self, kind: StmtKind, at: Loc) {
        self.made += 1;
        if self.made <= STATEMENTS {
            self.out.push(Stmt { kind, at });
        }
    }

    /// Has the pipeline become too long? Reported once.
    pub(crate) fn is_too_long(&mut self, node: &dyn ToTokens) -> bool {
        if self.made > STATEMENTS {
            self.error(
                Code::Syntax,
                node,
                format!(
                    "with every function in its place, the control has more than {STATEMENTS} statements"
                ),
                "each call puts the whole function in its place: call long functions once",
            );
        }
        self.made > STATEMENTS
    }

    /// Runs `fill` on an empty block and gives what it filled.
    pub(crate) fn collect<T>(&mut self, fill: impl FnOnce(&mut Self) -> T) -> (Block, T) {
        let outer = std::mem::take(&mut self.out);
        let result = fill(self);
        (std::mem::replace(&mut self.out, outer), result)
    }

    /// Runs `inner` with names of its own.
    pub(crate) fn scoped<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.scope.len();
        let result = inner(self);
        self.scope.truncate(depth);
        result
    }

    /// Runs `inner` as an operand, where nothing may be assigned.
    pub(crate) fn as_operand<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.operand += 1;
        let result = inner(self);
        self.operand -= 1;
        result
    }

    /// Binds a name in the innermost scope.
    pub(crate) fn bind(&mut self, name: impl Into<String>, thing: Thing) {
        self.scope.push((name.into(), thing));
    }

    /// A new local variable.
    pub(crate) fn local(&mut self, name: &str, ty: Type, at: Loc) -> VarId {
        let id = VarId(self.p.vars.len() as u32);
        self.p.vars.push(Var { name: names::snake_case(name), ty, kind: VarKind::Local, at });
        id
    }

    /// Reads a variable.
    pub(crate) fn read(&self, var: VarId, at: Loc) -> Expr {
        Expr { kind: ExprKind::Var(var), ty: self.p.var(var).ty, at }
    }

    /// The type of a place.
    pub(crate) fn place_type(&self, place: Place) -> Type {
        match place {
            Place::Field(h, f) => Type::Bits(self.p.field(h, f).width),
            Place::Var(v) => self.p.var(v).ty,
        }
    }

    /// Reads a place.
    pub(crate) fn read_place(&self, place: Place, at: Loc) -> Expr {
        let kind = match place {
            Place::Field(h, f) => ExprKind::Field(h, f),
            Place::Var(v) => ExprKind::Var(v),
        };
        Expr { kind, ty: self.place_type(place), at }
    }

    /// The declared object with this name.
    pub(crate) fn object(&self, name: &str) -> Option<ObjectId> {
        self.objects.iter().find(|(n, _)| n == name).map(|(_, id)| *id)
    }
}

/// A type as a user writes it.
pub(crate) fn type_text(ty: Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Bits(w) => format!("bit<{w}>"),
    }
}
