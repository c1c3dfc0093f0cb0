//! The pipeline language: Rust tokens in, IR and diagnostics out.
//!
//! A pipeline is a Rust module under `#[pipeline]`. One front end reads it from two sides: [`compile_source`] from a
//! file's text (the command line), [`parse`] from the tokens that the attribute macro gets. Both find all errors at
//! once, each with the narrowest place; [`Spans`] leads from the IR's places back to the compiler's.
//!
//! The translation puts every function of the pipeline in the place of its call, unrolls repeated parser states, and
//! gives numbers the width of their context. What the result means is checked by `pipeline_ir::verify`.

mod attr;
mod calls;
mod consts;
mod control;
mod entries;
mod expr;
mod fold;
mod front;
mod guard;
pub mod headers;
mod inline;
mod lower;
mod matches;
mod names;
mod objects;
mod paths;
mod patterns;
#[cfg(feature = "render")]
pub mod render;
mod shapes;
mod source;
mod spans;
mod statements;
mod states;
mod types;

pub use front::{compile_source, parse, parse_file};
pub use spans::Spans;
