//! Text into tokens; comment lines travel with the token after them.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while, take_while1};
use nom::character::complete::{char, none_of, one_of, satisfy};
use nom::combinator::{opt, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

use crate::ast::Note;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// An integer literal, size prefix included.
    Int,
    /// A string literal, quotes included.
    Text,
    /// `#include <path>` or `#include "path"`; the token's text is the path with its delimiters.
    Include,
    /// An operator or a delimiter.
    Symbol,
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: Kind,
    /// How it is written.
    pub(super) text: &'a str,
    /// Where it starts, in bytes.
    pub(super) offset: usize,
    /// Nothing stands between it and the token before.
    pub(super) glued: bool,
    /// The `//` lines between the token before and this one.
    pub(super) notes: Vec<Note>,
}

/// Symbols of more than one character, longest first. `>>` is two tokens, since types end in it.
const SYMBOLS: [&str; 13] = ["&&&", "|+|", "|-|", "||", "&&", "==", "!=", "<<", "<=", ">=", "++", "..", "::"];

type Lex<'a> = IResult<&'a str, &'a str>;

/// The tokens of a text, or where it can't be cut into tokens and what was expected there.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, (usize, &'static str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut notes = Vec::new();
    let mut line_start = true;
    let mut glued = false;
    let at = |rest: &str| text.len() - rest.len();
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            line_start |= first == '\n';
            rest = &rest[first.len_utf8()..];
            glued = false;
        } else if let Ok((after, comment)) = line_comment(rest) {
            if line_start {
                notes.push(Note::new(comment));
            }
            (rest, glued) = (after, false);
        } else if rest.starts_with("/*") {
            (rest, _) = block_comment(rest).map_err(|_| (at(rest), "a comment that ends in `*/`"))?;
            glued = false;
        } else {
            let (after, kind, text) = token(rest, line_start).map_err(|expected| (at(rest), expected))?;
            tokens.push(Token { kind, text, offset: at(rest), glued, notes: std::mem::take(&mut notes) });
            (rest, glued, line_start) = (after, true, false);
        }
    }
    Ok(tokens)
}

/// One token and the text after it, or what was expected.
fn token(rest: &str, line_start: bool) -> Result<(&str, Kind, &str), &'static str> {
    if rest.starts_with('#') {
        let (after, path) = include(rest).map_err(|_| "`#include <path>` or `#include \"path\"`")?;
        return if line_start {
            Ok((after, Kind::Include, path))
        } else {
            Err("`#include` on a line of its own")
        };
    }
    if rest.starts_with('"') {
        return string(rest)
            .map(|(after, text)| (after, Kind::Text, text))
            .map_err(|_| "a string that ends in `\"`");
    }
    let number = number(rest).map(|(after, text)| (after, Kind::Int, text));
    let word = |_| word(rest).map(|(after, text)| (after, Kind::Word, text));
    let symbol = |_| symbol(rest).map(|(after, text)| (after, Kind::Symbol, text));
    number
        .or_else(word)
        .or_else(symbol)
        .map_err(|_: nom::Err<nom::error::Error<&str>>| "a name, a number or an operator")
}

fn line_comment(i: &str) -> Lex<'_> {
    preceded(tag("//"), take_till(|c| c == '\n')).parse(i)
}

fn block_comment(i: &str) -> Lex<'_> {
    delimited(tag("/*"), take_until("*/"), tag("*/")).parse(i)
}

fn include(i: &str) -> Lex<'_> {
    let path =
        |open, close| recognize((char(open), take_while1(move |c| c != close && c != '\n'), char(close)));
    let blanks = || take_while(|c| c == ' ' || c == '\t');
    let path = alt((path('<', '>'), path('"', '"')));
    preceded((char('#'), blanks(), tag("include"), blanks()), path).parse(i)
}

fn string(i: &str) -> Lex<'_> {
    let escaped = preceded(char('\\'), none_of("\n"));
    recognize((char('"'), many0_count(alt((escaped, none_of("\"\\\n")))), char('"'))).parse(i)
}

/// Digits with all that sticks to them; the parser looks into it.
fn number(i: &str) -> Lex<'_> {
    recognize(pair(satisfy(|c| c.is_ascii_digit()), take_while(is_word))).parse(i)
}

fn word(i: &str) -> Lex<'_> {
    recognize(pair(satisfy(|c| c.is_ascii_alphabetic() || c == '_'), take_while(is_word))).parse(i)
}

fn symbol(i: &str) -> Lex<'_> {
    if let Some(long) = SYMBOLS.iter().find(|s| i.starts_with(**s)) {
        return tag(*long).parse(i);
    }
    recognize(one_of("(){}[]<>,;:.=+-*/%&|^~!?@")).parse(i)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The size prefix (bits, signed), the base's letter and the digits of an integer literal.
pub(super) fn number_parts(text: &str) -> (Option<(&str, bool)>, Option<char>, &str) {
    let digits = || take_while1::<_, _, nom::error::Error<&str>>(|c: char| c.is_ascii_digit() || c == '_');
    let size = opt(pair(digits(), one_of("ws"))).parse(text).unwrap_or((text, None));
    let base = opt(preceded(char::<_, nom::error::Error<&str>>('0'), one_of("xXoObBdD"))).parse(size.0);
    let (rest, base) = base.unwrap_or((size.0, None));
    (size.1.map(|(bits, sign)| (bits, sign == 's')), base, rest)
}
