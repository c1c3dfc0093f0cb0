//! What a pipeline uses of what a target has so much of.

use hw_targets::Target;
use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::expr::{Builtin, ExprKind};
use pipeline_ir::stmt::{StmtKind, Verdict, walk};
use pipeline_ir::{Loc, MatchKind, Pattern, Pipeline, Transition};

/// A use of something limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The limit's name in the target file.
    pub limit: &'static str,
    /// What uses it: `table vip4`, or `all`.
    pub of: String,
    /// How much.
    pub amount: u64,
    /// Is it part of a sum that is held against the limit, rather than against it alone?
    pub adds: bool,
    /// Where that stands.
    pub at: Loc,
    /// What would make it smaller.
    pub help: &'static str,
}

/// Every use of a limit that the target states.
pub(super) fn uses(p: &Pipeline, target: &Target) -> Vec<Use> {
    let mut list = Vec::new();
    tables(p, &mut list);
    fields(p, &mut list);
    structs(p, &mut list);
    ports(p, target, &mut list);
    #[cfg(feature = "p4")]
    super::chip::uses(p, target, &mut list);
    list.retain(|u| target.limit(u.limit).is_some());
    list
}

pub(super) fn check(target: &Target, uses: &[Use], faults: &mut Diagnostics) {
    let mut names: Vec<&str> = uses.iter().map(|u| u.limit).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(most) = target.limit(name) else { continue };
        let source = target.limits.get(name).map_or("", |l| l.source.as_str());
        let of_name = || uses.iter().filter(|u| u.limit == name);
        for u in of_name().filter(|u| !u.adds && u.amount > most) {
            let message =
                format!("{} needs {} {name}; {} has {most} ({source})", u.of, u.amount, target.title);
            faults.push(Code::TargetBudget, u.at, message, u.help);
        }
        let sum: u64 = of_name().filter(|u| u.adds).map(|u| u.amount).sum();
        let biggest = of_name().filter(|u| u.adds).max_by_key(|u| u.amount);
        if let Some(u) = biggest
            && sum > most
        {
            let message = format!(
                "all together need {sum} {name}; {} has {most} ({source}); the biggest part is {} with {}",
                target.title, u.of, u.amount
            );
            faults.push(Code::TargetBudget, u.at, message, u.help);
        }
    }
}

fn tables(p: &Pipeline, list: &mut Vec<Use>) {
    for table in &p.tables {
        let of = format!("table {}", table.name);
        if table.is_searched() {
            let help = "make the table smaller, or match exactly or by prefix";
            list.push(Use {
                limit: "linear_entries",
                of,
                amount: table.size.into(),
                adds: false,
                at: table.at,
                help,
            });
        } else if table.slot_bits.is_none() && table.keys.iter().all(|k| k.kind == MatchKind::Exact) {
            list.push(Use {
                limit: "exact_tables",
                of,
                amount: 1,
                adds: true,
                at: table.at,
                help: "join tables that are alike",
            });
        }
    }
    for flow in &p.flow_tables {
        list.push(Use {
            limit: "flow_timers",
            of: format!("flow table {}", flow.name),
            amount: flow.idle.len() as u64 * 4,
            adds: false,
            at: flow.at,
            help: "declare fewer classes of time-outs",
        });
    }
}

fn fields(p: &Pipeline, list: &mut Vec<Use>) {
    for ty in &p.header_types {
        for field in &ty.fields {
            list.push(Use {
                limit: "field_bits",
                of: format!("field {}.{}", ty.name, field.name),
                amount: field.width.into(),
                adds: false,
                at: field.at,
                help: "split the field, or leave this header to targets that have wide fields",
            });
        }
    }
    for header in &p.headers {
        list.push(Use {
            limit: "header_bits",
            of: format!("header {}", header.name),
            amount: p.header_types[header.ty.index()].bits().into(),
            adds: true,
            at: header.at,
            help: "parse fewer headers, or split the pipeline over ingress and egress",
        });
    }
    let vars: u64 = p.vars.iter().map(|v| u64::from(v.ty.width())).sum();
    let at = p.vars.first().map_or(Loc::default(), |v| v.at);
    let help = "keep fewer and narrower variables";
    list.push(Use { limit: "header_bits", of: "metadata".into(), amount: vars, adds: true, at, help });
}

