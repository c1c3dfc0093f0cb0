//! Where numbers of the pipeline stand in keys and arguments of the program; see `codegen::swx`.

use crate::error::DpdkError;
use crate::spec::{Spec, Struct};
use crate::sys::Entry;
use pipeline_ir::entry::{WriteError, prefix_mask};
use pipeline_ir::{KeyValue, MatchKind, Pipeline, Table};
use std::ffi::CString;

/// A table of the pipeline as the program has it.
#[derive(Clone, Debug)]
pub(crate) struct TableLayout {
    pub(crate) name: CString,
    /// Bits and kind of each field.
    keys: Vec<(u8, MatchKind)>,
    /// By action of the table.
    actions: Vec<ActionLayout>,
    /// Bytes of the longest arguments.
    longest: usize,
    /// The registers of its direct counters, packets and bytes.
    pub(crate) counts: (Option<CString>, Option<CString>),
    /// It searches by masks and priorities.
    pub(crate) wild: bool,
}

#[derive(Clone, Debug)]
struct ActionLayout {
    number: u64,
    /// Each argument's places: lowest bit and bytes, in order; the last may be the cell.
    args: Vec<Part>,
}

/// A field of a struct, and what it holds.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The parameter; none: the entry's cell.
    of: Option<usize>,
    shift: u32,
    bytes: usize,
}

fn lacks(what: String) -> DpdkError {
    DpdkError::Lacks(what)
}

/// A name for C.
pub(crate) fn c(name: &str) -> CString {
    CString::new(name).unwrap_or_default()
}

/// A register array that the program has.
pub(crate) fn registers(spec: &Spec, name: &str) -> Option<CString> {
    spec.registers.iter().any(|r| r.name == name).then(|| c(name))
}

impl TableLayout {
    /// A table of the pipeline in its program.
    ///
    /// # Errors
    /// [`DpdkError::Lacks`]: the program is another pipeline's.
    pub(crate) fn new(p: &Pipeline, table: &Table, spec: &Spec) -> Result<Self, DpdkError> {
        let name = &table.name;
        let keys: Vec<(u8, MatchKind)> = table.keys.iter().map(|k| (k.width, k.kind)).collect();
        let mut layout = Self::bare(name, keys, spec)?;
        for id in &table.actions {
            let action = p.actions.get(id.index()).ok_or_else(|| lacks(format!("action of `{name}`")))?;
            let vars = action.params.iter().filter_map(|v| p.vars.get(v.index()));
            let params: Vec<(&str, u8)> = vars.map(|v| (v.name.as_str(), v.ty.width())).collect();
            layout.action(name, &action.name, &params, spec)?;
        }
        let of = |what| registers(spec, &format!("{name}_{what}"));
        layout.counts = (of("packets"), of("bytes"));
        Ok(layout)
    }

