//! Comment lines and annotations, which can stand before most pieces of a program.

use super::Expr;

/// One comment line, printed as `// text` above what it belongs to.
///
/// The text holds no line break and no blank at either end, so that it always prints as one line
/// and reads back as it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Note(String);

impl Note {
    /// Makes a note; runs of blanks and line breaks in `text` become single spaces.
    pub fn new(text: impl AsRef<str>) -> Self {
        let words: Vec<&str> = text.as_ref().split_whitespace().collect();
        Self(words.join(" "))
    }

    /// The text after `// `.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// An annotation: `@defaultonly`, `@name("ring")`, `@field_list(1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Name without the `@`.
    pub name: String,
    /// Arguments; none prints without parentheses.
    pub args: Vec<Expr>,
}

impl Annotation {
    /// An annotation without arguments, such as `@hidden`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), args: Vec::new() }
    }

    /// An annotation with arguments.
    pub fn with(name: impl Into<String>, args: impl IntoIterator<Item = Expr>) -> Self {
        Self { name: name.into(), args: args.into_iter().collect() }
    }

    /// `@name("text")`: the name that the control plane sees.
    pub fn name(text: impl Into<String>) -> Self {
        Self::with("name", [Expr::string(text)])
    }

    /// `@id(0x02abcdef)`: the P4Info id, in eight hex digits.
    pub fn id(id: u32) -> Self {
        Self::with("id", [Expr::hex_padded(u128::from(id), 8)])
    }

    /// `@field_list(n)`: kept when the packet is resubmitted with list `n` (v1model).
    pub fn field_list(n: u32) -> Self {
        Self::with("field_list", [Expr::int(u128::from(n))])
    }

    /// `@defaultonly`: an action that no entry may use.
    pub fn default_only() -> Self {
        Self::new("defaultonly")
    }

    /// `@tableonly`: an action that may not be the default.
    pub fn table_only() -> Self {
        Self::new("tableonly")
    }
}

/// Gives a type with a `notes` field the method that adds one.
macro_rules! noted {
    ($($ty:ty),+ $(,)?) => {$(
        impl $ty {
            /// Adds a comment line above it.
            #[must_use]
            pub fn note(mut self, text: impl Into<$crate::ast::Note>) -> Self {
                self.notes.push(text.into());
                self
            }
        }
    )+};
}

/// Gives a type with an `annotations` field the method that adds one.
macro_rules! annotated {
    ($($ty:ty),+ $(,)?) => {$(
        impl $ty {
            /// Adds an annotation.
            #[must_use]
            pub fn annotate(mut self, annotation: $crate::ast::Annotation) -> Self {
                self.annotations.push(annotation);
                self
            }
        }
    )+};
}

pub(crate) use {annotated, noted};