/// Ports that the text names and the target has not. They are numbered from 0; one that is there uses none up.
fn ports(p: &Pipeline, target: &Target, list: &mut Vec<Use>) {
    let most = target.limit("ports").unwrap_or(u64::MAX);
    let mut add = |number: u64, of, at| {
        let amount = number.saturating_add(1);
        if amount > most {
            list.push(Use {
                limit: "ports",
                of,
                amount,
                adds: false,
                at,
                help: "take a port that the target has",
            });
        }
    };
    named_ports(p, |number, at| add(number, format!("forward({number})"), at));
    for state in &p.parser.states {
        let Transition::Select { on, cases, .. } = &state.next else { continue };
        let asks = |i: &usize| on[*i].kind == ExprKind::Builtin(Builtin::IngressPort);
        for case in cases {
            for i in (0..on.len()).filter(asks) {
                if let Pattern::Value(number) | Pattern::Range { high: number, .. } = case.patterns[i] {
                    let number = u64::try_from(number).unwrap_or(u64::MAX);
                    add(number, format!("INGRESS_PORT == {number}"), case.at);
                }
            }
        }
    }
}

/// The ports that the text names.
fn named_ports(p: &Pipeline, mut found: impl FnMut(u64, Loc)) {
    walk(&p.control, &mut |s| {
        let StmtKind::Verdict(Verdict::Forward(port)) = &s.kind else { return };
        let ExprKind::Const(number) = port.kind else { return };
        found(u64::try_from(number).unwrap_or(u64::MAX), s.at);
    });
}

/// Ports among the target's that the text names, and that are the host's own stack: packets would go there without a word.
pub(super) fn host_port(p: &Pipeline, target: &Target, faults: &mut Diagnostics) {
    let Some(host) = &target.host_port else { return };
    let among = target.limit("ports").is_none_or(|most| host.value < most);
    named_ports(p, |number, at| {
        if among && number == host.value {
            let message = format!(
                "forward({number}) goes to the host; {} has it there ({})",
                target.title, host.source
            );
            faults.push(
                Code::TargetLacks,
                at,
                message,
                "take another port, or hand the packet over with `pass`",
            );
        }
    });
}

/// Headers, keys and action data, where each is a struct that instructions reach into.
fn structs(p: &Pipeline, list: &mut Vec<Use>) {
    let mut add = |limit, of: String, amount: u64, adds, at, help| {
        list.push(Use { limit, of, amount, adds, at, help });
    };
    let bytes = |widths: &mut dyn Iterator<Item = u8>| widths.map(|w| u64::from(w.div_ceil(8))).sum::<u64>();
    for header in &p.headers {
        let of = format!("header {}", header.name);
        let amount = u64::from(p.header_types[header.ty.index()].bytes());
        add("struct_bytes", of.clone(), amount, false, header.at, "split the header");
        add("headers", of, 1, true, header.at, "parse fewer headers");
    }
    for table in &p.tables {
        let of = format!("table {}", table.name);
        let key = bytes(&mut table.keys.iter().map(|k| k.width));
        let data = |a: &pipeline_ir::ActionId| {
            bytes(&mut p.actions[a.index()].params.iter().map(|v| p.var(*v).ty.width()))
        };
        let data = table.actions.iter().map(data).max().unwrap_or(0) + 4;
        add("struct_bytes", of.clone(), key.max(data), false, table.at, "look up or carry less");
        let name = |a: &pipeline_ir::ActionId| p.actions[a.index()].name.len() as u64 + 7;
        let name = table.actions.iter().map(name).max().unwrap_or(5) + table.name.len() as u64;
        add("name_bytes", of.clone(), name, false, table.at, "give the table and its actions shorter names");
        add("headers", of, 1, true, table.at, "join tables that are alike");
    }
    let flows = p.flow_tables.iter().map(|t| (format!("flow table {}", t.name), t.at));
    for (of, at) in flows.chain(p.rings.iter().map(|r| (format!("ring {}", r.name), r.at))) {
        add("headers", of, 1, true, at, "declare fewer tables");
    }
}
