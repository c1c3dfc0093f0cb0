//! `psa_switch`: entries and counters over Thrift, packets over a pair of sockets. It speaks no P4Runtime.

use super::front::{Front, Out};
use super::pair::Pair;
use super::switch::{PATIENCE, PsaSwitch};
use super::thrift::{Answer, Client, Value};
use anyhow::{Context, Result, bail, ensure};
use p4runtime_proto::p4::config::v1::counter_spec::Unit;
use p4runtime_proto::p4::v1::{TableEntry as Wire, Update, update};
use p4runtime_proto::schema::{self, Field, Kind, Table, decode};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{Entry, WriteError};
use runtime_client::{Counted, Names};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// PSA_PORT_CPU stands for the host.
const HOST: u32 = 0xffff_fffd;
/// Kinds of keys, and where each stands in `BmMatchParam`.
const EXACT: (i32, i16) = (0, 2);
const LPM: (i32, i16) = (1, 3);
const TERNARY: (i32, i16) = (2, 4);
const RANGE: (i32, i16) = (4, 6);
/// The only context.
const CONTEXT: Value = Value::I32(0);

#[derive(Debug)]
pub(super) struct Psa {
    client: RefCell<Client>,
    packets: Pair,
    /// What the switch calls an entry, by table, key and priority.
    handles: BTreeMap<(u32, Vec<u8>), i32>,
    _switch: PsaSwitch,
}

impl Psa {
    /// Starts it, with a program.
    pub(super) fn start(json: &[u8]) -> Result<Self> {
        let mut switch = PsaSwitch::start()?;
        let thrift = soon(&mut switch, |s| TcpStream::connect(("127.0.0.1", s.thrift)))?;
        let packets = soon(&mut switch, |s| UnixStream::connect(s.packets()))?;
        let mut psa = Self {
            client: RefCell::new(Client::new(thrift, PATIENCE)?),
            packets: Pair::new(packets, PATIENCE)?,
            handles: BTreeMap::new(),
            _switch: switch,
        };
        psa.load(json)?;
        Ok(psa)
    }

    fn call(&self, function: &str, args: Vec<Value>) -> Result<Option<Value>> {
        match self.client.borrow_mut().call(function, args)? {
            Answer::Done(value) => Ok(value),
            Answer::Refused(code) => bail!("{function}: psa_switch refuses with code {code}"),
        }
    }

    fn update(&mut self, names: &Names, update: &Update) -> Result<()> {
        use p4runtime_proto::p4::v1::entity::Entity;
        let Some(Entity::TableEntry(wire)) = update.entity.as_ref().and_then(|e| e.entity.as_ref()) else {
            bail!("only entries of tables are written");
        };
        let entry = names.named(wire)?;
        let table = names.table(&entry.table)?;
        let key = Value::List(keys(table, &entry)?);
        let mut place = entry.priority.to_be_bytes().to_vec();
        key.encode(&mut place);
        let place = (table.id, place);
        let handle = self.handles.get(&place).copied().map(Value::I32).context("no such entry");
        let name = || Value::from(table.name.as_str());
        match update.r#type() {
            update::Type::Insert => {
                let [action, data] = action(names, &entry)?;
                let priority = (1, Value::I32(flipped(entry.priority)));
                let options = if table.needs_priority() { vec![priority] } else { Vec::new() };
                let args = vec![CONTEXT, name(), key, action, data, Value::Struct(options)];
                let Some(Value::I32(handle)) = self.call("bm_mt_add_entry", args)? else {
                    bail!("an entry without a handle");
                };
                self.handles.insert(place, handle);
            }
            update::Type::Modify => {
                let [action, data] = action(names, &entry)?;
                self.call("bm_mt_modify_entry", vec![CONTEXT, name(), handle?, action, data])?;
            }
            update::Type::Delete => {
                self.call("bm_mt_delete_entry", vec![CONTEXT, name(), handle?])?;
                self.handles.remove(&place);
            }
            update::Type::Unspecified => bail!("an update without a type"),
        }
        Ok(())
    }
}

