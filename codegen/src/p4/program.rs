//! The program's sections in order: constants, types, parser, ingress, and the empty rest.

use std::borrow::Cow;
use std::collections::BTreeSet;

use hw_targets::Target;
use p4::ast::{Annotation, ControlDecl, Decl, Expr as P4, Field, Program, Stmt as P4Stmt, Type as P4Type};
use p4::info::P4Info;
use pipeline_ir::stmt::{StmtKind, Verdict, walk};
use pipeline_ir::{FlowTableId, Pipeline, VarId, VarKind};

use super::arch::{Egress, Style};
use super::control::{Ingress, note};
use super::expr::{Scope, meta};
use super::info::Sizes;
use super::names::Names;
use super::plan::{self, Plan};
use super::taken::{self, Taken};
use super::verdicts::DROP_REASON;
use super::{egress, flow, limiter, parser, preamble, prelude, staged, tables, worlds};
use crate::steps::InSteps;

/// The whole program.
pub(super) fn program(
    p: &Pipeline,
    in_steps: Option<&InSteps>,
    info: &P4Info,
    sizes: &Sizes,
    target: &Target,
    style: Style,
) -> Program {
    let info = &if style.arch.knows_ids() { info.clone() } else { P4Info::default() };
    let mut p = Cow::Borrowed(p);
    let (taken, apart) = match style.means.steps {
        true => (taken::take(p.to_mut()), taken::apart(p.to_mut())),
        false => (Taken::new(), BTreeSet::new()),
    };
    let p: &Pipeline = &p;
    let cut = style.means.cut.then(|| egress::cut(p, &taken, in_steps)).flatten();
    let p = cut.as_ref().map_or(p, |c| &c.ingress);
    let decisions = in_steps.map_or(p.tables.len(), |s| s.declared);
    let mut plan = Plan::new(p, style.means, decisions);
    if let Some(cut) = &cut {
        plan.read.extend(cut.data.iter().copied());
    }
    let names = Names::new(p, &plan, style.arch);
    plan.bridged = cut.as_ref().map(|c| c.fields(&names, false)).unwrap_or_default();
    let scope = Scope { p, names: &names, plan: &plan, style, action: None };
    let (entry, start) = worlds::parser(p);
    let mut ingress = Ingress::new(scope, target.tick_ns);
    ingress.over = in_steps.and_then(|s| s.over);
    ingress.decisions = decisions;
    ingress.cut = cut.as_ref();
    ingress.taken = taken;
    ingress.apart = apart.clone();
    let body = ingress.body(&start);
    let (functions, helpers) = helpers(&ingress);
    let mut control = ControlDecl::new("ingress", style.arch.control_params());
    control.locals = locals(&ingress, helpers, info, sizes);
    control.apply = body;

    let mut decls = includes(p, target, style);
    decls.extend(constants(&ingress, sizes, target));
    decls.extend(staged::types(&ingress.staged));
    decls.extend(limiter::types(&ingress));
    decls.extend(header_types(scope));
    decls.extend(cut.as_ref().map(|c| c.header(&names)));
    decls.push(headers(scope, cut.is_some()));
    decls.push(metadata(&ingress));
    decls.push(parser::parser(scope, &entry, &parser_begins(&ingress)).into());
    decls.extend(functions);
    let lie = alone(&ingress).into_iter().chain(ingress.whole_words());
    let control = lie.fold(staged::whole(&ingress, control.into()), Decl::annotate);
    decls.push(control.note(note(&p.file, p.control.first().map(|s| s.at).unwrap_or_default(), "ingress")));
    decls.extend(if style.means.sums_last {
        let again = !ingress.staged.is_empty();
        let last = cut.as_ref().map(|c| in_egress(c, &names, apart, target, style));
        style.arch.rest_with(ingress.sums(), again, last)
    } else {
        style.arch.rest()
    });
    Program::new(decls)
}

fn includes(p: &Pipeline, target: &Target, style: Style) -> Vec<Decl> {
    let title = format!("{}: made by Guideway from {} for {}.", p.name, p.file, target.name);
    let mut decls = vec![Decl::include("core.p4").note(title), Decl::include(style.arch.file())];
    decls.extend(style.arch.beside());
    decls
}

