//! Who made a program, and so how it names what the pipeline has.

use crate::layout::registers;
use crate::spec::{Field, Instruction, Match, Spec};
use pipeline_ir::CounterKind;
use std::ffi::CString;

/// Packets and bytes: registers, where there are some.
pub(crate) type Counts = (Option<CString>, Option<CString>);

/// The maker of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// `codegen::swx`.
    Guideway,
    /// p4c-dpdk, of the P4 for PNA. It keeps the P4's names of tables, and gives all others numbers that make them unique.
    P4c,
}

impl Maker {
    /// Says the same in words that DPDK 22.11 takes, and takes right.
    pub(crate) fn as_dpdk_has_it(self, spec: &mut Spec) {
        if self == Self::P4c {
            // A table of prefixes is one with masks.
            let keys = spec.tables.iter_mut().flat_map(|t| &mut t.keys);
            keys.filter(|k| k.kind == Match::Lpm).for_each(|k| k.kind = Match::Wildcard);
            index_by_a_field(spec);
        }
    }

    /// The name of a table's action, which is the table's action number `number`.
    pub(crate) fn action(self, table: &str, number: usize, action: &str, spec: &Spec) -> Option<String> {
        match self {
            Self::Guideway => Some(format!("{table}__{action}")),
            Self::P4c => {
                let table = spec.tables.iter().find(|t| t.name == table)?;
                let name = &table.actions.get(number)?.action;
                name.contains(action).then(|| name.clone())
            }
        }
    }

    /// Whether a field of an action's arguments is this parameter, which is number `number`.
    pub(crate) fn is_argument(self, field: &str, at: usize, param: &str, number: usize) -> bool {
        match self {
            Self::Guideway => field == param,
            Self::P4c => at == number && field.starts_with(param),
        }
    }

    /// An array of one number.
    pub(crate) fn number(self, name: &str, spec: &Spec) -> Option<CString> {
        match self {
            Self::Guideway => registers(spec, name),
            Self::P4c => registers(spec, &format!("{name}_0")),
        }
    }

    /// A counter that is not a table's.
    pub(crate) fn counter(self, name: &str, kind: CounterKind, spec: &Spec) -> Counts {
        let of = |what: &str| registers(spec, &format!("{name}_{what}"));
        match (self, kind) {
            (Self::Guideway, _) => (of("packets"), of("bytes")),
            (Self::P4c, CounterKind::Both) => (of("0_packets"), of("0_bytes")),
            (Self::P4c, CounterKind::Packets) => (of("0"), None),
            (Self::P4c, CounterKind::Bytes) => (None, of("0")),
        }
    }

    /// The counters of a table's entries. p4c counts by a number of the entry that SWX gives and, in 22.11, tells nobody.
    pub(crate) fn direct_counts(self, table: &str, spec: &Spec) -> Counts {
        match self {
            Self::Guideway => self.counter(table, CounterKind::Both, spec),
            Self::P4c => (None, None),
        }
    }
}

/// The field of the metadata that says where in an array something is counted.
const INDEX: &str = "guideway_index";

/// DPDK 22.11 counts in the first array, whatever the name, where index and value are both numbers: the index becomes a field.
fn index_by_a_field(spec: &mut Spec) {
    let Some(metadata) = spec.metadata.as_ref().map(|m| m.of.clone()) else { return };
    let bodies = spec.actions.iter_mut().map(|a| &mut a.body).chain([&mut spec.apply]);
    bodies.for_each(|body| *body = body.iter().flat_map(by_a_field).collect());
    if let Some(metadata) = spec.structs.iter_mut().find(|s| s.name == metadata) {
        metadata.fields.push(Field { line: metadata.line, name: INDEX.to_owned(), bits: 32 });
    }
}

fn by_a_field(instruction: &Instruction) -> Vec<Instruction> {
    let (label, text) = match instruction.text.split_once(" : ") {
        Some((label, text)) => (format!("{label} : "), text),
        None => (String::new(), instruction.text.as_str()),
    };
    let number = |w: &str| w.starts_with(|c: char| c.is_ascii_digit());
    let texts = match text.split(' ').collect::<Vec<_>>().as_slice() {
        [how @ ("regadd" | "regwr"), array, index, value] if number(index) && number(value) => {
            vec![format!("{label}mov m.{INDEX} {index}"), format!("{how} {array} m.{INDEX} {value}")]
        }
        _ => return vec![instruction.clone()],
    };
    texts.into_iter().map(|text| Instruction { line: instruction.line, text }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_dpdk_does_wrongly_is_said_otherwise() {
        let text = "struct m_t {\n bit<32> port\n}\nmetadata instanceof m_t\naction a args none {\n regwr x 0x0 1\n return\n}
table t {\n key {\n  h.ip4.dst lpm\n }\n actions {\n  a\n }\n default_action a args none\n size 8\n}
apply {\n rx m.port\n L : regadd x 0x2 1\n regadd x m.port 1\n regrd m.port x 0x1\n tx m.port\n}\n";
        let mut spec = crate::spec::parse(text).unwrap();
        let before = spec.clone();
        Maker::Guideway.as_dpdk_has_it(&mut spec);
        assert_eq!(spec, before, "ours is as it has to be");
        Maker::P4c.as_dpdk_has_it(&mut spec);
        let texts = |body: &[Instruction]| body.iter().map(|i| i.text.clone()).collect::<Vec<_>>().join("; ");
        assert_eq!(
            texts(&spec.actions[0].body),
            "mov m.guideway_index 0x0; regwr x m.guideway_index 1; return"
        );
        let all = "rx m.port; L : mov m.guideway_index 0x2; regadd x m.guideway_index 1; regadd x m.port 1; \
                   regrd m.port x 0x1; tx m.port";
        assert_eq!(texts(&spec.apply), all);
        assert_eq!(spec.tables[0].keys[0].kind, Match::Wildcard);
        assert_eq!(spec.field("m.guideway_index").unwrap().2.bits, 32);
    }
}
