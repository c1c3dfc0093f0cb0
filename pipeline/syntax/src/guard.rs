//! Bounds on what is parsed at all, so that no input exhausts the stack of a recursive parser.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// Brackets inside each other.
const DEPTH: usize = 48;
/// Tokens since the last separator, those before each open bracket included.
const RUN: usize = 640;
/// `else` parts of one block.
const ELSES: usize = 128;

pub(crate) const MESSAGE: &str = "this nests too deep";
pub(crate) const HELP: &str = "split it: at most 48 brackets inside each other, 640 tokens in an expression, \
                               128 `else` in a block";

/// Are these tokens within bounds? The place where they are not.
pub(crate) fn check(tokens: &TokenStream) -> Result<(), Span> {
    let mut open = vec![(tokens.clone().into_iter(), 0_usize, 0_usize)];
    let mut outside = 0;
    while let Some((trees, run, elses)) = open.last_mut() {
        let Some(tree) = trees.next() else {
            open.pop();
            outside -= open.last().map_or(0, |(_, run, _)| *run);
            continue;
        };
        *run += 1;
        match &tree {
            TokenTree::Punct(p) if matches!(p.as_char(), ';' | ',') => *run = 0,
            TokenTree::Ident(i) if i == "else" => *elses += 1,
            TokenTree::Group(g) if g.delimiter() == Delimiter::Brace => *run = 0,
            _ => {}
        }
        if outside + *run > RUN || *elses > ELSES {
            return Err(tree.span());
        }
        if let TokenTree::Group(g) = &tree {
            outside += *run;
            if open.len() >= DEPTH {
                return Err(g.span_open());
            }
            open.push((g.stream().into_iter(), 0, 0));
        }
    }
    Ok(())
}
