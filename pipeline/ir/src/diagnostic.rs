//! Diagnostics: every code with its wording in one table.

use crate::Loc;

/// What is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code; its row in [`CODES`] gives the title.
    pub code: Code,
    /// What is wrong here, with names and numbers.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The narrowest place.
    pub at: Loc,
}

/// All that was found, in source order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal;)*) => {
        /// A diagnostic's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $name),* }
        /// Every code: its text as printed and its title.
        pub const CODES: &[(Code, &str, &str)] = &[$((Code::$name, $text, $title)),*];
    };
}

codes! {
    Syntax = "gw001", "this is not part of the pipeline language";
    Unknown = "gw002", "nothing has this name";
    Duplicate = "gw003", "this name is taken";
    Missing = "gw004", "the pipeline lacks a part";
    Width = "gw010", "a width is out of range";
    Mismatch = "gw011", "widths or types differ";
    Overflow = "gw012", "a number does not fit its width";
    HeaderBytes = "gw013", "a header is not a whole number of bytes";
    ParserLoop = "gw020", "the parser has a loop without a bound";
    ParserTwice = "gw021", "a header can be extracted twice";
    Unreachable = "gw022", "this can never run";
    NoVerdict = "gw030", "a path ends without a verdict";
    AppliedTwice = "gw031", "a table can be applied twice on one path";
    Arms = "gw032", "the arms are not the table's actions";
    DataLost = "gw033", "action data are overwritten before they are read";
    TableShape = "gw040", "a table's keys, size or default do not fit together";
    ConstEntry = "gw041", "a const entry is not legal";
    FlowShape = "gw042", "a flow table's key, entries or time-outs are out of range";
    FlowUse = "gw043", "a flow is used out of order";
    RingShape = "gw044", "a ring's slots or pools are out of range";
    DataWidth = "gw045", "hash or checksum data have a wrong length";
    TargetUnknown = "gw050", "no target has this name";
    TargetLacks = "gw051", "the target lacks what the pipeline needs";
    TargetBudget = "gw052", "the pipeline needs more than the target has";
}

impl Code {
    /// The code as printed: `gw031`.
    #[must_use]
    pub fn text(self) -> &'static str {
        CODES.iter().find(|c| c.0 == self).map_or("gw000", |c| c.1)
    }
    /// The title.
    #[must_use]
    pub fn title(self) -> &'static str {
        CODES.iter().find(|c| c.0 == self).map_or("", |c| c.2)
    }
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, code: Code, at: Loc, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Diagnostic { code, message: message.into(), help: help.into(), at });
    }
    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Puts them in source order, without repeats.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| (a.at, a.code, &a.message).cmp(&(b.at, b.code, &b.message)));
        self.0.dedup();
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for d in &self.0 {
            writeln!(f, "{}:{}: {}: {}", d.at.line, d.at.column + 1, d.code.text(), d.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
