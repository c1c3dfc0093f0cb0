//! Where variables live: fields of `Meta`, bindings of an arm, or `let`s in the innermost block that holds all their
//! uses. A variable that is declared where it is first written reads as a programmer would write it; since it is zero
//! before, that changes nothing.

use super::headers::HeaderNames;
use super::names::ident;
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Place, Stmt, StmtKind};
use pipeline_ir::{ActionId, CursorId, ParserOp, Pipeline, Transition, VarId, VarKind};
use proc_macro2::Ident;
use std::collections::{BTreeMap, BTreeSet};

/// A block: the statements and the blocks in them that lead to it.
pub(super) type Path = Vec<(usize, usize)>;

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Var(VarId),
    Cursor(CursorId),
}

/// Names and places of all that the control uses.
pub(super) struct Scope<'a> {
    pub(super) p: &'a Pipeline,
    pub(super) headers: &'a HeaderNames,
    /// By variable.
    pub(super) names: Vec<Ident>,
    /// By cursor.
    pub(super) cursors: Vec<Ident>,
    meta: BTreeSet<VarId>,
    /// Parameters that only arms of their action use.
    bound: BTreeSet<VarId>,
    /// Before which statement of a block an item is declared.
    declared: BTreeMap<(Path, usize), Vec<Item>>,
    /// How often a variable is written.
    writes: BTreeMap<VarId, usize>,
    /// Variables that the control mentions.
    mentioned: BTreeSet<VarId>,
}

#[derive(Default)]
struct Uses {
    at: BTreeMap<Item, Vec<(Path, usize)>>,
    writes: BTreeMap<VarId, usize>,
    arms: BTreeMap<ActionId, Vec<Path>>,
    /// Tables that may write a parameter.
    chosen: BTreeMap<VarId, Vec<(Path, usize)>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(p: &'a Pipeline, headers: &'a HeaderNames) -> Self {
        let mut uses = Uses::default();
        uses.block(p, &p.control, &mut Vec::new());
        let parsed = parser_vars(p);
        let is_meta = |v: &VarId| p.var(*v).kind == VarKind::Meta || parsed.contains(v);
        let all = (0..p.vars.len()).map(|i| VarId(i as u32));
        let meta: BTreeSet<VarId> = all.clone().filter(is_meta).collect();
        let bound: BTreeSet<VarId> =
            all.filter(|v| !meta.contains(v) && uses.only_in_own_arms(p, *v)).collect();
        let mut declared: BTreeMap<(Path, usize), Vec<Item>> = BTreeMap::new();
        let mut homes: BTreeMap<Item, Vec<Path>> = BTreeMap::new();
        for (var, at) in std::mem::take(&mut uses.chosen) {
            if let Some(all) = uses.at.get_mut(&Item::Var(var)).filter(|_| !bound.contains(&var)) {
                all.extend(at);
            }
        }
        for (item, at) in &uses.at {
            match item {
                Item::Var(v) if meta.contains(v) => continue,
                Item::Var(v) if bound.contains(v) => {
                    homes.insert(*item, uses.arms_of(p, *v));
                    continue;
                }
                _ => {}
            }
            if let Some(home) = home(at) {
                homes.insert(*item, vec![home.0.clone()]);
                declared.entry(home).or_default().push(*item);
            }
        }
        let mentioned = uses.at.keys().filter_map(|i| if let Item::Var(v) = i { Some(*v) } else { None });
        let mentioned = mentioned.collect();
        let (names, cursors) = name_all(p, &meta, &homes);
        Self { p, headers, names, cursors, meta, bound, declared, writes: uses.writes, mentioned }
    }

    pub(super) fn in_meta(&self, var: VarId) -> bool {
        self.meta.contains(&var)
    }
    /// The fields of `Meta`.
    pub(super) fn meta(&self) -> impl Iterator<Item = VarId> + '_ {
        self.meta.iter().copied()
    }
    /// Is it a binding of its action's arms?
    pub(super) fn is_bound(&self, var: VarId) -> bool {
        self.bound.contains(&var)
    }
    /// Does the control use it at all?
    pub(super) fn is_mentioned(&self, var: VarId) -> bool {
        self.mentioned.contains(&var)
    }
    /// How often it is written.
    pub(super) fn writes(&self, var: VarId) -> usize {
        self.writes.get(&var).copied().unwrap_or(0)
    }
    /// What is declared before a statement.
    pub(super) fn declared(&self, path: &Path, index: usize) -> &[Item] {
        self.declared.get(&(path.clone(), index)).map_or(&[], Vec::as_slice)
    }
}

/// A name is given twice only where neither's blocks hold the other's.
fn name_all(
    p: &Pipeline,
    meta: &BTreeSet<VarId>,
    homes: &BTreeMap<Item, Vec<Path>>,
) -> (Vec<Ident>, Vec<Ident>) {
    let mut vars: Vec<Ident> = p.vars.iter().map(|v| ident(&v.name)).collect();
    let mut cursors: Vec<Ident> = p.cursors.iter().map(|c| ident(&c.name)).collect();
    let mut fields = super::names::Namer::new(&[]);
    for v in meta {
        vars[v.index()] = fields.name(&p.var(*v).name);
    }
    let root: Vec<Path> = vec![Vec::new()];
    let mut taken: Vec<(String, &[Path])> = ["h", "m", "c", "self", "rt", "stays", "id"]
        .iter()
        .map(|n| ((*n).to_owned(), root.as_slice()))
        .collect();
    for (item, paths) in homes {
        let wanted = match item {
            Item::Var(v) => p.var(*v).name.clone(),
            Item::Cursor(c) => p.cursors[c.index()].name.clone(),
        };
        let free = |name: &str| {
            let clash = |q: &Path| paths.iter().any(|o| o.starts_with(q) || q.starts_with(o));
            !taken.iter().any(|(n, places)| n == name && places.iter().any(clash))
        };
        let mut name = ident(&wanted).to_string();
        let mut n = 2;
        while !free(&name) {
            name = format!("{wanted}_{n}");
            n += 1;
        }
        match item {
            Item::Var(v) => vars[v.index()] = ident(&name),
            Item::Cursor(c) => cursors[c.index()] = ident(&name),
        }
        taken.push((name, paths));
    }
    (vars, cursors)
}

