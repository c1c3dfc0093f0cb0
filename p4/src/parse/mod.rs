//! Reads programs: everything that [`print()`](crate::print()) writes, and ordinary hand formatting.
//!
//! `//` lines directly before a declaration, field, parameterless member, state, statement, case,
//! key, action, entry or table property belong to it; all other comments are skipped. Text after a
//! line's code is such an other comment. Preprocessor lines other than `#include` are errors.
//!
//! Nothing makes the parser panic or overflow its stack: nesting is limited to [`MAX_DEPTH`], in the text and in what
//! [`print()`](crate::print()) would write of it. So what was read can always be printed and read again.

mod decl;
mod expr;
mod input;
mod lexer;
mod stmt;
mod table;

use std::cell::RefCell;

use nom::Parser as _;
use nom::combinator::all_consuming;
use thiserror::Error;

use crate::ast::{Expr, Program};
use input::{Furthest, Res, Tokens};
pub use input::{MAX_DEPTH, MAX_HEIGHT};

/// Why a text is no program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}:{column}: expected {expected}, found {found}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What could have stood there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// Reads a program.
///
/// # Errors
/// The furthest place at which the text could not be read on, and what was expected there.
pub fn parse(text: &str) -> Result<Program, ParseError> {
    run(text, decl::program, crate::print)
}

/// Reads a single expression.
///
/// # Errors
/// As [`parse`].
pub fn parse_expr(text: &str) -> Result<Expr, ParseError> {
    run(text, expr::expr, crate::print::expr)
}

/// Levels below which a text is never printed with more of them than are allowed.
const LOW: u32 = MAX_DEPTH / 3;

fn run<T>(
    text: &str,
    parser: impl FnMut(Tokens<'_>) -> Res<'_, T> + Copy,
    print: impl Fn(&T) -> String,
) -> Result<T, ParseError> {
    let (value, (levels, offset)) = read(text, parser)?;
    // The printer sets parentheses where a text may leave them out.
    if levels > LOW && read(&print(&value), parser).is_err() {
        return Err(located(text, offset, "fewer levels of nesting".to_owned()));
    }
    Ok(value)
}

/// What a text says, how deep or high it got, and where in bytes.
fn read<T>(
    text: &str,
    parser: impl FnMut(Tokens<'_>) -> Res<'_, T>,
) -> Result<(T, (u32, usize)), ParseError> {
    let tokens =
        lexer::tokens(text).map_err(|(offset, expected)| located(text, offset, expected.to_owned()))?;
    let furthest = RefCell::new(Furthest::default());
    let result = all_consuming(parser).parse(Tokens::new(&tokens, &furthest)).map(|(_, value)| value);
    let offset = |index: usize| tokens.get(index).map_or(text.len(), |token| token.offset);
    let furthest = furthest.borrow();
    match result {
        Ok(value) => {
            let (levels, index) = furthest.tallest();
            Ok((value, (levels, offset(index))))
        }
        Err(_) => {
            let (index, expected) = furthest.expected();
            Err(located(text, offset(index), expected))
        }
    }
}

/// The error at a byte offset of the text.
fn located(text: &str, offset: usize, expected: String) -> ParseError {
    let (before, after) = text.split_at(text.floor_char_boundary(offset));
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let word: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').take(40).collect();
    let found = match (word.is_empty(), after.chars().next()) {
        (false, _) => format!("`{word}`"),
        (true, Some(c)) => format!("{c:?}"),
        (true, None) => "the end".to_owned(),
    };
    ParseError { line, column, expected, found }
}
