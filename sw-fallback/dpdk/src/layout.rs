//! Where numbers of the pipeline stand in keys and arguments of the program; see `codegen::swx`.

use crate::error::DpdkError;
use crate::maker::Maker;
use crate::spec::{Key, Spec, Struct};
use crate::sys::Entry;
use pipeline_ir::entry::{WriteError, prefix_mask};
use pipeline_ir::{KeyValue, MatchKind, Pipeline, Ring, Table};
use std::ffi::CString;

/// A table of the pipeline as the program has it.
#[derive(Clone, Debug)]
pub(crate) struct TableLayout {
    pub(crate) name: CString,
    keys: Vec<Place>,
    /// By action of the table.
    actions: Vec<ActionLayout>,
    /// Bytes of the longest arguments.
    longest: usize,
    /// The registers of its direct counters, packets and bytes.
    pub(crate) counts: (Option<CString>, Option<CString>),
    /// It searches by masks and priorities.
    pub(crate) wild: bool,
}

/// A field of a key.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Bits of the pipeline's own.
    width: u8,
    /// The first byte.
    at: usize,
    bytes: usize,
    /// The highest byte first: headers have it so, metadata the other way round.
    network: bool,
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
    pub(crate) fn new(p: &Pipeline, table: &Table, spec: &Spec, maker: Maker) -> Result<Self, DpdkError> {
        let name = &table.name;
        let keys: Vec<(u8, MatchKind)> = table.keys.iter().map(|k| (k.width, k.kind)).collect();
        let mut layout = Self::bare(name, &keys, spec, maker)?;
        for id in &table.actions {
            let action = p.actions.get(id.index()).ok_or_else(|| lacks(format!("action of `{name}`")))?;
            let vars = action.params.iter().filter_map(|v| p.vars.get(v.index()));
            let params: Vec<(&str, u8)> = vars.map(|v| (v.name.as_str(), v.ty.width())).collect();
            layout.action(&action.name, &params, spec, maker)?;
        }
        layout.counts = maker.direct_counts(name, spec);
        Ok(layout)
    }

    /// The table of a ring's pools.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub(crate) fn of_pools(name: &str, width: u8, spec: &Spec, maker: Maker) -> Result<Self, DpdkError> {
        let mut layout = Self::bare(name, &[(width, MatchKind::Exact)], spec, maker)?;
        layout.action("set_generation", &[("generation", 8)], spec, maker)?;
        Ok(layout)
    }

    /// The table of a ring's slots, where they are one: by pool, generation and slot an id.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub(crate) fn of_slots(ring: &Ring, spec: &Spec, maker: Maker) -> Result<Self, DpdkError> {
        let keys =
            [ring.pool_width, 8, u8::try_from(ring.slots.next_power_of_two().trailing_zeros()).unwrap_or(32)]
                .map(|width| (width, MatchKind::Exact));
        let mut layout = Self::bare(&ring.name, &keys, spec, maker)?;
        layout.action(&format!("set_{}", ring.name), &[("id", ring.id_width)], spec, maker)?;
        Ok(layout)
    }

    fn bare(name: &str, keys: &[(u8, MatchKind)], spec: &Spec, maker: Maker) -> Result<Self, DpdkError> {
        let table = spec.tables.iter().find(|t| t.name == name);
        let table = table.ok_or_else(|| lacks(format!("table `{name}`")))?;
        let places = match maker {
            Maker::Guideway => {
                in_a_header(name, keys, spec).filter(|_| table.keys.is_empty() == keys.is_empty())
            }
            Maker::P4c => where_they_are(keys, &table.keys, spec),
        };
        let bytes: usize = keys.iter().map(|(width, _)| bytes_of(*width)).sum();
        let places = places.ok_or_else(|| lacks(format!("key of {bytes} bytes for table `{name}`")))?;
        let args = |action: &str| {
            let action = spec.actions.iter().find(|a| a.name == action)?;
            spec.structure(action.args.as_deref()?).map(Struct::bytes)
        };
        let longest = table.actions.iter().filter_map(|u| args(&u.action)).max().unwrap_or(0) as usize;
        let wild = keys.iter().any(|(_, kind)| *kind != MatchKind::Exact);
        Ok(Self { name: c(name), keys: places, actions: Vec::new(), longest, counts: (None, None), wild })
    }

    /// The table's next action.
    fn action(
        &mut self,
        action: &str,
        params: &[(&str, u8)],
        spec: &Spec,
        maker: Maker,
    ) -> Result<(), DpdkError> {
        let table = self.name.to_string_lossy();
        let name = maker.action(&table, self.actions.len(), action, spec);
        let name = name.ok_or_else(|| lacks(format!("action `{action}` of table `{table}`")))?;
        let number = spec.actions.iter().position(|a| a.name == name);
        let number = number.ok_or_else(|| lacks(format!("action `{name}`")))?;
        let of = spec.actions.get(number).and_then(|a| a.args.as_deref());
        let fields = of.and_then(|s| spec.structure(s)).map_or(&[][..], |s| s.fields.as_slice());
        let mut args = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let part = params.iter().enumerate().find_map(|(i, (param, width))| {
                let is = |name: &str| maker.is_argument(&field.name, at, name, i);
                let wide = *width > 64;
                let shift = match wide {
                    false if is(param) => 0,
                    true if is(&format!("{param}_lo")) => 0,
                    true if is(&format!("{param}_hi")) => 64,
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
        let bytes = self.keys.iter().map(|place| place.at + place.bytes).max().unwrap_or(0);
        let (mut values, mut masks) = (vec![0; bytes], vec![0; bytes]);
        for (value, place) in key.iter().zip(&self.keys) {
            let (value, mask) = value_and_mask(*value, place.width);
            place.put(&mut values, value);
            place.put(&mut masks, mask);
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

impl Place {
    fn put(&self, to: &mut [u8], value: u128) {
        let Some(to) = to.get_mut(self.at..self.at + self.bytes) else { return };
        if self.network {
            to.iter_mut().rev().zip(value.to_le_bytes()).for_each(|(to, byte)| *to = byte);
        } else {
            to.iter_mut().zip(value.to_le_bytes()).for_each(|(to, byte)| *to = byte);
        }
    }
}

/// Keys of ours: fields of a header of their own, one after the other.
fn in_a_header(table: &str, keys: &[(u8, MatchKind)], spec: &Spec) -> Option<Vec<Place>> {
    let mut at = 0;
    let mut place = |&(width, _): &(u8, MatchKind)| {
        let place = Place { width, at, bytes: bytes_of(width), network: true };
        at += place.bytes;
        place
    };
    let places: Vec<Place> = keys.iter().map(&mut place).collect();
    let header = spec.header(&format!("{table}__key")).map_or(0, Struct::bytes);
    (header as usize == at).then_some(places)
}

/// Keys that are fields of a header or of the metadata, with others between them: from the first one's first byte on.
fn where_they_are(keys: &[(u8, MatchKind)], fields: &[Key], spec: &Spec) -> Option<Vec<Place>> {
    let place = |(key, &(width, _)): (&Key, &(u8, MatchKind))| {
        let (_, at, field) = spec.field(&key.field)?;
        let (at, bytes) = (at as usize, (field.bits / 8) as usize);
        (bytes >= bytes_of(width)).then_some(Place { width, at, bytes, network: key.field.starts_with("h.") })
    };
    let mut places: Vec<Place> = fields.iter().zip(keys).map(place).collect::<Option<_>>()?;
    let first = places.iter().map(|place| place.at).min().unwrap_or(0);
    places.iter_mut().for_each(|place| place.at -= first);
    (fields.len() == keys.len()).then_some(places)
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
