//! The parser's input: tokens, how deep it is, and how far anything got.

use std::cell::RefCell;
use std::iter::Enumerate;
use std::slice::Iter;

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Input, Needed, Parser};

use super::lexer::{Kind, Token};
use crate::ast::Note;

/// How many brackets, blocks, prefix operators or `else if` may be open at a time.
pub const MAX_DEPTH: u32 = 48;

/// How high the tree of an expression may be: 1 for each operator on the longest way to a leaf.
pub const MAX_HEIGHT: u32 = 400;

/// The furthest token at which something failed.
#[derive(Default)]
pub(super) struct Furthest {
    index: usize,
    expected: Vec<&'static str>,
    /// The token at which it was deepest, or an expression highest, and how much.
    tallest: (u32, usize),
}

impl Furthest {
    /// How deep or high it got, and the token where.
    pub(super) fn tallest(&self) -> (u32, usize) {
        self.tallest
    }

    /// The token's index, and what could have stood there.
    pub(super) fn expected(&self) -> (usize, String) {
        let mut expected = self.expected.clone();
        expected.sort_unstable();
        expected.dedup();
        (self.index, expected.join(" or "))
    }
}

/// Tokens that are still to be read.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    all: &'a [Token<'a>],
    start: usize,
    end: usize,
    depth: u32,
    furthest: &'a RefCell<Furthest>,
}

/// A failure; what is known of it is in [`Furthest`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Miss;

/// What a parser gives back.
pub(super) type Res<'a, T> = IResult<Tokens<'a>, T, Miss>;