    /// The table of a ring's pools.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub(crate) fn of_pools(name: &str, width: u8, spec: &Spec) -> Result<Self, DpdkError> {
        let mut layout = Self::bare(name, vec![(width, MatchKind::Exact)], spec)?;
        layout.action(name, "set_generation", &[("generation", 8)], spec)?;
        Ok(layout)
    }

    fn bare(name: &str, keys: Vec<(u8, MatchKind)>, spec: &Spec) -> Result<Self, DpdkError> {
        let table = spec.tables.iter().find(|t| t.name == name);
        let table = table.ok_or_else(|| lacks(format!("table `{name}`")))?;
        let bytes: usize = keys.iter().map(|(width, _)| bytes_of(*width)).sum();
        let header = spec.header(&format!("{name}__key")).map_or(0, Struct::bytes);
        if header as usize != bytes || table.keys.is_empty() != keys.is_empty() {
            return Err(lacks(format!("key of {bytes} bytes for table `{name}`")));
        }
        let args = |action: &str| {
            let action = spec.actions.iter().find(|a| a.name == action)?;
            spec.structure(action.args.as_deref()?).map(Struct::bytes)
        };
        let longest = table.actions.iter().filter_map(|u| args(&u.action)).max().unwrap_or(0) as usize;
        let wild = keys.iter().any(|(_, kind)| *kind != MatchKind::Exact);
        Ok(Self { name: c(name), keys, actions: Vec::new(), longest, counts: (None, None), wild })
    }

    fn action(
        &mut self,
        table: &str,
        action: &str,
        params: &[(&str, u8)],
        spec: &Spec,
    ) -> Result<(), DpdkError> {
        let name = format!("{table}__{action}");
        let number = spec.actions.iter().position(|a| a.name == name);
        let number = number.ok_or_else(|| lacks(format!("action `{name}`")))?;
        let of = spec.actions.get(number).and_then(|a| a.args.as_deref());
        let fields = of.and_then(|s| spec.structure(s)).map_or(&[][..], |s| s.fields.as_slice());
        let mut args = Vec::new();
        for field in fields {
            let part = params.iter().enumerate().find_map(|(i, (param, width))| {
                let shift = match field.name.strip_prefix(param)? {
                    "" if *width <= 64 => 0,
                    "_lo" if *width > 64 => 0,
                    "_hi" if *width > 64 => 64,
                    _ => return None,
                };
                Some(Part { of: Some(i), shift, bytes: (field.bits / 8) as usize })
            });
            let cell = Part { of: None, shift: 0, bytes: (field.bits / 8) as usize };
            let part = part.or((field.name == "cell").then_some(cell));
            args.push(part.ok_or_else(|| lacks(format!("parameter `{}` of `{name}`", field.name)))?);
        }
        self.actions.push(ActionLayout { number: number as u64, args });
        Ok(())
    }

    /// An entry as SWX takes it: the action by its number in the table, the cell that counts it.
    ///
    /// # Errors
    /// [`WriteError::Failed`]: it is another pipeline's.
    pub(crate) fn make(
        &self,
        key: &[KeyValue],
        priority: u32,
        action: usize,
        args: &[u128],
        cell: u32,
    ) -> Result<Entry, WriteError> {
        let layout = self.actions.get(action);
        let layout = layout.ok_or_else(|| WriteError::Failed("the entry is of another pipeline".into()))?;
        let (mut values, mut masks) = (Vec::new(), Vec::new());
        for (value, (width, _)) in key.iter().zip(&self.keys) {
            let (value, mask) = value_and_mask(*value, *width);
            push_network(&mut values, value, bytes_of(*width));
            push_network(&mut masks, mask, bytes_of(*width));
        }
        let mut data = Vec::with_capacity(self.longest);
        for part in &layout.args {
            let value = part.of.map_or(u128::from(cell), |i| args.get(i).copied().unwrap_or(0));
            let bytes = (value >> part.shift).to_le_bytes();
            data.extend(bytes.iter().take(part.bytes));
        }
        data.resize(self.longest, 0);
        let mask = self.wild.then_some(masks);
        Ok(Entry { key: values, mask, priority, action: layout.number, data })
    }
}

/// Bytes of a number of so many bits.
fn bytes_of(width: u8) -> usize {
    usize::from(width.div_ceil(8))
}

fn push_network(to: &mut Vec<u8>, value: u128, bytes: usize) {
    to.extend(value.to_be_bytes().iter().skip(16_usize.saturating_sub(bytes)));
}

/// What bits must be, and which ones matter. Bits above the number's own are 0 and matter.
fn value_and_mask(value: KeyValue, width: u8) -> (u128, u128) {
    let above = !prefix_mask(width, width);
    match value {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => (v, u128::MAX),
        KeyValue::Optional(None) => (0, above),
        KeyValue::Lpm { value, prefix } => (value, prefix_mask(width, prefix) | above),
        KeyValue::Ternary { value, mask } => (value, mask | above),
        // No program with such a key fits.
        KeyValue::Range { low, .. } => (low, u128::MAX),
    }
}
