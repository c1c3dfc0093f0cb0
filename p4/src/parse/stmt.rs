//! Statements.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::multi::many0;
use nom::sequence::{delimited, preceded, terminated};

use super::expr::{expr, ty};
use super::input::{Res, Tokens, deeper, name, notes, sym};
use crate::ast::{Block, Else, Expr, If, Label, Stmt, StmtKind, SwitchCase};

/// `{ statements }`
pub(super) fn block(i: Tokens<'_>) -> Res<'_, Block> {
    deeper(|i| delimited(sym("{"), many0(stmt), sym("}")).parse(i))(i)
}

/// A statement with the comment lines above it.
pub(super) fn stmt(i: Tokens<'_>) -> Res<'_, Stmt> {
    let (i, notes) = notes(i)?;
    let (i, kind) = kind(i)?;
    Ok((i, Stmt { notes, kind }))
}

fn kind(i: Tokens<'_>) -> Res<'_, StmtKind> {
    let word = i.first().map_or("", |token| token.text);
    match word {
        "{" => block.map(StmtKind::Block).parse(i),
        "if" => branches.map(StmtKind::If).parse(i),
        "switch" => switch(i),
        "const" => constant(i),
        "exit" => terminated(sym("exit"), sym(";")).map(|_| StmtKind::Exit).parse(i),
        "return" => delimited(sym("return"), opt(expr), sym(";")).map(StmtKind::Return).parse(i),
        ";" => Ok((i.skip(1), StmtKind::Empty)),
        _ => alt((variable, action)).parse(i),
    }
}

/// `type name = init;`
fn variable(i: Tokens<'_>) -> Res<'_, StmtKind> {
    let (i, (ty, name)) = (ty, name).parse(i)?;
    let (i, init) = terminated(opt(preceded(sym("="), expr)), sym(";")).parse(i)?;
    Ok((i, StmtKind::Variable(ty, name, init)))
}

fn constant(i: Tokens<'_>) -> Res<'_, StmtKind> {
    let (i, (_, ty, name, _, value, _)) = (sym("const"), ty, name, sym("="), expr, sym(";")).parse(i)?;
    Ok((i, StmtKind::Const(ty, name, value)))
}

/// An assignment or a call.
fn action(i: Tokens<'_>) -> Res<'_, StmtKind> {
    let (i, left) = expr(i)?;
    if i.has(0, "=") {
        let (i, right) = delimited(sym("="), expr, sym(";")).parse(i)?;
        return Ok((i, StmtKind::Assign(left, right)));
    }
    if !matches!(left, Expr::Call(..)) {
        return i.miss("`=` or `(`");
    }
    terminated(|i| Ok((i, ())), sym(";")).map(|()| StmtKind::Call(left.clone())).parse(i)
}

/// `if (condition) statement else statement`, the branches as blocks.
fn branches(i: Tokens<'_>) -> Res<'_, If> {
    let (i, condition) =
        preceded(sym("if"), deeper(|i| delimited(sym("("), expr, sym(")")).parse(i))).parse(i)?;
    let (i, then) = branch(i)?;
    if !i.has(0, "else") {
        return Ok((i, If { condition, then, otherwise: None }));
    }
    let i = i.skip(1);
    let (i, otherwise) = if i.has(0, "if") {
        deeper(branches).map(|next| Else::If(Box::new(next))).parse(i)?
    } else {
        branch.map(Else::Block).parse(i)?
    };
    Ok((i, If { condition, then, otherwise: Some(otherwise) }))
}

/// A block, or a single statement as one.
fn branch(i: Tokens<'_>) -> Res<'_, Block> {
    if i.has(0, "{") { block(i) } else { deeper(stmt).map(|single| vec![single]).parse(i) }
}

fn switch(i: Tokens<'_>) -> Res<'_, StmtKind> {
    let head = preceded(sym("switch"), deeper(|i| delimited(sym("("), expr, sym(")")).parse(i)));
    let cases = deeper(|i| delimited(sym("{"), many0(case), sym("}")).parse(i));
    let (i, (subject, cases)) = (head, cases).parse(i)?;
    Ok((i, StmtKind::Switch(subject, cases)))
}

fn case(i: Tokens<'_>) -> Res<'_, SwitchCase> {
    let (i, notes) = notes(i)?;
    let (i, label) =
        if i.has(0, "default") { (i.skip(1), Label::Default) } else { expr.map(Label::Value).parse(i)? };
    let (i, _) = sym(":").parse(i)?;
    let (i, body) = if i.has(0, "{") { block.map(Some).parse(i)? } else { (i, None) };
    Ok((i, SwitchCase { notes, label, body }))
}
