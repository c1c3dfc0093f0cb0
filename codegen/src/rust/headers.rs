//! Headers: structs with a field each, read from and written to the bytes of the wire.

use super::names::{Namer, native, number, pascal, size, uint};
use pipeline_ir::{FieldId, HeaderId, HeaderType, Pipeline};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Identifiers of headers, their types and fields.
pub(super) struct HeaderNames {
    /// By header.
    pub(super) names: Vec<Ident>,
    /// By header type.
    pub(super) types: Vec<Ident>,
    fields: Vec<Vec<Ident>>,
}

impl HeaderNames {
    pub(super) fn new(p: &Pipeline, items: &mut Namer) -> Self {
        let mut names = Namer::new(&[]);
        let fields = |t: &HeaderType| {
            let mut namer = Namer::new(&["valid", "at"]);
            t.fields.iter().map(|f| namer.name(&f.name)).collect()
        };
        Self {
            names: p.headers.iter().map(|h| names.name(&h.name)).collect(),
            types: p.header_types.iter().map(|t| items.name(&pascal(&t.name))).collect(),
            fields: p.header_types.iter().map(fields).collect(),
        }
    }
    pub(super) fn field(&self, p: &Pipeline, header: HeaderId, field: FieldId) -> &Ident {
        &self.fields[p.headers[header.index()].ty.index()][field.index()]
    }
}

/// The header types and `Headers`.
pub(super) fn emit(p: &Pipeline, names: &HeaderNames, cite: &dyn Fn(u32, &str) -> String) -> TokenStream {
    let moving = super::deparse::moving(p);
    let written = |ty: usize| moving.iter().any(|h| p.headers[h.index()].ty.index() == ty);
    let types = p.header_types.iter().enumerate().map(|(i, t)| {
        let write = written(i).then(|| write_all(t, &names.fields[i]));
        header_type(t, i, names, cite, write.as_ref())
    });
    let members = p.headers.iter().zip(&names.names).map(|(h, name)| {
        let ty = &names.types[h.ty.index()];
        quote!(#name: #ty)
    });
    quote! {
        #(#types)*
        /// Every header, in the order in which they leave.
        #[derive(Clone, Copy, Debug, Default)]
        struct Headers { #(#members),* }
    }
}

fn header_type(
    t: &HeaderType,
    index: usize,
    names: &HeaderNames,
    cite: &dyn Fn(u32, &str) -> String,
    write: Option<&TokenStream>,
) -> TokenStream {
    let (name, fields) = (&names.types[index], &names.fields[index]);
    let doc = cite(t.at.line, &format!("header {}", t.name));
    let types = t.fields.iter().map(|f| uint(f.width));
    let reads = (0..t.fields.len()).map(|i| read(t, FieldId(i as u32)));
    let bytes = size(t.bytes() as usize);
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug, Default)]
        struct #name {
            /// Is it part of the packet?
            valid: bool,
            /// Its place in the received frame.
            at: usize,
            #(#fields: #types),*
        }
        impl #name {
            #[inline(always)]
            fn read(b: &[u8; #bytes], at: usize) -> Self {
                Self { valid: true, at, #(#fields: #reads),* }
            }
            #write
        }
    }
}