impl<'a> ParseError<Tokens<'a>> for Miss {
    fn from_error_kind(input: Tokens<'a>, kind: ErrorKind) -> Self {
        if kind == ErrorKind::Eof {
            input.missed("the end");
        }
        Self
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl<'a> Tokens<'a> {
    /// All tokens.
    pub(super) fn new(all: &'a [Token<'a>], furthest: &'a RefCell<Furthest>) -> Self {
        Self { all, start: 0, end: all.len(), depth: 0, furthest }
    }

    /// The next token.
    pub(super) fn first(&self) -> Option<&'a Token<'a>> {
        self.nth(0)
    }

    /// The token after `n` others.
    pub(super) fn nth(&self, n: usize) -> Option<&'a Token<'a>> {
        self.all[self.start..self.end].get(n)
    }

    /// Whether the token after `n` others is this symbol or word.
    pub(super) fn has(&self, n: usize, text: &str) -> bool {
        self.nth(n).is_some_and(|t| matches!(t.kind, Kind::Symbol | Kind::Word) && t.text == text)
    }

    /// Whether the token after `n` others follows the one before without a blank.
    pub(super) fn glued(&self, n: usize) -> bool {
        self.nth(n).is_some_and(|t| t.glued)
    }

    /// Without the first `n` tokens.
    pub(super) fn skip(self, n: usize) -> Self {
        Self { start: (self.start + n).min(self.end), ..self }
    }

    /// Remembers what was expected here.
    pub(super) fn missed(&self, expected: &'static str) -> Miss {
        let mut furthest = self.furthest.borrow_mut();
        if self.start > furthest.index {
            (furthest.index, furthest.expected) = (self.start, Vec::new());
        }
        if self.start == furthest.index {
            furthest.expected.push(expected);
        }
        Miss
    }

    /// Remembers a depth or height that was reached here.
    pub(super) fn reached(&self, level: u32) {
        let mut furthest = self.furthest.borrow_mut();
        if level > furthest.tallest.0 {
            furthest.tallest = (level, self.start);
        }
    }

    /// A failure that another alternative may still turn into a success.
    pub(super) fn miss<T>(&self, expected: &'static str) -> Res<'a, T> {
        Err(Err::Error(self.missed(expected)))
    }

    /// A failure that ends the whole run, here.
    pub(super) fn fatal<T>(&self, expected: &'static str) -> Res<'a, T> {
        let mut furthest = self.furthest.borrow_mut();
        (furthest.index, furthest.expected) = (self.start, vec![expected]);
        Err(Err::Failure(Miss))
    }
}

/// Runs a parser one level deeper.
pub(super) fn deeper<'a, T>(
    mut parser: impl FnMut(Tokens<'a>) -> Res<'a, T>,
) -> impl FnMut(Tokens<'a>) -> Res<'a, T> {
    move |input| {
        let depth = input.depth;
        if depth >= MAX_DEPTH {
            return input.fatal("fewer levels of nesting");
        }
        input.reached(depth + 1);
        let (rest, value) = parser(Tokens { depth: depth + 1, ..input })?;
        Ok((Tokens { depth, ..rest }, value))
    }
}

/// A symbol or a keyword.
pub(super) fn sym<'a>(text: &'static str) -> impl Parser<Tokens<'a>, Output = &'a str, Error = Miss> {
    move |input: Tokens<'a>| match input.first() {
        Some(token) if input.has(0, text) => Ok((input.skip(1), token.text)),
        _ => input.miss(quoted(text)),
    }
}

/// A token of a kind.
pub(super) fn kind<'a>(kind: Kind, expected: &'static str) -> impl Fn(Tokens<'a>) -> Res<'a, &'a str> {
    move |input| match input.first() {
        Some(token) if token.kind == kind => Ok((input.skip(1), token.text)),
        _ => input.miss(expected),
    }
}

/// Words that are no names.
const KEYWORDS: &[&str] = &[
    "action",
    "apply",
    "bit",
    "bool",
    "const",
    "control",
    "default",
    "else",
    "enum",
    "error",
    "exit",
    "false",
    "header",
    "header_union",
    "if",
    "in",
    "inout",
    "int",
    "out",
    "package",
    "parser",
    "return",
    "select",
    "string",
    "struct",
    "switch",
    "table",
    "this",
    "transition",
    "true",
    "tuple",
    "typedef",
    "varbit",
    "void",
];

/// Whether a word can't be a name.
pub(super) fn is_keyword(word: &str) -> bool {
    word == "_" || KEYWORDS.contains(&word)
}

/// A name.
pub(super) fn name(input: Tokens<'_>) -> Res<'_, String> {
    match input.first() {
        Some(token) if token.kind == Kind::Word && !is_keyword(token.text) => {
            Ok((input.skip(1), token.text.to_owned()))
        }
        _ => input.miss("a name"),
    }
}

/// A name after a dot or an `@`, where keywords are names too.
pub(super) fn member_name(input: Tokens<'_>) -> Res<'_, String> {
    let (rest, word) = kind(Kind::Word, "a name")(input)?;
    Ok((rest, word.to_owned()))
}

/// The comment lines before the next token; reads nothing.
#[expect(clippy::unnecessary_wraps, reason = "a parser among others")]
pub(super) fn notes(input: Tokens<'_>) -> Res<'_, Vec<Note>> {
    Ok((input, input.first().map(|token| token.notes.clone()).unwrap_or_default()))
}

/// How a symbol or keyword is named in errors.
fn quoted(text: &'static str) -> &'static str {
    const NAMES: [(&str, &str); 24] = [
        ("(", "`(`"),
        (")", "`)`"),
        ("{", "`{`"),
        ("}", "`}`"),
        ("[", "`[`"),
        ("]", "`]`"),
        ("<", "`<`"),
        (">", "`>`"),
        (",", "`,`"),
        (";", "`;`"),
        (":", "`:`"),
        (".", "`.`"),
        ("=", "`=`"),
        ("@", "`@`"),
        ("?", "`?`"),
        ("apply", "`apply`"),
        ("state", "`state`"),
        ("transition", "`transition`"),
        ("select", "`select`"),
        ("key", "`key`"),
        ("actions", "`actions`"),
        ("entries", "`entries`"),
        ("table", "`table`"),
        ("action", "`action`"),
    ];
    NAMES.iter().find(|(symbol, _)| *symbol == text).map_or(text, |(_, name)| name)
}

impl<'a> Input for Tokens<'a> {
    type Item = &'a Token<'a>;
    type Iter = Iter<'a, Token<'a>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.end - self.start
    }

    fn take(&self, index: usize) -> Self {
        Self { end: (self.start + index).min(self.end), ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        self.skip(index)
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.all[self.start..self.end].iter()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        match count.checked_sub(self.input_len()) {
            None | Some(0) => Ok(count),
            Some(missing) => Err(Needed::new(missing)),
        }
    }
}
