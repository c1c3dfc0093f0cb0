//! Declarations: of a program, a control, a parser or an extern object.

use super::annotation::{annotated, noted};
use super::{Annotation, Arg, Block, Expr, Note, ParserDecl, Stmt, Table, Type};

/// A program: its declarations in order, `#include` lines among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The declarations.
    pub decls: Vec<Decl>,
}

/// A declaration with what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decl {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Annotations before it (none before an include).
    pub annotations: Vec<Annotation>,
    /// What it declares.
    pub kind: DeclKind,
}

/// What a declaration declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclKind {
    /// `#include <core.p4>`, at the top level only.
    Include(Include),
    /// `const type name = value;`
    Const(Type, String, Expr),
    /// `typedef type name;`
    Typedef(Type, String),
    /// `type type name;`: a new type, not an alias.
    NewType(Type, String),
    /// `enum name { ... }`
    Enum(EnumDecl),
    /// `error { ... }`
    Error(Vec<String>),
    /// `header name { ... }`
    Header(Record),
    /// `header_union name { ... }`
    HeaderUnion(Record),
    /// `struct name { ... }`
    Struct(Record),
    /// `parser name(...) { ... }`
    Parser(ParserDecl),
    /// `control name(...) { ... }`
    Control(ControlDecl),
    /// `action name(...) { ... }`
    Action(ActionDecl),
    /// `table name { ... }`
    Table(Table),
    /// `type name = init;`
    Variable(Type, String, Option<Expr>),
    /// `type(args) name;`: extern objects and packages.
    Instance(Instance),
    /// `type name(...) { ... }`
    Function(FunctionDecl),
    /// `extern type name(...);`, at the top level only.
    Extern(Type, String, Vec<Param>),
}

/// A file to include.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The path between the delimiters.
    pub path: String,
    /// `<path>` instead of `"path"`.
    pub system: bool,
}

/// `enum name { members }`, or `enum bit<n> name { member = value }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumDecl {
    /// The type of its values, where they are given.
    pub repr: Option<Type>,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<EnumMember>,
}

/// A member of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumMember {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Its name.
    pub name: String,
    /// Its value, if the enum has a representation.
    pub value: Option<Expr>,
}

/// Fields under one name: a header, a header union or a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field: `@field_list(1) bit<8> name;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Comment lines above it.
    pub notes: Vec<Note>,
    /// Annotations before it.
    pub annotations: Vec<Annotation>,
    /// Its type.
    pub ty: Type,
    /// Its name.
    pub name: String,
}

/// Which way a parameter's value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `in`
    In,
    /// `out`
    Out,
    /// `inout`
    InOut,
}

/// A parameter: `inout headers_t h`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Annotations before it.
    pub annotations: Vec<Annotation>,
    /// Which way its value goes; `None` in an action: given by the control plane.
    pub direction: Option<Direction>,
    /// Its type.
    pub ty: Type,
    /// Its name.
    pub name: String,
}

/// `control name(params) { locals apply { ... } }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlDecl {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Variables, constants, instances, actions and tables.
    pub locals: Vec<Decl>,
    /// What it does.
    pub apply: Block,
}

/// `action name(params) { body }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionDecl {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it does.
    pub body: Block,
}

/// `ret name(params) { body }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDecl {
    /// What it returns.
    pub ret: Type,
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it does.
    pub body: Block,
}

/// `type(args) name;`, or `type(args) name = { methods };`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its type.
    pub ty: Type,
    /// Arguments of the constructor.
    pub args: Vec<Arg>,
    /// Its name.
    pub name: String,
    /// The abstract methods that it defines (as a TNA `RegisterAction` does).
    pub methods: Vec<Decl>,
}

noted!(Decl, EnumMember, Field);
annotated!(Decl, Field, Param);

impl Program {
    /// A program of some declarations.
    pub fn new(decls: impl IntoIterator<Item = Decl>) -> Self {
        Self { decls: decls.into_iter().collect() }
    }
}

impl From<DeclKind> for Decl {
    fn from(kind: DeclKind) -> Self {
        Self { notes: Vec::new(), annotations: Vec::new(), kind }
    }
}

impl From<ParserDecl> for Decl {
    fn from(parser: ParserDecl) -> Self {
        DeclKind::Parser(parser).into()
    }
}

impl From<ControlDecl> for Decl {
    fn from(control: ControlDecl) -> Self {
        DeclKind::Control(control).into()
    }
}

impl From<Table> for Decl {
    fn from(table: Table) -> Self {
        DeclKind::Table(table).into()
    }
}

