//! Expressions, types, keysets and annotations.

use nom::Parser;
use nom::combinator::opt;
use nom::multi::{many0, separated_list0, separated_list1};
use nom::sequence::{delimited, preceded};

use super::input::{MAX_HEIGHT, Res, Tokens, deeper, is_keyword, kind, member_name, name, sym};
use super::lexer::{Kind, number_parts};
use crate::ast::{Annotation, Arg, Base, BinaryOp, Expr, Int, Keyset, Type, UnaryOp, Width};

/// An expression and how high its tree is.
type Tall = (Expr, u32);

/// An expression.
pub(super) fn expr(i: Tokens<'_>) -> Res<'_, Expr> {
    let (i, (expr, _)) = ternary(i)?;
    Ok((i, expr))
}

/// An expression that is no `? :`, unless in parentheses.
fn operand(i: Tokens<'_>) -> Res<'_, Expr> {
    let (i, (expr, _)) = binary(i, 1)?;
    Ok((i, expr))
}

fn ternary(i: Tokens<'_>) -> Res<'_, Tall> {
    let (i, condition) = binary(i, 1)?;
    if !i.has(0, "?") {
        return Ok((i, condition));
    }
    let (i, yes) = deeper(ternary)(i.skip(1))?;
    let (i, _) = sym(":").parse(i)?;
    let (i, no) = deeper(ternary)(i)?;
    let height = higher(i, condition.1.max(yes.1).max(no.1))?.1;
    Ok((i, (condition.0.choose(yes.0, no.0), height)))
}

/// Operators that bind at least as tight as `min`, all left-associative.
fn binary(i: Tokens<'_>, min: u8) -> Res<'_, Tall> {
    let (mut i, mut left) = prefix(i)?;
    while let Some((op, width)) = infix(i).filter(|(op, _)| op.precedence() >= min) {
        let (rest, right) = binary(i.skip(width), op.precedence() + 1)?;
        let height = higher(rest, left.1.max(right.1))?.1;
        left = (left.0.binary(op, right.0), height);
        i = rest;
    }
    Ok((i, left))
}

/// The infix operator that comes next, and its tokens.
fn infix(i: Tokens<'_>) -> Option<(BinaryOp, usize)> {
    if i.has(0, ">") && i.has(1, ">") && i.glued(1) {
        return Some((BinaryOp::ShiftRight, 2));
    }
    let op = BinaryOp::ALL.into_iter().find(|op| i.has(0, op.symbol()))?;
    Some((op, 1))
}

fn prefix(i: Tokens<'_>) -> Res<'_, Tall> {
    if let Some(op) = UnaryOp::ALL.into_iter().find(|op| i.has(0, op.symbol())) {
        let (i, inner) = deeper(prefix)(i.skip(1))?;
        let height = higher(i, inner.1)?.1;
        return Ok((i, (Expr::Unary(op, Box::new(inner.0)), height)));
    }
    if let Some((i, to)) = cast(i) {
        let (i, inner) = deeper(prefix)(i)?;
        let height = higher(i, inner.1)?.1;
        return Ok((i, (inner.0.cast(to), height)));
    }
    postfix(i)
}

/// `(type)` in front of an operand. A name in parentheses counts as a type unless what follows
/// could go on with it as a value.
fn cast(i: Tokens<'_>) -> Option<(Tokens<'_>, Type)> {
    if !i.has(0, "(") {
        return None;
    }
    let (i, to) = delimited(sym("("), ty, sym(")")).parse(i).ok()?;
    let next = i.first()?;
    let operand = match next.kind {
        Kind::Word => !is_keyword(next.text) || matches!(next.text, "true" | "false" | "error" | "this"),
        Kind::Int | Kind::Text => true,
        Kind::Include => false,
        Kind::Symbol => matches!(next.text, "(" | "{" | "~" | "!") || (next.text == "-" && builtin(&to)),
    };
    operand.then_some((i, to))
}

fn builtin(ty: &Type) -> bool {
    match ty {
        Type::Named(_) | Type::Generic(..) => false,
        Type::Stack(element, _) => builtin(element),
        _ => true,
    }
}

fn postfix(i: Tokens<'_>) -> Res<'_, Tall> {
    let (mut i, mut base) = primary(i)?;
    loop {
        let height = higher(i, base.1)?.1;
        if i.has(0, ".") {
            let (rest, member) = member_name(i.skip(1))?;
            base = (base.0.member(member), height);
            i = rest;
        } else if i.has(0, "[") {
            let (rest, (hi, lo)) = deeper(brackets)(i.skip(1))?;
            let height = higher(rest, height.max(hi.1).max(lo.as_ref().map_or(0, |lo| lo.1)))?.1;
            let expr = match lo {
                Some(lo) => base.0.slice(hi.0, lo.0),
                None => base.0.index(hi.0),
            };
            (i, base) = (rest, (expr, height));
        } else if let Some((rest, types)) = call_head(i) {
            let (rest, args) = deeper(args)(rest)?;
            let height = higher(rest, height.max(args.1))?.1;
            (i, base) = (rest, (base.0.invoke_typed(types, args.0), height));
        } else {
            return Ok((i, base));
        }
    }
}

/// `index]` or `hi:lo]`
fn brackets(i: Tokens<'_>) -> Res<'_, (Tall, Option<Tall>)> {
    let (i, hi) = ternary(i)?;
    let (i, lo) = opt(preceded(sym(":"), ternary)).parse(i)?;
    let (i, _) = sym("]").parse(i)?;
    Ok((i, (hi, lo)))
}

/// `<types>` before the parenthesis of a call, or nothing. A `<` after a blank is a comparison.
fn call_head(i: Tokens<'_>) -> Option<(Tokens<'_>, Vec<Type>)> {
    if i.has(0, "(") {
        return Some((i, Vec::new()));
    }
    if !i.has(0, "<") || !i.glued(0) {
        return None;
    }
    let (i, types) = type_args(i).ok()?;
    i.has(0, "(").then_some((i, types))
}

/// `(args)`, and the height of the highest.
fn args(i: Tokens<'_>) -> Res<'_, (Vec<Arg>, u32)> {
    let (i, args) = delimited(sym("("), separated_list0(sym(","), arg), sym(")")).parse(i)?;
    let height = args.iter().map(|(_, height)| *height).max().unwrap_or(0);
    Ok((i, (args.into_iter().map(|(arg, _)| arg).collect(), height)))
}

/// `(args)`
pub(super) fn arguments(i: Tokens<'_>) -> Res<'_, Vec<Arg>> {
    let (i, (args, _)) = deeper(args)(i)?;
    Ok((i, args))
}

fn arg(i: Tokens<'_>) -> Res<'_, (Arg, u32)> {
    let (i, name) = field_name(i)?;
    let (i, (value, height)) = ternary(i)?;
    Ok((i, (Arg { name, value }, height)))
}

/// `name =`, if that comes next.
fn field_name(i: Tokens<'_>) -> Res<'_, Option<String>> {
    if i.has(1, "=") {
        let (i, name) = name(i)?;
        return Ok((i.skip(1), Some(name)));
    }
    Ok((i, None))
}

fn primary(i: Tokens<'_>) -> Res<'_, Tall> {
    let Some(token) = i.first() else { return i.miss("an expression") };
    let leaf = |expr| Ok((i.skip(1), (expr, 1)));
    match (token.kind, token.text) {
        (Kind::Int, _) => {
            let (i, int) = integer(i)?;
            Ok((i, (Expr::Int(int), 1)))
        }
        (Kind::Text, text) => leaf(Expr::String(unquoted(text))),
        (Kind::Word, "true") => leaf(Expr::Bool(true)),
        (Kind::Word, "false") => leaf(Expr::Bool(false)),
        (Kind::Word, word @ ("error" | "this")) => leaf(Expr::name(word)),
        (Kind::Word, word) if !is_keyword(word) => leaf(Expr::name(word)),
        (Kind::Symbol, "(") => deeper(|i| delimited(sym("("), ternary, sym(")")).parse(i))(i),
        (Kind::Symbol, "{") => deeper(braces)(i),
        _ => i.miss("an expression"),
    }
}

/// `{ a, b }` or `{ name = a, other = b }`; a comma may follow the last item.
fn braces(i: Tokens<'_>) -> Res<'_, Tall> {
    let (i, items) = delimited(sym("{"), separated_list0(comma, arg), (opt(sym(",")), sym("}"))).parse(i)?;
    let height = higher(i, items.iter().map(|(_, height)| *height).max().unwrap_or(0))?.1;
    let named = items.iter().filter(|(arg, _)| arg.name.is_some()).count();
    if named == 0 {
        let items = items.into_iter().map(|(arg, _)| arg.value).collect();
        return Ok((i, (Expr::List(items), height)));
    }
    if named < items.len() {
        return i.miss("a name for each item of the list");
    }
    let fields = items.into_iter().filter_map(|(arg, _)| Some((arg.name?, arg.value))).collect();
    Ok((i, (Expr::Record(fields), height)))
}

/// A comma with something after it.
fn comma(i: Tokens<'_>) -> Res<'_, &str> {
    if i.has(1, "}") { i.miss("`}`") } else { sym(",").parse(i) }
}

/// One more than a height, within limits.
fn higher(i: Tokens<'_>, height: u32) -> Res<'_, u32> {
    if height >= MAX_HEIGHT {
        return i.fatal("a shorter expression");
    }
    i.reached(height + 1);
    Ok((i, height + 1))
}

/// An integer literal.
pub(super) fn integer(i: Tokens<'_>) -> Res<'_, Int> {
    let (rest, text) = kind(Kind::Int, "a number")(i)?;
    match literal(text) {
        Some(int) => Ok((rest, int)),
        None => i.fatal("a number of up to 128 bits"),
    }
}

fn literal(text: &str) -> Option<Int> {
    let (width, base, digits) = number_parts(text);
    let base = match base.map(|c| c.to_ascii_lowercase()) {
        None | Some('d') => Base::Decimal,
        Some('x') => Base::Hex,
        Some('o') => Base::Octal,
        Some(_) => Base::Binary,
    };
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    let count = u32::try_from(digits.len()).ok()?;
    let int = Int::new(u128::from_str_radix(&digits, base.radix()).ok()?).in_base(base, count);
    match width {
        Some((bits, signed)) => Some(int.with_width(Width { bits: bits.parse().ok()?, signed })),
        None => Some(int),
    }
}

/// A whole number of at most 32 bits: a width or a size.
fn small(i: Tokens<'_>) -> Res<'_, u32> {
    let (rest, int) = integer(i)?;
    match u32::try_from(int.value()) {
        Ok(value) => Ok((rest, value)),
        Err(_) => i.miss("a number of up to 32 bits"),
    }
}

/// The text between the quotes of a string literal.
pub(super) fn unquoted(literal: &str) -> String {
    let inner = literal.strip_prefix('"').and_then(|l| l.strip_suffix('"')).unwrap_or(literal);
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            (_, Some('n')) => text.push('\n'),
            (_, Some('r')) => text.push('\r'),
            (_, Some(escaped)) => text.push(escaped),
            (c, None) => text.push(c),
        }
    }
    text
}

/// A type.
pub(super) fn ty(i: Tokens<'_>) -> Res<'_, Type> {
    let Some(token) = i.first().filter(|t| t.kind == Kind::Word) else { return i.miss("a type") };
    let rest = i.skip(1);
    let width = |i| delimited(sym("<"), small, sym(">")).parse(i);
    let (mut i, mut ty) = match token.text {
        "bool" => (rest, Type::Bool),
        "error" => (rest, Type::Error),
        "void" => (rest, Type::Void),
        "int" if !rest.has(0, "<") => (rest, Type::Int),
        "bit" if !rest.has(0, "<") => (rest, Type::Bits(1)),
        "bit" => width.map(Type::Bits).parse(rest)?,
        "int" => width.map(Type::Signed).parse(rest)?,
        "varbit" => width.map(Type::Varbit).parse(rest)?,
        "tuple" => type_args.map(Type::Tuple).parse(rest)?,
        word if is_keyword(word) => return i.miss("a type"),
        word if rest.has(0, "<") => type_args.map(|args| Type::Generic(word.to_owned(), args)).parse(rest)?,
        word => (rest, Type::named(word)),
    };
    while i.has(0, "[") {
        let (rest, size) = deeper(|i| delimited(sym("["), small, sym("]")).parse(i))(i)?;
        if matches!(ty, Type::Stack(..)) {
            return i.miss("a name after the type");
        }
        (i, ty) = (rest, ty.stack(size));
    }
    Ok((i, ty))
}

/// `<types>`
fn type_args(i: Tokens<'_>) -> Res<'_, Vec<Type>> {
    deeper(|i| delimited(sym("<"), separated_list1(sym(","), ty), sym(">")).parse(i))(i)
}

/// Annotations, possibly none.
pub(super) fn annotations(i: Tokens<'_>) -> Res<'_, Vec<Annotation>> {
    many0(annotation).parse(i)
}

fn annotation(i: Tokens<'_>) -> Res<'_, Annotation> {
    let (i, name) = preceded(sym("@"), member_name).parse(i)?;
    let body = delimited(sym("("), separated_list0(sym(","), expr), sym(")"));
    let (i, args) = opt(body).parse(i)?;
    Ok((i, Annotation { name, args: args.unwrap_or_default() }))
}

/// A keyset: one component, or several in parentheses; `:` follows.
pub(super) fn keysets(i: Tokens<'_>) -> Res<'_, Vec<Keyset>> {
    let tuple = delimited(sym("("), separated_list1(sym(","), keyset), sym(")")).parse(i);
    match tuple {
        Ok((rest, keysets)) if rest.has(0, ":") => Ok((rest, keysets)),
        Err(failure @ nom::Err::Failure(_)) => Err(failure),
        _ => keyset.map(|single| vec![single]).parse(i),
    }
}

fn keyset(i: Tokens<'_>) -> Res<'_, Keyset> {
    if i.has(0, "default") {
        return Ok((i.skip(1), Keyset::Default));
    }
    if i.has(0, "_") {
        return Ok((i.skip(1), Keyset::DontCare));
    }
    let (i, value) = operand(i)?;
    if i.has(0, "&&&") {
        return operand.map(|mask| Keyset::Mask(value.clone(), mask)).parse(i.skip(1));
    }
    if i.has(0, "..") {
        return operand.map(|high| Keyset::Range(value.clone(), high)).parse(i.skip(1));
    }
    Ok((i, Keyset::Value(value)))
}