/// What the control declares.
fn locals(g: &Ingress<'_>, helpers: Vec<Decl>, info: &P4Info, sizes: &Sizes) -> Vec<Decl> {
    let mut locals = tables::instances(g, info, sizes);
    locals.extend(helpers);
    locals.extend(staged::helpers(g, sizes));
    locals.extend(g.computes.iter().cloned());
    locals.extend(tables::actions(g, info));
    locals.extend(tables::tables(g, info, sizes));
    locals
}

/// What is done in egress.
fn in_egress(
    cut: &egress::Cut,
    ingress: &Names,
    apart: BTreeSet<VarId>,
    target: &Target,
    style: Style,
) -> Egress {
    let p = &cut.egress;
    let mut plan = Plan::new(p, style.means, p.tables.len());
    let names = Names::new(p, &plan, style.arch);
    plan.bridged = cut.fields(ingress, true);
    let scope = Scope { p, names: &names, plan: &plan, style, action: None };
    let (entry, start) = worlds::parser(p);
    let mut g = Ingress::new(scope, target.tick_ns);
    g.decisions = p.tables.len();
    g.egress = true;
    g.apart = apart;
    let apply = g.body(&start);
    let extract = P4Stmt::call(P4::name("packet").method("extract", [P4::name("h").member(egress::BRIDGE)]));
    let zeros = metadata_fields(&g).into_iter().map(|f| begin(&g, &f));
    Egress {
        begins: std::iter::once(extract).chain(zeros).collect(),
        states: parser::parser(scope, &entry, &[]).states,
        metadata: Decl::structure("egress_metadata_t", metadata_fields(&g)),
        locals: tables::instances(&g, &P4Info::default(), &Sizes::of(target))
            .into_iter()
            .chain(g.computes.iter().cloned())
            .collect(),
        apply,
        sums: g.sums(),
        headers: names.headers.iter().map(|h| P4::name("h").member(h.clone())).collect(),
    }
}

/// What the parser does before it reads: what the ports have put in front, and where metadata begins as anything, zeros.
fn parser_begins(g: &Ingress<'_>) -> Vec<P4Stmt> {
    let mut out = g.s.style.arch.parser_begins();
    let means = g.s.style.means;
    if means.preamble {
        out.extend(preamble::read());
        let unset = plan::read_first(g.s.p);
        out.extend(metadata_vars(g).filter(|(v, _)| unset.contains(v)).map(|(_, f)| preamble::zero(&f)));
        let id = |t: &FlowTableId| meta(&format!("{}_id", g.s.p.flow_tables[t.index()].name));
        out.extend(g.learners.keys().map(|t| preamble::touch(&id(t))));
    } else if means.steps {
        out.extend(metadata_fields(g).iter().map(|f| begin(g, f)));
    }
    out
}

/// What a field of metadata begins as: zero, but for words that add nothing to a checksum otherwise.
fn begin(g: &Ingress<'_>, field: &Field) -> P4Stmt {
    let number = P4::int(g.begins(&field.name).unwrap_or(0));
    P4Stmt::assign(meta(&field.name), if field.ty == P4Type::Bool { P4::Bool(false) } else { number })
}

fn constants(g: &Ingress<'_>, sizes: &Sizes, target: &Target) -> Vec<Decl> {
    let arch = g.s.style.arch;
    let host = target.host_port.as_ref().map_or(0, |port| port.value.into());
    let port = Decl::constant(P4Type::bit(arch.port_bits().into()), "CPU_PORT", P4::int(host));
    let mut out = Vec::new();
    let mut passes = false;
    walk(&g.s.p.control, &mut |s| passes |= matches!(s.kind, StmtKind::Verdict(Verdict::Pass)));
    if passes {
        out.push(port.note(arch.host_port()));
    }
    if !g.flow_helpers.is_empty() {
        out.extend(flow::constants(true));
        for t in &g.s.p.flow_tables {
            let name = format!("{}_BUCKETS", t.name.to_uppercase());
            out.push(Decl::constant(P4Type::bit(32), name, P4::from(sizes.flows(t) / 4)));
        }
    }
    if !g.learners.is_empty() {
        out.extend(flow::constants(false));
    }
    out
}

fn header_types(s: Scope<'_>) -> Vec<Decl> {
    let used = |i: usize| s.p.headers.iter().any(|h| h.ty.index() == i);
    let types = s.p.header_types.iter().enumerate().filter(|(i, _)| used(*i));
    let own = s.style.means.preamble.then(preamble::header_type);
    let types = types.map(|(i, t)| {
        let fields = t.fields.iter().zip(&s.names.fields[i]);
        let fields = fields.map(|(f, name)| Field::new(P4Type::bit(u32::from(f.width)), name.clone()));
        Decl::header(s.names.types[i].clone(), fields)
    });
    own.into_iter().chain(types).collect()
}

