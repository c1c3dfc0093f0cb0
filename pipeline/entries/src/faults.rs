//! What is wrong in a file: where, what, and what is legal.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1; 0 where it is the whole file's.
    pub line: u32,
    /// What is wrong and what to do.
    pub message: String,
}

/// All that is wrong in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The file's name.
    pub file: String,
    /// By line.
    pub found: Vec<Fault>,
    /// The form of the entries of each table concerned.
    pub legal: Vec<String>,
}

/// More than these are counted only: a file written for another pipeline is wrong in every line.
const SHOWN: usize = 20;

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Fault { line, message }) in self.found.iter().take(SHOWN).enumerate() {
            let start = if i == 0 { "" } else { "\nerror: " };
            match line {
                0 => write!(f, "{start}{}: {message}", self.file)?,
                _ => write!(f, "{start}{}:{line}: {message}", self.file)?,
            }
        }
        if self.found.len() > SHOWN {
            write!(f, "\n{}: {} more errors", self.file, self.found.len() - SHOWN)?;
        }
        self.legal.iter().try_for_each(|form| write!(f, "\n  legal: {form}"))
    }
}

impl std::error::Error for Faults {}
