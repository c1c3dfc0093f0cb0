//! Names of objects in C, and of their maps.

/// Words that C or the preludes use.
pub const TAKEN: &[&str] = &[
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "asm",
    "bool",
    "false",
    "linux",
    "true",
    "typeof",
    "unix",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "ctx",
    "h",
    "m",
    "data",
    "end",
    "at",
    "way",
    "fold",
    "adjust",
    "forward",
    "drop",
    "parse",
    "tick",
    "ports",
    "events",
    "flow",
    "rotate",
    "wide",
    "differs",
    "counter",
    "main",
    "folded",
    "headers",
    "meta",
    "limit",
    "length",
    "cell",
    "e",
    "x",
    "sum",
    "s",
    "active",
    "index",
    "slot",
    "generation",
    "pool_index",
    "frame_length",
    "accept",
];

/// The C name of a counter or limiter, and of a counter's map: the pipeline's own, with a `_` behind where that is a word of C or
/// of the preludes.
#[must_use]
pub fn global(name: &str) -> String {
    let word = name.trim_end_matches('_');
    if TAKEN.contains(&word) { format!("{name}_") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two names become one.
    #[test]
    fn words_get_something_behind() {
        for (name, is) in [
            ("else", "else_"),
            ("else_", "else__"),
            ("events", "events_"),
            ("elsewhere", "elsewhere"),
            ("opens_", "opens_"),
        ] {
            assert_eq!(global(name), is);
        }
    }
}