fn headers(s: Scope<'_>, cut: bool) -> Decl {
    let fields = s.p.headers.iter().zip(&s.names.headers);
    let fields =
        fields.map(|(h, name)| Field::new(P4Type::named(s.names.types[h.ty.index()].clone()), name.clone()));
    let own = || Field::new(P4Type::named("preamble_t"), preamble::NAME);
    let bridge = cut.then(|| Field::new(P4Type::named("bridge_t"), egress::BRIDGE));
    let fields = s.style.means.preamble.then(own).into_iter().chain(bridge).chain(fields);
    Decl::structure("headers_t", fields).note("In the order in which they leave.")
}

/// The pipeline's metadata, what actions keep for their arms, and what we add.
fn metadata(g: &Ingress<'_>) -> Decl {
    let decl = Decl::structure("metadata_t", metadata_fields(g));
    if g.s.plan.resubmits {
        decl.note("A second pass finds the fields of list 1 as the first one left them.")
    } else {
        decl
    }
}

fn metadata_fields(g: &Ingress<'_>) -> Vec<Field> {
    let mut fields = Vec::new();
    if g.s.style.means.preamble {
        fields.extend(preamble::metadata());
    }
    fields.extend(metadata_vars(g).map(|(_, field)| field));
    fields.extend(g.fields.iter().map(|f| kept(Field::new(f.ty.clone(), f.name.clone()), f.kept)));
    fields
}

/// Variables that live in metadata.
fn metadata_vars<'a>(g: &'a Ingress<'_>) -> impl Iterator<Item = (VarId, Field)> + 'a {
    let (s, plan) = (g.s, g.s.plan);
    s.p.vars.iter().enumerate().filter_map(move |(i, var)| {
        let id = VarId(i as u32);
        let wanted = match var.kind {
            VarKind::Meta => plan.read.contains(&id) || plan.written.contains(&id),
            VarKind::Local => plan.in_metadata.contains(&id),
            VarKind::Param(a) => plan.read.contains(&id) && !plan.absorbed.contains(&a),
        };
        let there = wanted && !plan.bridged.contains_key(&id);
        let ty = || match plan.is_port(id) {
            true => P4Type::bit(s.style.arch.port_bits().into()),
            false => plan::ty(var.ty),
        };
        let field = || Field::new(ty(), s.names.vars[i].clone());
        let again = plan.kept.contains(&id) && !plan.parsed_again.contains(&id);
        there.then(|| (id, kept(field(), again)))
    })
}

/// The metadata that lies in containers of its own.
fn alone(g: &Ingress<'_>) -> Vec<Annotation> {
    let vars: BTreeSet<&String> = g.s.plan.alone.iter().map(|v| &g.s.names.vars[v.index()]).collect();
    let (fields, flags, seen) = (metadata_fields(g), g.flags(), g.seen());
    let own = |name: &String| {
        vars.contains(name) || flags.contains(name) || seen.contains(name) || name == DROP_REASON
    };
    let own = fields.iter().filter(|f| own(&f.name));
    g.s.style.arch.alone(&own.map(|f| f.name.as_str()).collect::<Vec<_>>(), &g.summed())
}

fn kept(field: Field, kept: bool) -> Field {
    if kept { field.annotate(Annotation::field_list(1)) } else { field }
}

/// Functions, and actions that stand in the control.
fn helpers(g: &Ingress<'_>) -> (Vec<Decl>, Vec<Decl>) {
    let (mut functions, mut actions) = (Vec::new(), Vec::new());
    let mut add = |(f, a): (Vec<Decl>, Vec<Decl>)| {
        functions.extend(f);
        actions.extend(a);
    };
    let [adjust, checksum] = g.s.style.arch.checksums();
    if g.adjusts {
        add(prelude::fill(adjust, &[]));
    }
    if g.sums {
        add(prelude::fill(checksum, &[]));
    }
    if g.crcs {
        add(prelude::fill(prelude::CRC32, &[]));
    }
    if g.sips {
        add(prelude::fill(prelude::HALF_SIP_HASH, &[]));
    }
    add((Vec::new(), limiter::helpers(g)));
    add(flow::helpers(g));
    (functions, actions)
}
