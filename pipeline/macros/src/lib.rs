//! The attribute macro around the compiler.
