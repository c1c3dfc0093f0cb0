//! `cargo xtask demo`: real connections, balanced by generated code.

pub mod interrupt;
