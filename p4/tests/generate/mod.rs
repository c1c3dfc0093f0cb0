//! Random trees.

use p4::ast::{
    ActionDecl, ActionRef, Annotation, Arg, Base, BinaryOp, ControlDecl, Decl, DeclKind, Direction, Else,
    Entry, EnumDecl, EnumMember, Expr, Field, FunctionDecl, If, Include, Instance, Int, Key, Keyset, Label,
    Note, Param, ParserDecl, Program, Property, PropertyKind, Record, SelectCase, State, Stmt, StmtKind,
    SwitchCase, Table, Transition, TransitionKind, Type, UnaryOp, Width,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,12}".prop_map(|name| format!("{name}_"))
}

fn int() -> impl Strategy<Value = Int> {
    let base = select(vec![Base::Binary, Base::Octal, Base::Decimal, Base::Hex]);
    let width = option::of((1u32..200, any::<bool>()).prop_map(|(bits, signed)| Width { bits, signed }));
    let value = prop_oneof![any::<u128>(), (0u128..70_000)];
    (value, base, 0u32..9, width).prop_map(|(value, base, digits, width)| {
        let int = Int::new(value).in_base(base, digits);
        width.map_or(int, |width| int.with_width(width))
    })
}

fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::Error),
        Just(Type::Int),
        (1u32..300).prop_map(Type::Bits),
        (1u32..300).prop_map(Type::Signed),
        (1u32..300).prop_map(Type::Varbit),
        name().prop_map(Type::Named),
    ];
    let nested = leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (name(), vec(inner.clone(), 1..3)).prop_map(|(name, args)| Type::Generic(name, args)),
            vec(inner, 1..3).prop_map(Type::Tuple),
        ]
    });
    (nested, option::weighted(0.1, 0u32..9)).prop_map(|(ty, size)| match size {
        Some(size) => ty.stack(size),
        None => ty,
    })
}

pub(crate) fn expr() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        int().prop_map(Expr::Int),
        any::<bool>().prop_map(Expr::Bool),
        "[ -~\n\r]{0,10}".prop_map(Expr::String),
        name().prop_map(Expr::Name),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        let unary = select(UnaryOp::ALL.to_vec());
        let binary = || select(BinaryOp::ALL.to_vec());
        let args = vec((option::weighted(0.2, name()), inner.clone()), 0..5)
            .prop_map(|args| args.into_iter().map(|(name, value)| Arg { name, value }).collect::<Vec<_>>());
        prop_oneof![
            (one(), name()).prop_map(|(base, member)| Expr::Member(base, member)),
            (one(), one()).prop_map(|(base, index)| Expr::Index(base, index)),
            (one(), one(), one()).prop_map(|(base, hi, lo)| Expr::Slice(base, hi, lo)),
            (one(), vec(ty(), 0..3), args).prop_map(|(callee, types, args)| Expr::Call(callee, types, args)),
            (ty(), one()).prop_map(|(ty, operand)| Expr::Cast(ty, operand)),
            (unary, one()).prop_map(|(op, operand)| Expr::Unary(op, operand)),
            (binary(), one(), one()).prop_map(|(op, left, right)| Expr::Binary(op, left, right)),
            (binary(), one(), one()).prop_map(|(op, left, right)| Expr::Binary(op, left, right)),
            (one(), one(), one()).prop_map(|(c, yes, no)| Expr::Ternary(c, yes, no)),
            vec(inner.clone(), 0..6).prop_map(Expr::List),
            vec((name(), inner.clone()), 1..4).prop_map(Expr::Record),
        ]
    })
    .boxed()
}

fn notes() -> impl Strategy<Value = Vec<Note>> {
    vec("\\PC{0,20}".prop_map(Note::new), 0..2)
}

fn annotations() -> impl Strategy<Value = Vec<Annotation>> {
    vec((name(), vec(expr(), 0..2)).prop_map(|(name, args)| Annotation { name, args }), 0..2)
}

fn call() -> impl Strategy<Value = Expr> {
    (name(), name(), vec(expr(), 0..6))
        .prop_map(|(object, method, args)| Expr::name(object).method(method, args))
}

fn lvalue() -> impl Strategy<Value = Expr> {
    (name(), option::of(name()), option::of((0u32..300, 0u32..300))).prop_map(|(base, member, slice)| {
        let base = Expr::name(base);
        let base = member.into_iter().fold(base, Expr::member);
        slice.into_iter().fold(base, |base, (hi, lo)| base.slice(hi, lo))
    })
}