impl Decl {
    /// `#include <path>`
    pub fn include(path: impl Into<String>) -> Self {
        DeclKind::Include(Include { path: path.into(), system: true }).into()
    }

    /// `const ty name = value;`
    pub fn constant(ty: impl Into<Type>, name: impl Into<String>, value: impl Into<Expr>) -> Self {
        DeclKind::Const(ty.into(), name.into(), value.into()).into()
    }

    /// `typedef ty name;`
    pub fn typedef(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        DeclKind::Typedef(ty.into(), name.into()).into()
    }

    /// `error { members }`
    pub fn error<S: Into<String>>(members: impl IntoIterator<Item = S>) -> Self {
        DeclKind::Error(members.into_iter().map(Into::into).collect()).into()
    }

    /// `header name { fields }`
    pub fn header(name: impl Into<String>, fields: impl IntoIterator<Item = Field>) -> Self {
        DeclKind::Header(Record::new(name, fields)).into()
    }

    /// `struct name { fields }`
    pub fn structure(name: impl Into<String>, fields: impl IntoIterator<Item = Field>) -> Self {
        DeclKind::Struct(Record::new(name, fields)).into()
    }

    /// `action name(params) { body }`
    pub fn action(
        name: impl Into<String>,
        params: impl IntoIterator<Item = Param>,
        body: impl Into<Block>,
    ) -> Self {
        let params = params.into_iter().collect();
        DeclKind::Action(ActionDecl { name: name.into(), params, body: body.into() }).into()
    }

    /// `ret name(params) { body }`
    pub fn function(
        ret: impl Into<Type>,
        name: impl Into<String>,
        params: impl IntoIterator<Item = Param>,
        body: impl Into<Block>,
    ) -> Self {
        let params = params.into_iter().collect();
        DeclKind::Function(FunctionDecl { ret: ret.into(), name: name.into(), params, body: body.into() })
            .into()
    }

    /// `extern ret name(params);`
    pub fn external(
        ret: impl Into<Type>,
        name: impl Into<String>,
        params: impl IntoIterator<Item = Param>,
    ) -> Self {
        DeclKind::Extern(ret.into(), name.into(), params.into_iter().collect()).into()
    }

    /// `ty name;`
    pub fn variable(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        DeclKind::Variable(ty.into(), name.into(), None).into()
    }

    /// `ty(args) name;`
    pub fn instance<A: Into<Arg>>(
        ty: impl Into<Type>,
        args: impl IntoIterator<Item = A>,
        name: impl Into<String>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        DeclKind::Instance(Instance { ty: ty.into(), args, name: name.into(), methods: Vec::new() }).into()
    }
}

impl Record {
    /// Fields under one name.
    pub fn new(name: impl Into<String>, fields: impl IntoIterator<Item = Field>) -> Self {
        Self { name: name.into(), fields: fields.into_iter().collect() }
    }
}

impl EnumMember {
    /// A member without a value.
    pub fn new(name: impl Into<String>) -> Self {
        Self { notes: Vec::new(), name: name.into(), value: None }
    }
}

impl Field {
    /// `ty name;`
    pub fn new(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        Self { notes: Vec::new(), annotations: Vec::new(), ty: ty.into(), name: name.into() }
    }
}

impl Param {
    /// `ty name`: in an action, given by the control plane.
    pub fn new(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        Self { annotations: Vec::new(), direction: None, ty: ty.into(), name: name.into() }
    }

    /// `in ty name`
    pub fn input(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        Self { direction: Some(Direction::In), ..Self::new(ty, name) }
    }

    /// `out ty name`
    pub fn out(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        Self { direction: Some(Direction::Out), ..Self::new(ty, name) }
    }

    /// `inout ty name`
    pub fn inout(ty: impl Into<Type>, name: impl Into<String>) -> Self {
        Self { direction: Some(Direction::InOut), ..Self::new(ty, name) }
    }
}

impl ControlDecl {
    /// A control that does nothing.
    pub fn new(name: impl Into<String>, params: impl IntoIterator<Item = Param>) -> Self {
        Self { name: name.into(), params: params.into_iter().collect(), locals: vec![], apply: vec![] }
    }

    /// Adds a local declaration.
    #[must_use]
    pub fn local(mut self, decl: impl Into<Decl>) -> Self {
        self.locals.push(decl.into());
        self
    }

    /// Adds a statement to its `apply` block.
    #[must_use]
    pub fn then(mut self, stmt: Stmt) -> Self {
        self.apply.push(stmt);
        self
    }
}
