//! The program's sections in order: constants, types, parser, ingress, and the empty rest.

use hw_targets::Target;
use p4::ast::{Annotation, ControlDecl, Decl, Expr as P4, Field, Program, Stmt as P4Stmt, Type as P4Type};
use p4::info::P4Info;
use pipeline_ir::stmt::{StmtKind, Verdict, walk};
use pipeline_ir::{Pipeline, VarId, VarKind};

use super::arch::Style;
use super::control::{Ingress, note};
use super::expr::{Scope, meta};
use super::info::Sizes;
use super::names::Names;
use super::plan::{self, Plan};
use super::{flow, parser, preamble, prelude, staged, tables, worlds};

/// The whole program.
pub(super) fn program(
    p: &Pipeline,
    over: Option<VarId>,
    info: &P4Info,
    sizes: &Sizes,
    target: &Target,
    style: Style,
) -> Program {
    let none = P4Info::default();
    let info = if style.arch.knows_ids() { info } else { &none };
    let plan = Plan::new(p, style.means);
    let names = Names::new(p, &plan, style.arch);
    let scope = Scope { p, names: &names, plan: &plan, style, action: None };
    let (entry, start) = worlds::parser(p);
    let mut ingress = Ingress::new(scope, target.tick_ns);
    ingress.over = over;
    let body = ingress.body(&start);
    let (functions, helpers) = helpers(&ingress);
    let mut control = ControlDecl::new("ingress", style.arch.control_params());
    control.locals = tables::instances(&ingress, info, sizes);
    control.locals.extend(helpers);
    control.locals.extend(staged::helpers(&ingress, sizes));
    control.locals.extend(tables::actions(&ingress, info));
    control.locals.extend(tables::tables(&ingress, info, sizes));
    control.apply = body;

    let title = format!("{}: made by Guideway from {} for {}.", p.name, p.file, target.name);
    let mut decls = vec![Decl::include("core.p4").note(title), Decl::include(style.arch.file())];
    decls.extend(style.arch.beside());
    decls.extend(constants(&ingress, sizes));
    decls.extend(staged::types(&ingress.staged));
    decls.extend(header_types(scope));
    decls.push(headers(scope));
    decls.push(metadata(&ingress));
    decls.push(parser::parser(scope, &entry, &parser_begins(&ingress), !ingress.staged.is_empty()).into());
    decls.extend(functions);
    let control =
        ingress.whole_words().into_iter().fold(staged::whole(&ingress, control.into()), Decl::annotate);
    decls.push(control.note(note(&p.file, p.control.first().map(|s| s.at).unwrap_or_default(), "ingress")));
    decls.extend(if style.means.sums_last {
        style.arch.rest_with(ingress.sums(), !ingress.staged.is_empty())
    } else {
        style.arch.rest()
    });
    Program::new(decls)
}

/// What the parser does before it reads: where metadata begins as anything, zeros.
fn parser_begins(g: &Ingress<'_>) -> Vec<P4Stmt> {
    let mut out = g.s.style.arch.parser_begins();
    if !g.s.style.means.steps {
        return out;
    }
    out.extend(metadata_fields(g).iter().map(|f| zero(&f.name, &f.ty)));
    out
}

fn zero(name: &str, ty: &P4Type) -> P4Stmt {
    let zero = if *ty == P4Type::Bool { P4::Bool(false) } else { P4::int(0) };
    P4Stmt::assign(meta(name), zero)
}

fn constants(g: &Ingress<'_>, sizes: &Sizes) -> Vec<Decl> {
    let arch = g.s.style.arch;
    let (host, about) = arch.host_port();
    let port = Decl::constant(P4Type::bit(arch.port_bits().into()), "CPU_PORT", P4::int(host));
    let mut out = Vec::new();
    let mut passes = false;
    walk(&g.s.p.control, &mut |s| passes |= matches!(s.kind, StmtKind::Verdict(Verdict::Pass)));
    if passes {
        out.push(port.note(about));
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

fn headers(s: Scope<'_>) -> Decl {
    let fields = s.p.headers.iter().zip(&s.names.headers);
    let fields =
        fields.map(|(h, name)| Field::new(P4Type::named(s.names.types[h.ty.index()].clone()), name.clone()));
    let own = || Field::new(P4Type::named("preamble_t"), preamble::NAME);
    let fields = s.style.means.preamble.then(own).into_iter().chain(fields);
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
    let (s, plan) = (g.s, g.s.plan);
    let mut fields = Vec::new();
    if s.style.means.preamble {
        fields.extend(preamble::metadata());
    }
    for (i, var) in s.p.vars.iter().enumerate() {
        let id = VarId(i as u32);
        let wanted = match var.kind {
            VarKind::Meta => plan.read.contains(&id) || plan.written.contains(&id),
            VarKind::Local => plan.in_metadata.contains(&id),
            VarKind::Param(a) => plan.read.contains(&id) && !plan.absorbed.contains(&a),
        };
        if wanted {
            let field = Field::new(plan::ty(var.ty), s.names.vars[i].clone());
            fields.push(kept(field, plan.kept.contains(&id) && !plan.parsed_again.contains(&id)));
        }
    }
    fields.extend(g.fields.iter().map(|f| kept(Field::new(f.ty.clone(), f.name.clone()), f.kept)));
    fields
}

fn kept(field: Field, kept: bool) -> Field {
    if kept { field.annotate(Annotation::field_list(1)) } else { field }
}

/// Functions, and actions that stand in the control.
fn helpers(g: &Ingress<'_>) -> (Vec<Decl>, Vec<Decl>) {
    let (p, names) = (g.s.p, g.s.names);
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
    for l in &g.limiters {
        let (limiter, register) = (&p.limiters[l.index()], &names.limiters[l.index()]);
        let most = limiter.per_tick.to_string();
        let holes = [("LIMITER", limiter.name.as_str()), ("REGISTER", register.as_str()), ("MOST", &most)];
        add(prelude::fill(g.s.style.arch.limiter(), &holes));
    }
    add(flow::helpers(g));
    (functions, actions)
}