fn stmt() -> BoxedStrategy<Stmt> {
    let leaf = prop_oneof![
        (lvalue(), expr()).prop_map(|(left, right)| StmtKind::Assign(left, right)),
        call().prop_map(StmtKind::Call),
        (ty(), name(), option::of(expr())).prop_map(|(ty, name, init)| StmtKind::Variable(ty, name, init)),
        (ty(), name(), expr()).prop_map(|(ty, name, value)| StmtKind::Const(ty, name, value)),
        Just(StmtKind::Exit),
        option::of(expr()).prop_map(StmtKind::Return),
        Just(StmtKind::Empty),
    ];
    let noted =
        |kind: BoxedStrategy<StmtKind>| (notes(), kind).prop_map(|(notes, kind)| Stmt { notes, kind });
    noted(leaf.boxed())
        .prop_recursive(3, 12, 3, move |inner| {
            let block = || vec(inner.clone(), 0..3);
            let label = prop_oneof![expr().prop_map(Label::Value), Just(Label::Default)];
            let case = (notes(), label, option::of(block())).prop_map(|(notes, label, body)| SwitchCase {
                notes,
                label,
                body,
            });
            let kind = prop_oneof![
                (vec((expr(), block()), 1..4), option::of(block())).prop_map(|(branches, last)| {
                    let last = last.map(Else::Block);
                    let chain = branches.into_iter().rev().fold(last, |otherwise, (condition, then)| {
                        Some(Else::If(Box::new(If { condition, then, otherwise })))
                    });
                    match chain {
                        Some(Else::If(first)) => StmtKind::If(*first),
                        _ => StmtKind::Empty,
                    }
                }),
                (expr(), vec(case, 0..3)).prop_map(|(subject, cases)| StmtKind::Switch(subject, cases)),
                block().prop_map(StmtKind::Block),
            ];
            noted(kind.boxed())
        })
        .boxed()
}

fn keysets() -> impl Strategy<Value = Vec<Keyset>> {
    let keyset = prop_oneof![
        expr().prop_map(Keyset::Value),
        (expr(), expr()).prop_map(|(value, mask)| Keyset::Mask(value, mask)),
        (expr(), expr()).prop_map(|(low, high)| Keyset::Range(low, high)),
        Just(Keyset::Default),
        Just(Keyset::DontCare),
    ];
    vec(keyset, 1..4)
}

fn params() -> impl Strategy<Value = Vec<Param>> {
    let direction = option::of(select(vec![Direction::In, Direction::Out, Direction::InOut]));
    let param = (annotations(), direction, ty(), name())
        .prop_map(|(annotations, direction, ty, name)| Param { annotations, direction, ty, name });
    vec(param, 0..5)
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let field = (notes(), annotations(), ty(), name()).prop_map(|(notes, annotations, ty, name)| Field {
        notes,
        annotations,
        ty,
        name,
    });
    vec(field, 0..4)
}

fn table() -> impl Strategy<Value = Table> {
    let key = (notes(), expr(), name(), annotations())
        .prop_map(|(notes, expr, match_kind, annotations)| Key { notes, expr, match_kind, annotations });
    let args = || vec(expr().prop_map(Arg::from), 0..3);
    let action = (notes(), annotations(), name(), args())
        .prop_map(|(notes, annotations, name, args)| ActionRef { notes, annotations, name, args });
    let entry = (notes(), keysets(), name(), args(), annotations()).prop_map(
        |(notes, keysets, action, args, annotations)| Entry { notes, keysets, action, args, annotations },
    );
    let kind = prop_oneof![
        vec(key, 0..4).prop_map(PropertyKind::Key),
        vec(action, 0..4).prop_map(PropertyKind::Actions),
        vec(entry, 0..4).prop_map(PropertyKind::Entries),
        (name(), expr()).prop_map(|(name, value)| PropertyKind::Value(name, value)),
    ];
    let property = (notes(), annotations(), any::<bool>(), kind)
        .prop_map(|(notes, annotations, constant, kind)| Property { notes, annotations, constant, kind });
    (name(), vec(property, 0..5)).prop_map(|(name, properties)| Table { name, properties })
}

