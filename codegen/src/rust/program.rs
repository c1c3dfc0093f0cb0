//! `Pipeline`: its state, its way through a packet, and what the control plane asks of it.

use super::names::size;
use super::objects::Objects;
use super::tables;
use crate::Fitted;
use pipeline_ir::flow::ticks;
use pipeline_ir::{FlowTable, FlowTableId, Idle, RingId};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

/// The parts that stand together in the module's main struct.
pub(super) struct Program<'a> {
    pub(super) fitted: &'a Fitted,
    pub(super) objects: &'a Objects,
    pub(super) ingress: &'a TokenStream,
    pub(super) start: &'a TokenStream,
    pub(super) deparse: &'a TokenStream,
}

impl Program<'_> {
    pub(super) fn emit(&self) -> TokenStream {
        let (p, objects, ingress, deparse) =
            (self.fitted.pipeline(), self.objects, self.ingress, self.deparse);
        let tick_ns = Literal::u64_unsuffixed(self.fitted.target().tick_ns);
        let members = members(self.fitted, objects);
        let state = state(self.fitted, objects, &members);
        let reasons = objects.reasons.iter().enumerate().map(|(i, name)| {
            let (doc, i) = (format!(" `{}`", p.reasons[i].name), Literal::usize_unsuffixed(i));
            quote!(#[doc = #doc] pub const #name: u16 = #i;)
        });
        let (flow, remember) = if objects.flows.is_empty() && p.cursors.is_empty() {
            (None, None)
        } else {
            (Some(flow(objects)), Some(remember(objects)))
        };
        let program = program(objects, &members, self.start);
        quote! {
            /// Nanoseconds of one tick of the clock.
            pub const TICK_NS: u64 = #tick_ns;
            /// Numbers of drop reasons.
            pub mod reason { #(#reasons)* }
            #flow
            #state
            impl Pipeline {
                /// What becomes of a packet whose headers have been parsed.
                fn ingress(&mut self, h: &mut Headers, m: &mut Meta, c: &mut rt::Context) -> rt::Verdict {
                    #ingress
                }
                #remember
            }
            #deparse
            #program
        }
    }
}

/// A field of the struct: its name and type, its value when empty, and as another thread's.
struct Member {
    name: Ident,
    ty: TokenStream,
    fresh: TokenStream,
    forked: TokenStream,
}

impl Member {
    /// What every thread has for itself.
    fn copied(name: &Ident, ty: TokenStream, fresh: TokenStream) -> Self {
        Self { name: name.clone(), ty, fresh, forked: quote!(self.#name.clone()) }
    }
    /// What starts to count anew.
    fn forked(name: &Ident, ty: TokenStream, fresh: TokenStream) -> Self {
        Self { name: name.clone(), ty, fresh, forked: quote!(self.#name.fork()) }
    }
}

fn members(fitted: &Fitted, objects: &Objects) -> Vec<Member> {
    let p = fitted.pipeline();
    let mut all = Vec::new();
    for (table, object) in p.tables.iter().zip(&objects.tables) {
        let fresh = tables::create(p, objects, table, object);
        all.push(Member::copied(&object.name, tables::field_type(object), fresh));
    }
    for (i, (table, object)) in p.flow_tables.iter().zip(&objects.flows).enumerate() {
        let words = size(object.words);
        let entries = Literal::u32_unsuffixed(fitted.flow_entries(FlowTableId(i as u32)));
        let limits = limits(table, fitted.target().tick_ns);
        let fresh = quote!(rt::Flows::new(#entries, &[#limits]));
        all.push(Member::forked(&object.name, quote!(rt::Flows<#words>), fresh));
    }
    for (i, (ring, name)) in p.rings.iter().zip(&objects.rings).enumerate() {
        let slots = Literal::u32_unsuffixed(ring.slots);
        let pools = Literal::u32_unsuffixed(fitted.ring_pools(RingId(i as u32)));
        all.push(Member::copied(name, quote!(rt::Ring<#slots>), quote!(rt::Ring::new(#pools))));
    }
    for (counter, name) in p.counters.iter().zip(&objects.counters) {
        let cells = Literal::u32_unsuffixed(counter.size);
        all.push(Member::forked(name, quote!(rt::Counter), quote!(rt::Counter::new(#cells))));
    }
    for (limiter, name) in p.limiters.iter().zip(&objects.limiters) {
        let most = Literal::u16_unsuffixed(limiter.per_tick);
        all.push(Member::copied(name, quote!(rt::Limiter), quote!(rt::Limiter::new(#most))));
    }
    all
}

/// The struct, without entries but those of the source.
fn state(fitted: &Fitted, objects: &Objects, members: &[Member]) -> TokenStream {
    let p = fitted.pipeline();
    let names: Vec<&Ident> = members.iter().map(|m| &m.name).collect();
    let types = members.iter().map(|m| &m.ty);
    let fresh = members.iter().map(|m| &m.fresh);
    let reasons = size(p.reasons.len());
    let entries: TokenStream =
        p.tables.iter().zip(&objects.tables).map(|(t, o)| tables::source_entries(t, o)).collect();
    let new = if entries.is_empty() {
        quote!(Self { #(#names: #fresh,)* drops: [0; #reasons] })
    } else {
        quote!(let mut all = Self { #(#names: #fresh,)* drops: [0; #reasons] }; #entries all)
    };
    quote! {
        /// The pipeline at work: one thread's.
        #[derive(Debug)]
        pub struct Pipeline {
            #(#names: #types,)*
            drops: [u64; #reasons],
        }
        impl Default for Pipeline {
            fn default() -> Self {
                Self::new()
            }
        }
        impl Pipeline {
            /// Without entries but those of the source.
            pub fn new() -> Self {
                #new
            }
        }
    }
}

fn limits(table: &FlowTable, tick_ns: u64) -> TokenStream {
    let class = |idle: &Idle| {
        let [new, tcp, udp, closing] =
            [idle.new, idle.tcp, idle.udp, idle.closing].map(|t| Literal::u32_unsuffixed(ticks(t, tick_ns)));
        quote!(rt::Limits { new: #new, tcp: #tcp, udp: #udp, closing: #closing })
    };
    let all = table.idle.iter().map(class);
    quote!(#(#all),*)
}

/// The flow under way.
fn flow(objects: &Objects) -> TokenStream {
    if objects.flows.is_empty() {
        return quote! {
            /// A pipeline without flow tables knows no flow.
            #[derive(Clone, Copy, Debug)]
            enum Flow { Idle }
            impl Flow {
                fn id(&self) -> Option<u32> { None }
                fn set_stays(&mut self, _: bool) {}
            }
        };
    }
    let variants: Vec<&Ident> = objects.flows.iter().map(|f| &f.variant).collect();
    let words = objects.flows.iter().map(|f| size(f.words));
    quote! {
        /// The flow under way: what a lookup has found.
        #[derive(Clone, Copy, Debug)]
        enum Flow { Idle, #(#variants(rt::Cursor<#words>)),* }
        impl Flow {
            /// The id of a live flow.
            #[inline(always)]
            fn id(&self) -> Option<u32> {
                match self {
                    Self::Idle => None,
                    #(Self::#variants(flow) => flow.id(),)*
                }
            }
            #[inline(always)]
            fn set_stays(&mut self, stays: bool) {
                match self {
                    Self::Idle => {}
                    #(Self::#variants(flow) => flow.stays = stays,)*
                }
            }
        }
    }
}

fn remember(objects: &Objects) -> TokenStream {
    if objects.flows.is_empty() {
        return quote!(
            fn remember(&mut self, _: &Flow, _: u32, _: u32) {}
        );
    }
    let arms = objects.flows.iter().map(|f| {
        let (name, variant) = (&f.name, &f.variant);
        quote!(Flow::#variant(flow) => self.#name.remember(flow, id, now),)
    });
    quote! {
        /// Writes the flow under its id.
        #[inline]
        fn remember(&mut self, flow: &Flow, id: u32, now: u32) {
            match flow {
                Flow::Idle => {}
                #(#arms)*
            }
        }
    }
}

/// A method that picks an object by its number; none where there are no such objects.
fn pick(names: &[&Ident], name: &str, of: &TokenStream, unique: bool) -> Option<TokenStream> {
    if names.is_empty() {
        return None;
    }
    let name = super::names::ident(name);
    let reference = if unique { quote!(&mut) } else { quote!(&) };
    let index = (0..names.len()).map(size);
    Some(quote! {
        fn #name(#reference self, index: usize) -> Option<#reference #of> {
            match index {
                #(#index => Some(#reference self.#names),)*
                _ => None,
            }
        }
    })
}

fn program(objects: &Objects, members: &[Member], start: &TokenStream) -> TokenStream {
    let (names, forked) = (members.iter().map(|m| &m.name), members.iter().map(|m| &m.forked));
    let tables: Vec<&Ident> = objects.tables.iter().map(|t| &t.name).collect();
    let flows: Vec<&Ident> = objects.flows.iter().map(|t| &t.name).collect();
    let rings: Vec<&Ident> = objects.rings.iter().collect();
    let counters: Vec<&Ident> = objects.counters.iter().collect();
    let (table, ring) = (quote!(dyn rt::table::AnyTable), quote!(dyn rt::ring::AnyRing));
    let picks = [
        pick(&tables, "table", &table, false),
        pick(&tables, "table_mut", &table, true),
        pick(&rings, "ring", &ring, false),
        pick(&rings, "ring_mut", &ring, true),
        pick(&flows, "flow_table", &quote!(dyn rt::flow::AnyFlows), false),
        pick(&counters, "counter", &quote!(rt::Counter), false),
    ];
    let picks = picks.into_iter().flatten();
    quote! {
        impl rt::Program for Pipeline {
            fn process(&mut self, port: u32, now: u32, packet: &mut rt::Packet) -> rt::Verdict {
                let mut c = rt::Context::new(port, now, packet);
                let mut h = Headers::default();
                let mut m = Meta::default();
                let mut p = rt::Parser::new(packet.frame());
                #start
                let payload = p.at;
                let verdict = self.ingress(&mut h, &mut m, &mut c);
                if let rt::Verdict::Drop(reason) = verdict {
                    if let Some(count) = self.drops.get_mut(usize::from(reason)) {
                        *count += 1;
                    }
                } else {
                    deparse(&h, payload, packet);
                    packet.truncate(c.limit);
                }
                verdict
            }
            fn tick_ns(&self) -> u64 {
                TICK_NS
            }
            #(#picks)*
            fn drops(&self) -> &[u64] {
                &self.drops
            }
            fn fork(&self) -> Self {
                Self { #(#names: #forked,)* drops: Default::default() }
            }
        }
    }
}
