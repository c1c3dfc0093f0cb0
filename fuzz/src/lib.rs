//! Fuzz targets: each is a test with one body and three ways to run it (see `docs/testing.md`).
//!
//! - `cargo test -p fuzz` gives the body a fixed number of inputs from a fixed seed: the same ones everywhere.
//! - `BOLERO_RANDOM_TEST_TIME_MS=600000 cargo test -p fuzz --test p4` gives it others, for as long as that says,
//!   and shortens what fails.
//! - `cargo bolero test -p fuzz --engine libfuzzer TARGET` lets coverage lead.

pub use bolero;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs a body (`fn(&[u8])`) on inputs; the first argument is how many of them the fixed run has.
#[macro_export]
macro_rules! target {
    ($inputs:expr, $body:expr) => {
        if $crate::is_fixed() {
            $crate::run($inputs, $body);
        } else {
            $crate::bolero::check!().with_max_len($crate::LONGEST).for_each($body);
        }
    };
}

/// The longest input in bytes.
pub const LONGEST: usize = 4096;

/// Does nobody ask bolero for anything?
#[must_use]
pub fn is_fixed() -> bool {
    let asked = |name: &std::ffi::OsStr| name.to_string_lossy().contains("BOLERO");
    !cfg!(fuzzing) && !std::env::vars_os().any(|(name, _)| asked(&name))
}

/// The fixed run: so many inputs, most of them short.
///
/// # Panics
/// As the body does, after the input has been shown.
pub fn run(inputs: u64, body: impl Fn(&[u8])) {
    for number in 0..inputs {
        let input = input(number);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(&input))) {
            let hex: String = input.iter().map(|b| format!("{b:02x}")).collect();
            eprintln!("input {number}: {hex}");
            resume_unwind(panic);
        }
    }
}

/// The input with this number.
fn input(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x6775_6964_6577_6179;
    // SplitMix64.
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    let below = 1 << (next() % 12 + 1);
    let length = (next() % below) as usize;
    (0..length).map(|_| (next() >> 24) as u8).collect()
}

/// An input read as decisions: what is built from it changes little when the input changes little.
#[derive(Clone, Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// From an input.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }
    /// Has all been read? What is read from here on is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// A byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
    /// A number below `n` (0 if there is none), from a byte, or two where one is not enough.
    pub fn below(&mut self, n: usize) -> usize {
        let wide = if n > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (wide | usize::from(self.byte())) % n.max(1)
    }
    /// One of these.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }
    /// A number of up to 128 bits; small ones and those at the edges of widths come often.
    pub fn number(&mut self) -> u128 {
        match self.byte() {
            small @ 0..=95 => small.into(),
            edge @ 96..=223 => {
                let power = 1_u128.checked_shl(u32::from(edge) - 95).unwrap_or(0);
                power.wrapping_add(u128::from(self.byte() % 3)).wrapping_sub(1)
            }
            _ => (0..16).fold(0, |n, _| n << 8 | u128::from(self.byte())),
        }
    }
    /// Up to `most` bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(self.0.len().min(most));
        self.0 = rest;
        taken
    }
}

/// A text in pieces: words, blanks and signs, each by itself.
#[must_use]
pub fn words(text: &str) -> Vec<&str> {
    let joined = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let (mut start, mut last) = (0, ' ');
    for (i, c) in text.char_indices() {
        if i > 0 && !(joined(last) && joined(c)) {
            words.push(&text[start..i]);
            start = i;
        }
        last = c;
    }
    words.push(&text[start..]);
    words
}

/// Moves the pieces of a text about, as the choices say, until they are used up or have had 16 turns; the pieces of
/// `others` come in.
pub fn mutate<'t>(pieces: &mut Vec<&'t str>, others: &[&'t str], choices: &mut Choices) {
    const VALUES: [&str; 14] =
        ["0", "1", "2", "3", "7", "8", "31", "32", "64", "65", "128", "129", "65536", "4294967296"];
    for _ in 0..16 {
        if choices.is_empty() || pieces.is_empty() {
            return;
        }
        let at = choices.below(pieces.len());
        match choices.below(8) {
            0 => pieces[at] = *choices.pick(others),
            1 => pieces.insert(at, *choices.pick(others)),
            2 => drop(pieces.remove(at)),
            3 => {
                let with = choices.below(pieces.len());
                pieces.swap(at, with);
            }
            // A number for a number.
            4 => {
                let number = |p: &&str| p.starts_with(|c: char| c.is_ascii_digit());
                if let Some(place) = pieces[at..].iter_mut().find(|p| number(p)) {
                    *place = VALUES[choices.below(VALUES.len())];
                }
            }
            // A name for a name.
            5 => {
                let name = |p: &str| p.starts_with(|c: char| c.is_alphabetic());
                let with = pieces[choices.below(pieces.len())..].iter().copied().find(|p| name(p));
                let place = pieces[at..].iter_mut().find(|p| name(p));
                if let (Some(place), Some(with)) = (place, with) {
                    *place = with;
                }
            }
            // A line goes, or comes again.
            kind => {
                let end = |from: usize| pieces[from..].iter().position(|p| *p == "\n").map(|n| from + n + 1);
                let Some(start) = end(at) else { continue };
                let Some(stop) = end(start) else { continue };
                if kind == 6 {
                    pieces.drain(start..stop);
                } else {
                    let line: Vec<&str> = pieces[start..stop].to_vec();
                    pieces.splice(start..start, line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_inputs_are_always_the_same() {
        assert_eq!(input(3), input(3));
        assert_ne!(input(3), input(4));
        let lengths: Vec<usize> = (0..500).map(|n| input(n).len()).collect();
        assert!(lengths.iter().any(|l| *l < 4) && lengths.iter().any(|l| *l > 2048), "{lengths:?}");
        assert!(lengths.iter().all(|l| *l <= LONGEST));
    }

    #[test]
    fn a_body_that_panics_is_heard() {
        run(200, |input| assert!(input.len() <= LONGEST));
        let caught = catch_unwind(|| run(200, |input| assert!(input.len() < 1000, "long")));
        assert!(caught.is_err());
    }

    #[test]
    fn choices_end_in_zeros() {
        let mut choices = Choices::new(&[5, 255, 7]);
        assert_eq!((choices.below(3), *choices.pick(&[1, 2, 3, 4])), (2, 4));
        assert_eq!((choices.bytes(9), choices.is_empty(), choices.number()), (&[7][..], true, 0));
        assert_eq!(Choices::new(&[160, 1]).number(), 1 << 65);
        assert_eq!(Choices::new(&[223, 0]).number(), u128::MAX);
    }

    #[test]
    fn words_are_the_text() {
        let text = "fn a_1(b: bit<8>) {\n  b += 0x1f;\n}\n";
        assert_eq!(words(text).concat(), text);
        assert!(words(text).contains(&"a_1") && words(text).contains(&"0x1f"));
        let mut pieces = words(text);
        mutate(&mut pieces, &["other"], &mut Choices::new(&[3, 0, 0]));
        assert!(pieces.concat().contains("other"), "{pieces:?}");
    }
}