fn block() -> impl Strategy<Value = Vec<Stmt>> {
    vec(stmt(), 0..3)
}

fn decl(kind: impl Strategy<Value = DeclKind>) -> impl Strategy<Value = Decl> {
    (notes(), annotations(), kind).prop_map(|(notes, annotations, kind)| Decl { notes, annotations, kind })
}

fn function() -> impl Strategy<Value = DeclKind> {
    let ret = prop_oneof![ty(), Just(Type::Void)];
    (ret, name(), params(), block())
        .prop_map(|(ret, name, params, body)| DeclKind::Function(FunctionDecl { ret, name, params, body }))
}

fn local() -> BoxedStrategy<Decl> {
    let object =
        prop_oneof![name().prop_map(Type::Named), (name(), ty()).prop_map(|(n, t)| Type::generic(n, [t]))];
    let methods = vec(decl(function()), 0..2);
    let instance = (object, vec(expr().prop_map(Arg::from), 0..3), name(), methods)
        .prop_map(|(ty, args, name, methods)| DeclKind::Instance(Instance { ty, args, name, methods }));
    let kind = prop_oneof![
        (ty(), name(), expr()).prop_map(|(ty, name, value)| DeclKind::Const(ty, name, value)),
        (name(), params(), block()).prop_map(|(name, params, body)| DeclKind::Action(ActionDecl {
            name,
            params,
            body
        })),
        table().prop_map(DeclKind::Table),
        (ty(), name(), option::of(expr())).prop_map(|(ty, name, init)| DeclKind::Variable(ty, name, init)),
        instance,
    ];
    decl(kind).boxed()
}

fn parser() -> impl Strategy<Value = DeclKind> {
    let case = (notes(), keysets(), name()).prop_map(|(notes, keysets, target)| SelectCase {
        notes,
        keysets,
        target,
    });
    let kind = prop_oneof![
        name().prop_map(TransitionKind::To),
        (vec(expr(), 1..4), vec(case, 0..4))
            .prop_map(|(subjects, cases)| TransitionKind::Select(subjects, cases)),
    ];
    let transition = (notes(), kind).prop_map(|(notes, kind)| Transition { notes, kind });
    let state = (notes(), annotations(), name(), block(), transition).prop_map(
        |(notes, annotations, name, body, transition)| State { notes, annotations, name, body, transition },
    );
    (name(), params(), vec(local(), 0..2), vec(state, 0..3)).prop_map(|(name, params, locals, states)| {
        DeclKind::Parser(ParserDecl { name, params, locals, states })
    })
}

fn control() -> impl Strategy<Value = DeclKind> {
    (name(), params(), vec(local(), 0..3), block()).prop_map(|(name, params, locals, apply)| {
        DeclKind::Control(ControlDecl { name, params, locals, apply })
    })
}

fn top_level() -> BoxedStrategy<Decl> {
    let record = || (name(), fields()).prop_map(|(name, fields)| Record { name, fields });
    let member = (notes(), name(), option::of(expr())).prop_map(|(notes, name, value)| EnumMember {
        notes,
        name,
        value,
    });
    let kind = prop_oneof![
        (ty(), name()).prop_map(|(ty, name)| DeclKind::Typedef(ty, name)),
        (ty(), name()).prop_map(|(ty, name)| DeclKind::NewType(ty, name)),
        (option::of(ty()), name(), vec(member, 0..4))
            .prop_map(|(repr, name, members)| DeclKind::Enum(EnumDecl { repr, name, members })),
        vec(name(), 0..4).prop_map(DeclKind::Error),
        record().prop_map(DeclKind::Header),
        record().prop_map(DeclKind::HeaderUnion),
        record().prop_map(DeclKind::Struct),
        function(),
        (prop_oneof![ty(), Just(Type::Void)], name(), params())
            .prop_map(|(ret, name, params)| DeclKind::Extern(ret, name, params)),
        parser(),
        control(),
    ];
    let include = (notes(), "[a-z/.]{1,12}", any::<bool>()).prop_map(|(notes, path, system)| Decl {
        notes,
        annotations: Vec::new(),
        kind: DeclKind::Include(Include { path, system }),
    });
    prop_oneof![1 => include, 4 => local(), 10 => decl(kind)].boxed()
}

pub(crate) fn program() -> impl Strategy<Value = Program> {
    vec(top_level(), 0..5).prop_map(|decls| Program { decls })
}
