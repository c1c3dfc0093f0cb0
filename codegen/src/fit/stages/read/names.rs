//! What a control's names stand for.

use super::super::{Compare, KeyPart};
use super::{place, seen};
use p4::ast::{ActionDecl, ControlDecl, Decl, DeclKind, Expr, Field, Instance, Program, Table, Type};
use pipeline_ir::Loc;
use std::collections::{BTreeMap, BTreeSet};

/// An array that the control declares.
pub(super) struct Declared {
    pub(super) name: String,
    /// As the control plane sees it.
    pub(super) seen: String,
    pub(super) at: Loc,
    pub(super) cells: u64,
    pub(super) in_row: u32,
    pub(super) computes: bool,
}

pub(super) struct Names<'a> {
    types: BTreeMap<&'a str, &'a [Field]>,
    aliases: BTreeMap<&'a str, &'a Type>,
    consts: BTreeMap<&'a str, &'a Expr>,
    /// Types of parameters and variables.
    roots: BTreeMap<&'a str, &'a Type>,
    pub(super) tables: BTreeMap<&'a str, (&'a Decl, &'a Table)>,
    pub(super) actions: BTreeMap<&'a str, &'a ActionDecl>,
    /// Counters of entries: how many share a row.
    pub(super) counters: BTreeMap<&'a str, u32>,
    pub(super) arrays: Vec<Declared>,
    /// Which array an object is, or works on.
    pub(super) array_of: BTreeMap<&'a str, usize>,
    /// Objects with methods of their own.
    pub(super) methods: BTreeMap<&'a str, &'a [Decl]>,
    pub(super) live: &'a BTreeSet<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(program: &'a Program, control: &'a ControlDecl, live: &'a BTreeSet<String>) -> Self {
        let mut names = Self {
            types: BTreeMap::new(),
            aliases: BTreeMap::new(),
            consts: BTreeMap::new(),
            roots: control.params.iter().map(|p| (p.name.as_str(), &p.ty)).collect(),
            tables: BTreeMap::new(),
            actions: BTreeMap::new(),
            counters: BTreeMap::new(),
            arrays: Vec::new(),
            array_of: BTreeMap::new(),
            methods: BTreeMap::new(),
            live,
        };
        program.decls.iter().for_each(|d| names.global(d));
        control.locals.iter().for_each(|d| names.local(d));
        names
    }

    fn global(&mut self, decl: &'a Decl) {
        match &decl.kind {
            DeclKind::Struct(r) | DeclKind::Header(r) => drop(self.types.insert(&r.name, &r.fields)),
            DeclKind::Typedef(ty, name) | DeclKind::NewType(ty, name) => drop(self.aliases.insert(name, ty)),
            DeclKind::Const(_, name, value) => drop(self.consts.insert(name, value)),
            _ => {}
        }
    }

    fn local(&mut self, decl: &'a Decl) {
        match &decl.kind {
            DeclKind::Table(t) => drop(self.tables.insert(&t.name, (decl, t))),
            DeclKind::Action(a) => drop(self.actions.insert(&a.name, a)),
            DeclKind::Variable(ty, name, _) => drop(self.roots.insert(name, ty)),
            DeclKind::Const(_, name, value) => drop(self.consts.insert(name, value)),
            DeclKind::Instance(i) => self.instance(decl, i),
            _ => {}
        }
    }

    fn instance(&mut self, decl: &'a Decl, i: &'a Instance) {
        let Type::Generic(kind, args) = &i.ty else {
            if i.ty == Type::named("DirectCounter") {
                self.counters.insert(&i.name, 2);
            }
            return;
        };
        let bits = args.first().map_or(32, |t| self.bits(t));
        let arg = |n: usize| i.args.get(n).map(|a| &a.value);
        let cells = arg(0).map_or(1, |e| self.number(e)).max(1);
        match kind.as_str() {
            "DirectCounter" => drop(self.counters.insert(&i.name, counters_in_row(bits, arg(0)))),
            "Counter" => self.array(decl, i, cells, counters_in_row(bits, arg(1)), false),
            "Register" => self.array(decl, i, cells, 128 / bits.next_power_of_two().clamp(1, 128), true),
            "RegisterAction" | "RegisterAction2" | "RegisterAction3" | "RegisterAction4" => {
                let of = match arg(0) {
                    Some(Expr::Name(name)) => self.array_of.get(name.as_str()).copied(),
                    _ => None,
                };
                of.map(|of| self.array_of.insert(&i.name, of));
                self.methods.insert(&i.name, &i.methods);
            }
            _ => {}
        }
    }

    fn array(&mut self, decl: &'a Decl, i: &'a Instance, cells: u64, in_row: u32, computes: bool) {
        self.array_of.insert(&i.name, self.arrays.len());
        let seen = seen(&decl.annotations).unwrap_or(&i.name).to_owned();
        self.arrays.push(Declared { name: i.name.clone(), seen, at: place(decl), cells, in_row, computes });
    }

    /// A constant's value; 0 for what is none.
    pub(super) fn number(&self, e: &Expr) -> u64 {
        match e {
            Expr::Int(i) => u64::try_from(i.value()).unwrap_or(u64::MAX),
            Expr::Name(name) => self.consts.get(name.as_str()).map_or(0, |e| match e {
                Expr::Name(_) => 0,
                value => self.number(value),
            }),
            Expr::Cast(_, inner) => self.number(inner),
            _ => 0,
        }
    }

    /// Bits of a type.
    pub(super) fn bits(&self, ty: &Type) -> u32 {
        match ty {
            Type::Bool => 1,
            Type::Bits(n) | Type::Signed(n) | Type::Varbit(n) => *n,
            Type::Named(name) => match (self.aliases.get(name.as_str()), self.types.get(name.as_str())) {
                (Some(ty), _) if **ty != Type::named(name) => self.bits(ty),
                (_, Some(fields)) => fields.iter().map(|f| self.bits(&f.ty)).sum(),
                // A port, as the architecture has it.
                _ => PORT_BITS,
            },
            _ => 32,
        }
    }

    /// A field as part of a key.
    pub(super) fn key(&self, field: &str, compare: Compare) -> KeyPart {
        let bits = self.field_bits(field);
        KeyPart { field: field.to_owned(), bits, bytes: self.bytes(field, bits, 0), compare }
    }

    /// The bytes that a part of a field lies in. Fields of one header share bytes as they do in the packet; headers' validity
    /// is a bit each, side by side.
    fn bytes(&self, field: &str, bits: u32, low: u32) -> BTreeSet<String> {
        if field.ends_with(VALID) {
            return BTreeSet::from([VALID.to_owned()]);
        }
        let (place, behind) = self.place(field).unwrap_or_else(|| (field.to_owned(), 0));
        let (first, last) = (behind + low, behind + low + bits.max(1) - 1);
        (first / 8..=last / 8).map(|byte| format!("{place}[{byte}]")).collect()
    }

    /// The header of a field, and the bits behind the field in it.
    fn place(&self, field: &str) -> Option<(String, u32)> {
        let (header, name) = field.rsplit_once('.')?;
        let (root, own) = header.split_once('.')?;
        let Type::Named(headers) = self.roots.get(root)? else { return None };
        let ty = &self.types.get(headers.as_str())?.iter().find(|f| f.name == own)?.ty;
        let Type::Named(ty) = ty else { return None };
        let fields = self.types.get(ty.as_str())?;
        let at = fields.iter().position(|f| f.name == name)?;
        Some((header.to_owned(), fields[at + 1..].iter().map(|f| self.bits(&f.ty)).sum()))
    }

    /// An expression as part of a key.
    pub(super) fn key_of(&self, e: &Expr, compare: Compare) -> KeyPart {
        match e {
            Expr::Slice(of, hi, lo) => {
                let bits = (self.number(hi) + 1).saturating_sub(self.number(lo));
                let bits = u32::try_from(bits).unwrap_or(1);
                let whole = self.key_of(of, compare);
                let low = u32::try_from(self.number(lo)).unwrap_or(0);
                KeyPart { bits, bytes: self.bytes(&whole.field, bits, low), ..whole }
            }
            Expr::Cast(ty, of) => KeyPart { bits: self.bits(ty), ..self.key_of(of, compare) },
            _ => self.key(&path(e).unwrap_or_default(), compare),
        }
    }

    fn field_bits(&self, field: &str) -> u32 {
        let mut parts = field.split('.');
        let mut ty = parts.next().and_then(|root| self.roots.get(root).copied());
        for part in parts {
            if part == VALID {
                return 1;
            }
            let name = match ty {
                Some(Type::Named(name)) => name.as_str(),
                _ => return PORT_BITS,
            };
            let fields = self.types.get(name).copied().unwrap_or_default();
            ty = fields.iter().find(|f| f.name == part).map(|f| &f.ty);
        }
        ty.map_or(PORT_BITS, |ty| self.bits(ty))
    }

    /// Is a field one that only counts if something reads it?
    pub(super) fn is_read(&self, field: &str) -> bool {
        let root = field.split('.').next().unwrap_or_default();
        let own = match self.roots.get(root) {
            Some(Type::Named(name)) => name.starts_with("metadata"),
            _ => true,
        };
        !own || self.live.contains(field)
    }
}

/// Bits of a port's number.
const PORT_BITS: u32 = 9;

/// A header's validity, as a field.
pub(super) const VALID: &str = "$valid";

/// Counters that share a row of 128 bits.
fn counters_in_row(bits: u32, kind: Option<&Expr>) -> u32 {
    let both = kind.and_then(path).is_some_and(|k| k.to_uppercase().contains("AND_BYTES"));
    match (both, bits) {
        (true, 0..=36) => 2,
        (true, _) => 1,
        (false, 0..=32) => 4,
        (false, _) => 2,
    }
}

/// `h.ip4.dst`; a slice and an element are the whole field; none for what is no field.
pub(super) fn path(e: &Expr) -> Option<String> {
    match e {
        Expr::Name(name) => Some(name.clone()),
        Expr::Member(of, name) => Some(format!("{}.{name}", path(of)?)),
        Expr::Slice(of, ..) | Expr::Index(of, _) | Expr::Cast(_, of) => path(of),
        Expr::Call(what, _, _) => match &**what {
            Expr::Member(of, method) if method == "isValid" => Some(format!("{}.{VALID}", path(of)?)),
            _ => None,
        },
        _ => None,
    }
}