fn write_all(t: &HeaderType, fields: &[Ident]) -> TokenStream {
    let bytes = size(t.bytes() as usize);
    let writes = runs(t).into_iter().map(|run| write_run(t, fields, &run));
    quote! {
        #[inline]
        fn write(&self, b: &mut [u8; #bytes]) {
            #(#writes)*
        }
    }
}

/// The bytes `first..last` as a number.
fn number_of(first: u32, last: u32) -> (TokenStream, u8) {
    let count = last - first;
    let width = native((count * 8).min(128) as u8);
    let index = |i: u32| size(i as usize);
    if count == 1 {
        let at = index(first);
        return (quote!(b[#at]), 8);
    }
    let ty = uint(width);
    let zeros = (count..u32::from(width) / 8).map(|_| quote!(0));
    let bytes = (first..last).map(index).map(|i| quote!(b[#i]));
    let all = zeros.chain(bytes);
    (quote!(#ty::from_be_bytes([#(#all),*])), width)
}

fn read(t: &HeaderType, field: FieldId) -> TokenStream {
    let (offset, width) = (t.offset(field), t.fields[field.index()].width);
    let end = offset + u32::from(width);
    let (first, last) = (offset / 8, end.div_ceil(8));
    let ty = uint(width);
    if last - first > 16 {
        let width = size(width.into());
        let offset = size(offset as usize);
        return quote!(rt::get(b, #offset, #width) as #ty);
    }
    let (whole, bits) = number_of(first, last);
    let (below, above) = (last * 8 - end, offset - first * 8);
    let mut text = whole;
    if below > 0 {
        let below = size(below as usize);
        text = quote!(#text >> #below);
    }
    if above > 0 {
        let mask = number(super::names::mask(width), bits, true);
        text = if below > 0 { quote!((#text) & #mask) } else { quote!(#text & #mask) };
    }
    match (bits == native(width), above > 0 || below > 0) {
        (true, _) => text,
        (false, true) => quote!((#text) as #ty),
        (false, false) => quote!(#text as #ty),
    }
}

/// Fields that together are whole bytes, at most 16 of them; or one field that is not.
fn runs(t: &HeaderType) -> Vec<Vec<FieldId>> {
    let mut runs: Vec<Vec<FieldId>> = Vec::new();
    let mut open: Vec<FieldId> = Vec::new();
    let mut bits = 0;
    for (i, field) in t.fields.iter().enumerate() {
        open.push(FieldId(i as u32));
        bits += u32::from(field.width);
        if bits.is_multiple_of(8) {
            if bits > 128 {
                runs.extend(std::mem::take(&mut open).into_iter().map(|f| vec![f]));
            } else {
                runs.push(std::mem::take(&mut open));
            }
            bits = 0;
        }
    }
    runs.extend(open.into_iter().map(|f| vec![f]));
    runs
}

fn write_run(t: &HeaderType, names: &[Ident], run: &[FieldId]) -> TokenStream {
    let [first, .., last] = run else {
        let Some(only) = run.first() else { return TokenStream::new() };
        let name = &names[only.index()];
        return write_field(t, *only, &quote!(self.#name));
    };
    let offset = t.offset(*first);
    let end = t.offset(*last) + u32::from(t.fields[last.index()].width);
    let bits = (end - offset) as u8;
    let ty = uint(bits);
    let parts = run.iter().map(|f| {
        let name = &names[f.index()];
        let below = size((end - t.offset(*f) - u32::from(t.fields[f.index()].width)) as usize);
        let same = native(t.fields[f.index()].width) == native(bits);
        let value = if same { quote!(self.#name) } else { quote!(#ty::from(self.#name)) };
        if f == last { value } else { quote!(#value << #below) }
    });
    let parts = quote!(#(#parts)|*);
    let whole = if end - offset == 8 { parts } else { quote!((#parts)) };
    store(offset / 8, end / 8, &whole, native(bits))
}

/// Bytes from a number of `bits` bits, its low ones.
fn store(first: u32, last: u32, value: &TokenStream, bits: u8) -> TokenStream {
    let count = last - first;
    let (from, to) = (size(first as usize), size(last as usize));
    if count == 1 {
        return quote!(b[#from] = #value;);
    }
    let spare = u32::from(bits) / 8 - count;
    if spare == 0 {
        return quote!(b[#from..#to].copy_from_slice(&#value.to_be_bytes()););
    }
    let spare = size(spare as usize);
    quote!(b[#from..#to].copy_from_slice(&#value.to_be_bytes()[#spare..]);)
}

/// Writes one field into `b`.
pub(super) fn write_field(t: &HeaderType, field: FieldId, value: &TokenStream) -> TokenStream {
    let (offset, width) = (t.offset(field), t.fields[field.index()].width);
    if offset.is_multiple_of(8) && width.is_multiple_of(8) {
        return store(offset / 8, (offset + u32::from(width)) / 8, value, native(width));
    }
    let (offset, width) = (size(offset as usize), size(width.into()));
    quote!(rt::put(b, #offset, #width, #value.into());)
}