/// The innermost block that holds all uses, and the first statement in it that has one.
fn home(uses: &[(Path, usize)]) -> Option<(Path, usize)> {
    let (first, _) = uses.first()?;
    let depth = |path: &Path| path.iter().zip(first).take_while(|(a, b)| a == b).count();
    let common = uses.iter().map(|(path, _)| depth(path)).min()?;
    let index = uses.iter().map(|(path, i)| path.get(common).map_or(*i, |step| step.0)).min()?;
    Some((first[..common].to_vec(), index))
}

fn parser_vars(p: &Pipeline) -> BTreeSet<VarId> {
    let mut vars = BTreeSet::new();
    for state in &p.parser.states {
        for op in &state.ops {
            match op {
                ParserOp::Extract { .. } => {}
                ParserOp::Lookahead { into, .. } => {
                    vars.insert(*into);
                }
                ParserOp::Set { var, value, .. } => {
                    vars.insert(*var);
                    vars.extend(expr_vars(value));
                }
            }
        }
        if let Transition::Select { on, .. } = &state.next {
            vars.extend(on.iter().flat_map(expr_vars));
        }
    }
    vars
}

/// Variables that an expression reads.
pub(super) fn expr_vars(e: &Expr) -> BTreeSet<VarId> {
    let mut vars = BTreeSet::new();
    e.walk(&mut |e| {
        if let ExprKind::Var(v) = e.kind {
            vars.insert(v);
        }
    });
    vars
}

/// The variable that a statement itself writes.
pub(super) fn written(kind: &StmtKind) -> Option<VarId> {
    match kind {
        StmtKind::Set { place: Place::Var(v), .. }
        | StmtKind::Checksum { place: Place::Var(v), .. }
        | StmtKind::Adjust { place: Place::Var(v), .. }
        | StmtKind::Hash { into: v, .. }
        | StmtKind::Limit { into: v, .. }
        | StmtKind::Stay { id: v, .. }
        | StmtKind::Select { into: v, .. } => Some(*v),
        _ => None,
    }
}

impl Uses {
    fn block(&mut self, p: &Pipeline, block: &[Stmt], path: &mut Path) {
        for (i, stmt) in block.iter().enumerate() {
            self.stmt(p, &stmt.kind, path, i);
            for (n, inner) in stmt.kind.blocks().into_iter().enumerate() {
                path.push((i, n));
                self.block(p, inner, path);
                path.pop();
            }
        }
    }

    fn stmt(&mut self, p: &Pipeline, kind: &StmtKind, path: &Path, i: usize) {
        let mut items: BTreeSet<Item> = BTreeSet::new();
        items.extend(kind.exprs().into_iter().flat_map(expr_vars).map(Item::Var));
        if let Some(v) = written(kind) {
            items.insert(Item::Var(v));
            *self.writes.entry(v).or_default() += 1;
        }
        match kind {
            StmtKind::Remember { cursor, id } => items.extend([Item::Cursor(*cursor), Item::Var(*id)]),
            StmtKind::Find { cursor, .. } | StmtKind::Stay { cursor, .. } => {
                items.insert(Item::Cursor(*cursor));
            }
            _ => {}
        }
        // The first block of `Stay` is its selection.
        let before = usize::from(matches!(kind, StmtKind::Stay { .. }));
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = kind {
            for (n, arm) in arms.iter().enumerate() {
                let mut inner = path.clone();
                inner.push((i, before + n));
                self.arms.entry(arm.action).or_default().push(inner);
                for v in p.actions.get(arm.action.index()).map_or(&[][..], |a| &a.params) {
                    self.chosen.entry(*v).or_default().push((path.clone(), i));
                }
            }
        }
        for item in items {
            self.at.entry(item).or_default().push((path.clone(), i));
        }
    }

    fn arms_of(&self, p: &Pipeline, var: VarId) -> Vec<Path> {
        match p.var(var).kind {
            VarKind::Param(action) => self.arms.get(&action).cloned().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn only_in_own_arms(&self, p: &Pipeline, var: VarId) -> bool {
        if !matches!(p.var(var).kind, VarKind::Param(_)) {
            return false;
        }
        let arms = self.arms_of(p, var);
        let nested = arms
            .iter()
            .enumerate()
            .any(|(i, a)| arms.iter().enumerate().any(|(j, b)| i != j && b.starts_with(a)));
        let inside = |path: &Path| arms.iter().any(|arm| path.starts_with(arm));
        let uses = self.at.get(&Item::Var(var));
        !nested && uses.is_none_or(|uses| uses.iter().all(|(path, _)| inside(path)))
    }
}