impl Front for Psa {
    fn host(&self) -> u32 {
        HOST
    }

    fn load(&mut self, json: &[u8]) -> Result<()> {
        self.call("bm_load_new_config", vec![Value::Bytes(json.to_vec())])?;
        self.call("bm_swap_configs", Vec::new())?;
        self.handles.clear();
        Ok(())
    }

    fn write(&mut self, names: &Names, updates: &[Update]) -> Result<(), WriteError> {
        let one = |u| self.update(names, u).map_err(|e| WriteError::Failed(format!("{e:#}")));
        updates.iter().try_for_each(one)
    }

    fn entries(&self, names: &Names, table: u32) -> Result<Vec<Wire>> {
        let table = names.schema().table(table).context("no such table")?;
        let held = self.call("bm_mt_get_entries", vec![CONTEXT, table.name.as_str().into()])?;
        let Some(Value::List(held)) = held else { bail!("no entries: {held:?}") };
        held.iter().map(|entry| Ok(names.entry(&named(names, table, entry)?)?)).collect()
    }

    fn counters(&self, names: &Names, begins: &str) -> Result<Vec<Counted>> {
        let mut cells = Vec::new();
        for counter in names.schema().counters().filter(|c| c.name.starts_with(begins)) {
            for index in 0..counter.size {
                cells.push(self.cell(counter, index)?);
            }
        }
        Ok(cells)
    }

    fn send(&mut self, port: u32, frame: &[u8]) -> Result<()> {
        self.packets.send(port, frame)
    }

    fn next(&mut self, wait: Duration) -> Result<Option<Out>> {
        self.packets.next(wait)
    }
}

impl Psa {
    fn cell(&self, counter: &schema::Counter, index: u64) -> Result<Counted> {
        let args = vec![CONTEXT, counter.name.as_str().into(), Value::I32(i32::try_from(index)?)];
        let value = self.call("bm_counter_read", args)?.context("no value")?;
        let [bytes, packets] = [value.number(1)?, value.number(2)?].map(i64::cast_unsigned);
        // It counts both, whatever was declared.
        let (packets, bytes) = match counter.unit {
            Unit::Packets => (packets, 0),
            Unit::Bytes => (0, bytes),
            Unit::Both | Unit::Unspecified => (packets, bytes),
        };
        Ok(Counted { counter: counter.name.clone(), index, packets, bytes })
    }
}

