//! Expressions and types.

use crate::ast::{Arg, Base, BinaryOp, Expr, Int, Keyset, Type, UnaryOp};

use super::writer::{List, STEP, WIDTH, pad};

/// Binds tighter than any infix operator.
const PREFIX: u8 = 11;
/// Binds tighter than any prefix operator.
const POSTFIX: u8 = 12;
/// Anything but `? :`.
pub(super) const NO_TERNARY: u8 = 1;

/// The place an expression has on its line.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Where the line starts.
    pub(super) indent: usize,
    /// Where the expression starts.
    pub(super) column: usize,
    /// Columns that something else takes after it.
    pub(super) tail: usize,
}

/// The text on one line.
pub(super) fn flat(expr: &Expr) -> String {
    match expr {
        Expr::Int(int) => literal(int),
        Expr::Bool(value) => value.to_string(),
        Expr::String(text) => quoted(text),
        Expr::Name(name) => name.clone(),
        Expr::Member(base, name) => format!("{}.{name}", at_least(base, POSTFIX)),
        Expr::Index(base, index) => format!("{}[{}]", at_least(base, POSTFIX), flat(index)),
        Expr::Slice(base, hi, lo) => {
            let (hi, lo) = (at_least(hi, NO_TERNARY), at_least(lo, NO_TERNARY));
            format!("{}[{hi}:{lo}]", at_least(base, POSTFIX))
        }
        Expr::Call(callee, types, args) => {
            let args: Vec<String> = args.iter().map(|a| arg(a, None)).collect();
            format!("{}({})", call_head(callee, types), args.join(", "))
        }
        Expr::Cast(to, operand) => format!("({}) {}", ty(to), cast_operand(to, operand)),
        Expr::Unary(op, operand) => format!("{}{}", op.symbol(), at_least(operand, PREFIX)),
        Expr::Binary(op, left, right) => {
            format!("{} {} {}", left_operand(*op, left), op.symbol(), right_operand(*op, right))
        }
        Expr::Ternary(condition, yes, no) => {
            let [condition, yes, no] = [condition, yes, no].map(|e| at_least(e, NO_TERNARY));
            format!("{condition} ? {yes} : {no}")
        }
        Expr::List(items) if items.is_empty() => "{ }".to_owned(),
        Expr::List(items) => {
            let items: Vec<String> = items.iter().map(flat).collect();
            format!("{{ {} }}", items.join(", "))
        }
        Expr::Record(fields) => {
            let fields: Vec<String> = fields.iter().map(|f| record_field(f, None)).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// The text, broken into lines if it does not fit.
pub(super) fn layout(expr: &Expr, place: Place) -> String {
    let text = flat(expr);
    if place.column + text.len() + place.tail <= WIDTH {
        return text;
    }
    match expr {
        Expr::Call(callee, types, args) if !args.is_empty() => {
            let head = call_head(callee, types);
            let inner = Place { column: place.column + head.len(), ..place };
            if let [Arg { name: None, value: value @ Expr::List(_) }] = args.as_slice() {
                return format!("{head}{}", parenthesised(value, inner));
            }
            format!("{head}{}", list(("(", ")"), inner).layout(args, arg))
        }
        Expr::List(items) => list(("{ ", " }"), place).layout(items, item),
        Expr::Record(fields) => list(("{ ", " }"), place).layout(fields, record_field),
        Expr::Binary(op, ..) => chain(*op, expr, place),
        Expr::Cast(to, operand) => {
            let head = format!("({}) ", ty(to));
            let inner = Place { column: place.column + head.len(), ..place };
            if precedence(operand) < PREFIX || is_negation(operand) {
                return format!("{head}{}", parenthesised(operand, inner));
            }
            format!("{head}{}", layout(operand, inner))
        }
        Expr::Unary(op, operand) if precedence(operand) < PREFIX => {
            format!("{}{}", op.symbol(), parenthesised(operand, Place { column: place.column + 1, ..place }))
        }
        Expr::Ternary(condition, yes, no) => {
            let inner = place.indent + STEP;
            let part = |e: &Expr| {
                let place = Place { indent: inner, column: inner + 2, tail: place.tail };
                if precedence(e) < NO_TERNARY { parenthesised(e, place) } else { layout(e, place) }
            };
            let condition = if precedence(condition) < NO_TERNARY {
                parenthesised(condition, place)
            } else {
                layout(condition, place)
            };
            let margin = pad(inner);
            format!("{condition}\n{margin}? {}\n{margin}: {}", part(yes), part(no))
        }
        _ => text,
    }
}

/// `left op right op ...`, an operand a line, the operators in front.
fn chain(op: BinaryOp, expr: &Expr, place: Place) -> String {
    let mut rest = Vec::new();
    let mut first = expr;
    while let Expr::Binary(inner, left, right) = first {
        if *inner != op {
            break;
        }
        rest.push(right);
        first = left;
        if is_comparison(op) {
            break;
        }
    }
    let broken = |operand: &Expr, parens: bool, place: Place| {
        if parens { parenthesised(operand, place) } else { layout(operand, place) }
    };
    let mut text = broken(first, needs_parens_left(op, first), place);
    let inner = place.indent + STEP;
    for right in rest.iter().rev() {
        let column = inner + op.symbol().len() + 1;
        let place = Place { indent: inner, column, tail: place.tail };
        let right = broken(right, needs_parens_right(op, right), place);
        text.push_str(&format!("\n{}{} {right}", pad(inner), op.symbol()));
    }
    text
}

/// The text in parentheses, broken into lines if it does not fit.
fn parenthesised(expr: &Expr, place: Place) -> String {
    let place = Place { column: place.column + 1, tail: place.tail + 1, ..place };
    format!("({})", layout(expr, place))
}

/// A list at a place.
fn list(delimiters: (&'static str, &'static str), place: Place) -> List<'static> {
    List { delimiters, column: place.column, indent: place.indent, tail: place.tail }
}

/// What stands before the parentheses of a call.
fn call_head(callee: &Expr, types: &[Type]) -> String {
    let callee = at_least(callee, POSTFIX);
    if types.is_empty() { callee } else { format!("{callee}{}", type_args(types)) }
}

/// An item that a list may give a line of its own, which ends in a comma.
fn item(expr: &Expr, indent: Option<usize>) -> String {
    match indent {
        Some(indent) => layout(expr, Place { indent, column: indent, tail: 1 }),
        None => flat(expr),
    }
}

/// An argument.
pub(super) fn arg(arg: &Arg, indent: Option<usize>) -> String {
    named(arg.name.as_deref(), &arg.value, indent)
}

/// A field of a record.
fn record_field(field: &(String, Expr), indent: Option<usize>) -> String {
    named(Some(&field.0), &field.1, indent)
}

/// `name = value`, or `value`.
fn named(name: Option<&str>, value: &Expr, indent: Option<usize>) -> String {
    let head = name.map(|name| format!("{name} = ")).unwrap_or_default();
    let value = match indent {
        Some(indent) => layout(value, Place { indent, column: indent + head.len(), tail: 1 }),
        None => flat(value),
    };
    head + &value
}

/// The text on one line, in parentheses if it binds looser than `min`.
pub(super) fn at_least(expr: &Expr, min: u8) -> String {
    let text = flat(expr);
    if precedence(expr) < min { format!("({text})") } else { text }
}

/// How tightly an expression's outermost operator binds.
fn precedence(expr: &Expr) -> u8 {
    match expr {
        Expr::Ternary(..) => 0,
        Expr::Binary(op, ..) => op.precedence(),
        Expr::Unary(..) | Expr::Cast(..) => PREFIX,
        _ => POSTFIX,
    }
}

fn left_operand(op: BinaryOp, operand: &Expr) -> String {
    let text = flat(operand);
    if needs_parens_left(op, operand) { format!("({text})") } else { text }
}

fn right_operand(op: BinaryOp, operand: &Expr) -> String {
    let text = flat(operand);
    if needs_parens_right(op, operand) { format!("({text})") } else { text }
}

fn needs_parens_left(op: BinaryOp, operand: &Expr) -> bool {
    precedence(operand) < op.precedence() || unclear(op, operand)
}

fn needs_parens_right(op: BinaryOp, operand: &Expr) -> bool {
    precedence(operand) <= op.precedence() || unclear(op, operand)
}

/// Whether a reader would have to know the grammar by heart.
fn unclear(op: BinaryOp, operand: &Expr) -> bool {
    matches!(operand, Expr::Binary(inner, ..) if clearer(op, *inner))
}

/// Whether `inner` under `op` reads better in parentheses, needed or not: comparisons of
/// comparisons or of bit operations (C binds them the other way), different operators of a kind.
fn clearer(op: BinaryOp, inner: BinaryOp) -> bool {
    use BinaryOp::{BitAnd, BitOr, BitXor, Concat, ShiftLeft, ShiftRight};
    let bitwise = |op| matches!(op, BitAnd | BitOr | BitXor);
    let shift = |op| matches!(op, ShiftLeft | ShiftRight);
    if is_comparison(op) {
        return is_comparison(inner) || bitwise(inner) || shift(inner);
    }
    if bitwise(op) || shift(op) || op == Concat {
        return inner != op;
    }
    inner == Concat
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(op.precedence(), 3 | 4)
}

/// The operand of a cast. `(name) -x` would read as a subtraction.
fn cast_operand(to: &Type, operand: &Expr) -> String {
    let builtin = !matches!(to, Type::Named(_) | Type::Generic(..) | Type::Stack(..));
    if !builtin && is_negation(operand) { format!("({})", flat(operand)) } else { at_least(operand, PREFIX) }
}

fn is_negation(expr: &Expr) -> bool {
    matches!(expr, Expr::Unary(UnaryOp::Negate, _))
}

/// An integer literal.
fn literal(int: &Int) -> String {
    let width = match int.width() {
        Some(width) => format!("{}{}", width.bits, if width.signed { 's' } else { 'w' }),
        None => String::new(),
    };
    let (value, digits) = (int.value(), int.digits() as usize);
    let digits = match int.base() {
        Base::Decimal => value.to_string(),
        Base::Hex => format!("{value:0digits$x}"),
        Base::Octal => format!("{value:0digits$o}"),
        Base::Binary => format!("{value:0digits$b}"),
    };
    format!("{width}{}{digits}", int.base().prefix())
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A type.
pub(super) fn ty(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Error => "error".to_owned(),
        Type::Void => "void".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Bits(width) => format!("bit<{width}>"),
        Type::Signed(width) => format!("int<{width}>"),
        Type::Varbit(width) => format!("varbit<{width}>"),
        Type::Named(name) => name.clone(),
        Type::Generic(name, args) => format!("{name}{}", type_args(args)),
        Type::Stack(element, size) => format!("{}[{size}]", self::ty(element)),
        Type::Tuple(elements) => format!("tuple{}", type_args(elements)),
    }
}

fn type_args(types: &[Type]) -> String {
    let types: Vec<String> = types.iter().map(ty).collect();
    format!("<{}>", types.join(", "))
}

/// A component of a keyset.
fn keyset(keyset: &Keyset) -> String {
    let operand = |e| at_least(e, NO_TERNARY);
    match keyset {
        Keyset::Value(value) => operand(value),
        Keyset::Mask(value, mask) => format!("{} &&& {}", operand(value), operand(mask)),
        Keyset::Range(low, high) => format!("{} .. {}", operand(low), operand(high)),
        Keyset::Default => "default".to_owned(),
        Keyset::DontCare => "_".to_owned(),
    }
}

/// The keysets of a case or an entry: a tuple if there are several.
pub(super) fn keysets(keysets: &[Keyset], place: Place) -> String {
    match keysets {
        [single] => keyset(single),
        several => list(("(", ")"), place).layout(several, |k, _| keyset(k)),
    }
}
