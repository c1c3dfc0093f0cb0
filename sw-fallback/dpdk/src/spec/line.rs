//! Lines and words.

use super::SpecError;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, digit1, hex_digit1, space0};
use nom::combinator::{all_consuming, map_opt};
use nom::multi::many0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// A line that says something, with its number from 1.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) number: u32,
    pub(super) words: Vec<&'a str>,
}

/// The longest line that DPDK takes, in bytes.
const LONGEST: usize = 2047;
/// The most words of a line that DPDK takes.
const WORDS: usize = 255;
/// The longest name that DPDK takes, in bytes.
const NAME: usize = 63;

fn is_word(c: char) -> bool {
    !c.is_whitespace() && !c.is_control()
}

fn words(text: &str) -> IResult<&str, Vec<&str>> {
    many0(preceded(space0, take_while1(is_word))).parse(text)
}

/// All lines that say something. A word that begins with `;`, `#` or `//` begins a comment.
pub(super) fn lines(text: &str) -> Result<Vec<Line<'_>>, SpecError> {
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.len() > LONGEST {
            return Err(SpecError::at(number, format!("{} bytes; DPDK takes {LONGEST}", line.len())));
        }
        let Ok((rest, mut words)) = words(line) else { continue };
        let comment = |w: &&str| w.starts_with(';') || w.starts_with('#') || w.starts_with("//");
        let end = words.iter().position(comment);
        if end.is_none() && !rest.trim().is_empty() {
            return Err(SpecError::at(number, "a character that no program has"));
        }
        words.truncate(end.unwrap_or(words.len()));
        if words.len() > WORDS {
            return Err(SpecError::at(number, format!("{} words; DPDK takes {WORDS}", words.len())));
        }
        if !words.is_empty() {
            all.push(Line { number, words });
        }
    }
    Ok(all)
}

fn decimal_or_hex(text: &str) -> IResult<&str, u64> {
    let hex = preceded(
        alt((tag("0x"), tag("0X"))),
        map_opt(hex_digit1, |digits| u64::from_str_radix(digits, 16).ok()),
    );
    alt((hex, map_opt(digit1, |digits: &str| digits.parse().ok()))).parse(text)
}

impl Line<'_> {
    /// An error in it.
    pub(super) fn wrong(&self, what: impl Into<String>) -> SpecError {
        SpecError::at(self.number, what)
    }

    /// A number, decimal or hexadecimal.
    pub(super) fn number(&self, word: &str) -> Result<u64, SpecError> {
        let read = all_consuming(decimal_or_hex).parse(word);
        read.map(|(_, n)| n).map_err(|_| self.wrong(format!("`{word}` is no number of at most 64 bits")))
    }

    /// A number of at most 32 bits.
    pub(super) fn number32(&self, word: &str) -> Result<u32, SpecError> {
        let number = self.number(word)?;
        u32::try_from(number).map_err(|_| self.wrong(format!("{number} has more than 32 bits")))
    }

    /// The bits of `bit<BITS>`.
    pub(super) fn bits(&self, word: &str) -> Result<u32, SpecError> {
        let read = all_consuming(delimited((tag("bit"), char('<')), decimal_or_hex, char('>'))).parse(word);
        let Ok((_, bits)) = read else {
            return Err(self.wrong(format!("`{word}` is no type; there is bit<N>")));
        };
        match u32::try_from(bits) {
            Ok(bits @ 8..=0xffff) if bits % 8 == 0 => Ok(bits),
            _ => Err(self.wrong(format!("bit<{bits}>: a field has a multiple of 8 bits"))),
        }
    }

    /// What is declared there.
    pub(super) fn name(&self, word: &str) -> Result<String, SpecError> {
        if word.len() > NAME {
            return Err(self.wrong(format!("`{word}`: names have {NAME} bytes at most")));
        }
        if matches!(word, "{" | "}") {
            return Err(self.wrong(format!("a name is expected, not `{word}`")));
        }
        Ok(word.to_owned())
    }
}
