//! The way back to bytes: headers that stay in place get their changed fields written, others are written whole.

use super::headers::write_field;
use super::names::size;
use super::scope::Scope;
use super::valid::{extracted, popped, pushed, successors};
use pipeline_ir::stmt::{self, Place, StmtKind};
use pipeline_ir::{FieldId, HeaderId, Pipeline};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeSet;

/// `deparse` and what it needs.
pub(super) fn emit(scope: &Scope<'_>) -> TokenStream {
    let p = scope.p;
    let moves = moving(p);
    let changes = changed(p);
    let all = (0..p.headers.len()).map(|i| HeaderId(i as u32));
    let patches = all.clone().map(|h| patch(scope, h, &changes));
    if moves.is_empty() {
        let steps = all.map(|h| in_place(scope, h, &changes));
        return quote! {
            #(#patches)*
            /// Writes what has changed into the frame.
            #[inline]
            fn deparse(h: &Headers, _payload: usize, packet: &mut rt::Packet) {
                let frame = packet.frame_mut();
                #(#steps)*
            }
        };
    }
    let lengths = all.clone().map(|h| {
        let (header, bytes) = (scope.header(h), size(p.header_type(h).bytes() as usize));
        quote!(if #header.valid { front += #bytes; })
    });
    let steps = all.map(|h| {
        let (header, bytes) = (scope.header(h), size(p.header_type(h).bytes() as usize));
        let write = step(scope, h, moves.contains(&h), &changes);
        quote!(if #header.valid { #write at += #bytes; })
    });
    quote! {
        #(#patches)*
        /// Makes room for the headers that leave and writes them; what stays in its place and is unchanged is not
        /// touched.
        #[inline]
        fn deparse(h: &Headers, payload: usize, packet: &mut rt::Packet) {
            let mut front = 0;
            #(#lengths)*
            packet.set_front(payload, front);
            let frame = packet.frame_mut();
            let mut at = 0;
            #(#steps)*
        }
    }
}

/// Writes a header that is valid at `at` of the new frame.
fn step(scope: &Scope<'_>, h: HeaderId, moves: bool, changes: &BTreeSet<(HeaderId, FieldId)>) -> TokenStream {
    let header = scope.header(h);
    let patch = patch_name(scope, h);
    let changed = changes.iter().any(|c| c.0 == h);
    match (moves, changed) {
        (false, false) => TokenStream::new(),
        (false, true) => quote!(if let Some(b) = rt::packet::chunk(frame, at) { #patch(&#header, b); }),
        (true, false) => quote! {
            if #header.at + front != at + payload && let Some(b) = rt::packet::chunk(frame, at) {
                #header.write(b);
            }
        },
        (true, true) => quote! {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if #header.at + front == at + payload { #patch(&#header, b); } else { #header.write(b); }
            }
        },
    }
}

fn in_place(scope: &Scope<'_>, h: HeaderId, changes: &BTreeSet<(HeaderId, FieldId)>) -> TokenStream {
    if !changes.iter().any(|c| c.0 == h) {
        return TokenStream::new();
    }
    let (header, patch) = (scope.header(h), patch_name(scope, h));
    quote!(if #header.valid && let Some(b) = rt::packet::chunk(frame, #header.at) { #patch(&#header, b); })
}

fn patch_name(scope: &Scope<'_>, h: HeaderId) -> proc_macro2::Ident {
    format_ident!("patch_{}", scope.headers.names[h.index()])
}

/// Writes the fields that the control can change.
fn patch(scope: &Scope<'_>, h: HeaderId, changes: &BTreeSet<(HeaderId, FieldId)>) -> TokenStream {
    let p = scope.p;
    let fields: Vec<FieldId> = changes.iter().filter(|c| c.0 == h).map(|c| c.1).collect();
    if fields.is_empty() {
        return TokenStream::new();
    }
    let (name, ty) = (patch_name(scope, h), &scope.headers.types[p.headers[h.index()].ty.index()]);
    let doc = format!(" The fields of `{}` that may have changed.", p.headers[h.index()].name);
    let bytes = size(p.header_type(h).bytes() as usize);
    let writes = fields.iter().map(|f| {
        let field = scope.headers.field(p, h, *f);
        write_field(p.header_type(h), *f, &quote!(header.#field))
    });
    quote! {
        #[doc = #doc]
        #[inline]
        fn #name(header: &#ty, b: &mut [u8; #bytes]) { #(#writes)* }
    }
}

/// Fields that the control writes.
fn changed(p: &Pipeline) -> BTreeSet<(HeaderId, FieldId)> {
    let mut all = BTreeSet::new();
    stmt::walk(&p.control, &mut |s| {
        if let StmtKind::Set { place: Place::Field(h, f), .. }
        | StmtKind::Checksum { place: Place::Field(h, f), .. }
        | StmtKind::Adjust { place: Place::Field(h, f), .. } = &s.kind
        {
            all.insert((*h, *f));
        }
    });
    all
}

/// Headers that can leave at another distance from the payload than they came: those pushed or popped, all in front
/// of one of these, and all if headers are parsed in another order than they leave.
pub(super) fn moving(p: &Pipeline) -> BTreeSet<HeaderId> {
    let mut touched = pushed(&p.control);
    touched.extend(popped(&p.control));
    let all = (0..p.headers.len()).map(|i| HeaderId(i as u32));
    if !parsed_in_order(p) {
        return all.collect();
    }
    match touched.last() {
        Some(last) => all.filter(|h| h <= last).collect(),
        None => BTreeSet::new(),
    }
}

/// On every path, is each header extracted behind those that leave in front of it?
fn parsed_in_order(p: &Pipeline) -> bool {
    let states = &p.parser.states;
    let mut last: Vec<Option<HeaderId>> = vec![None; states.len()];
    // The states form a DAG: the greatest header behind each settles within as many rounds as there are states.
    for _ in 0..states.len() {
        for (i, state) in states.iter().enumerate() {
            let mut greatest = last[i];
            for header in state.ops.iter().filter_map(extracted) {
                if greatest.is_some_and(|g| g >= header) {
                    return false;
                }
                greatest = Some(header);
            }
            for to in successors(&state.next) {
                if let Some(slot) = last.get_mut(to.index()) {
                    *slot = (*slot).max(greatest);
                }
            }
        }
    }
    true
}