/// Tries until the switch listens.
fn soon<T>(switch: &mut PsaSwitch, connect: impl Fn(&PsaSwitch) -> std::io::Result<T>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        match connect(switch) {
            Ok(stream) => return Ok(stream),
            Err(e) if Instant::now() > end => return Err(e).context("psa_switch doesn't listen"),
            Err(_) => ensure!(!switch.ended(), "psa_switch has ended"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// For P4Runtime the greatest priority goes first, for BMv2 the smallest; either way there and back.
fn flipped(priority: i32) -> i32 {
    i32::MAX - priority
}

/// A number in the bytes of a field.
fn padded(value: u128, bits: u32) -> Value {
    let bytes = value.to_be_bytes();
    let length = bits.div_ceil(8) as usize;
    Value::Bytes(bytes[bytes.len().saturating_sub(length)..].to_vec())
}

/// An entry's action and its arguments.
fn action(names: &Names, entry: &Entry) -> Result<[Value; 2]> {
    let action = names.schema().action_named(&entry.action).context("no such action")?;
    let value = |p: &Field| {
        let value =
            entry.params.iter().find(|(name, _)| *name == p.name).context("an argument is missing")?.1;
        Ok(padded(value, p.bits))
    };
    let data = action.params.iter().map(value).collect::<Result<_>>()?;
    Ok([action.name.as_str().into(), Value::List(data)])
}

/// An entry's key, one `BmMatchParam` for each field.
fn keys(table: &Table, entry: &Entry) -> Result<Vec<Value>> {
    let one = |f: &Field| {
        let given = entry.key.iter().find(|(name, _)| *name == f.name).context("a key is missing")?.1;
        Ok(key(f, given))
    };
    table.fields.iter().map(one).collect()
}

fn key(field: &Field, value: KeyValue) -> Value {
    let number = |v| padded(v, field.bits);
    let all = u128::MAX >> 128u32.saturating_sub(field.bits).min(127);
    let ((kind, id), values) = match value {
        KeyValue::Exact(v) => (EXACT, vec![number(v)]),
        KeyValue::Lpm { value, prefix } => (LPM, vec![number(value), Value::I32(prefix.into())]),
        KeyValue::Ternary { value, mask } => (TERNARY, vec![number(value), number(mask)]),
        KeyValue::Range { low, high } => (RANGE, vec![number(low), number(high)]),
        KeyValue::Optional(Some(v)) => (TERNARY, vec![number(v), number(all)]),
        KeyValue::Optional(None) => (TERNARY, vec![number(0), number(0)]),
    };
    Value::Struct(vec![(1, Value::I32(kind)), (id, Value::Struct((1..).zip(values).collect()))])
}

/// What the switch holds, by name.
fn named(names: &Names, table: &Table, held: &Value) -> Result<Entry> {
    let key = table.fields.iter().zip(held.list(1)?);
    let key = key.map(|(f, given)| Ok((f.name.clone(), value(f, given)?))).collect::<Result<_>>()?;
    let priority = match held.field(2).and_then(|options| options.number(1).ok()) {
        Some(priority) if table.needs_priority() => flipped(i32::try_from(priority)?),
        _ => 0,
    };
    let does = held.field(4).context("no action")?;
    let action = std::str::from_utf8(does.bytes(2)?)?.to_owned();
    let declared = names.schema().action_named(&action).context("an action that there is not")?;
    let data = does.list(3)?;
    ensure!(data.len() == declared.params.len(), "{action}: {} arguments", data.len());
    let params = declared.params.iter().zip(data).map(|(p, v)| match v {
        Value::Bytes(bytes) => Ok((p.name.clone(), decode(bytes, p.bits)?)),
        other => bail!("{action}.{}: {other:?}", p.name),
    });
    Ok(Entry {
        table: table.name.clone(),
        key,
        priority,
        action: action.clone(),
        params: params.collect::<Result<_>>()?,
    })
}

/// The value of a key field that the switch holds.
fn value(field: &Field, given: &Value) -> Result<KeyValue> {
    let of = |(kind, id): (i32, i16)| {
        ensure!(given.number(1)? == i64::from(kind), "{}: {given:?}", field.name);
        given.field(id).context("no value")
    };
    let number = |v: &Value, id| Ok::<_, anyhow::Error>(decode(v.bytes(id)?, field.bits)?);
    Ok(match field.kind {
        Kind::Exact => KeyValue::Exact(number(of(EXACT)?, 1)?),
        Kind::Lpm => {
            let v = of(LPM)?;
            KeyValue::Lpm { value: number(v, 1)?, prefix: u8::try_from(v.number(2)?)? }
        }
        Kind::Ternary => {
            let v = of(TERNARY)?;
            KeyValue::Ternary { value: number(v, 1)?, mask: number(v, 2)? }
        }
        Kind::Range => {
            let v = of(RANGE)?;
            KeyValue::Range { low: number(v, 1)?, high: number(v, 2)? }
        }
        Kind::Optional => {
            let v = of(TERNARY)?;
            KeyValue::Optional((number(v, 2)? != 0).then_some(number(v, 1)?))
        }
        Kind::Other => bail!("{}: matched in a way that nobody knows", field.name),
    })
}
