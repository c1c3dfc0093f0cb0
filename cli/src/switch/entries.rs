//! Entry files: what the control plane would write, as TOML or JSON.
//!
//! ```toml
//! [[entry]]
//! table = "vip4"
//! key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
//! action = "set_vip"
//! params = { vip = 1, pool = 1, hash_key = 0, flags = 6, class = 0 }
//!
//! [[ring]]                      # the slots are computed from the weights
//! ring = "ring"                 # may be left out where the pipeline has one
//! pool = 1
//! generation = 1                # 1 if left out
//! backends = [16384, 16385]
//! weights = [100, 50]           # all the same if left out
//! ```
//!
//! A value is a number or text: an address, a MAC, `0x..`, a protocol's name; in a key also `10.0.0.0/8`,
//! `10.0.0.0 & 0xff0000ff`, `80..=443`. `priority` belongs to tables with ternary, range or optional fields.

use crate::Refused;
use crate::text;
use pipeline_ir::entry::{CheckedEntry, Entry, Tables};
use pipeline_ir::{KeyValue, Pipeline, RingId};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

/// What a file asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) entries: Vec<CheckedEntry>,
    pub(crate) rings: Vec<RingSpec>,
}

/// A pool's ring by its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RingSpec {
    pub(crate) ring: RingId,
    pub(crate) pool: u32,
    pub(crate) generation: u8,
    /// Ids and weights.
    pub(crate) members: Vec<(u32, u32)>,
}

/// Reads a file and checks every entry; the refusal has all that is wrong.
pub(crate) fn read(path: &Path, p: &Pipeline) -> Result<Wanted, Refused> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Refused(format!("error: can't read the entries {}: {e}", path.display())))?;
    parse(&text, p).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|f| format!("error: {}: {f}", path.display())).collect();
        Refused(lines.join("\n"))
    })
}

fn parse(text: &str, p: &Pipeline) -> Result<Wanted, Vec<String>> {
    let file: Map<String, Value> = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|e| vec![format!("this is no JSON: {e}")])?
    } else {
        toml::from_str(text).map_err(|e| vec![format!("this is no TOML: {e}")])?
    };
    let tables = Tables::new(p);
    let mut wanted = Wanted::default();
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for unknown in file.keys().filter(|k| !["entry", "ring"].contains(&k.as_str())) {
        faults.push(format!("there is no section `{unknown}`; there are `entry` and `ring`"));
    }
    for (i, value) in list(file.get("entry")).into_iter().enumerate() {
        let checked = entry(value).and_then(|e| tables.check(&e).map_err(|e| e.to_string()));
        match checked {
            Ok(e) if !names.insert(name(&e)) => faults.push(format!("entry {}: it is given twice", i + 1)),
            Ok(e) => wanted.entries.push(e),
            Err(fault) => faults.push(format!("entry {}: {fault}", i + 1)),
        }
    }
    for (i, value) in list(file.get("ring")).into_iter().enumerate() {
        match ring(value, p) {
            Ok(r) if wanted.rings.iter().any(|o| (o.ring, o.pool) == (r.ring, r.pool)) => {
                faults.push(format!("ring {}: pool {} is given twice", i + 1, r.pool));
            }
            Ok(r) => wanted.rings.push(r),
            Err(fault) => faults.push(format!("ring {}: {fault}", i + 1)),
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(faults) }
}

/// What must differ between two entries.
fn name(entry: &CheckedEntry) -> (u8, u32, Vec<KeyValue>, i64) {
    match entry {
        CheckedEntry::Table(e) => (0, e.table().0, e.key().to_vec(), e.priority().into()),
        CheckedEntry::Pool(e) => (1, e.ring().0, Vec::new(), e.pool().into()),
        CheckedEntry::Slot(e) => {
            let place = [e.pool().pool(), e.pool().generation().into()].map(|v| KeyValue::Exact(v.into()));
            (2, e.pool().ring().0, place.to_vec(), e.slot().into())
        }
    }
}

/// One or many.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
    }
}

type Read<T> = Result<T, String>;

fn entry(value: &Value) -> Read<Entry> {
    let fields = fields(value, &["table", "key", "priority", "action", "params"])?;
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(s)) => Ok(s.clone()),
        _ => Err(format!("`{name}` must be given, as text")),
    };
    let nothing = Map::new();
    let inner = |name: &str| match fields.get(name) {
        None => Ok(&nothing),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(format!("`{name}` must be a table of names and values")),
    };
    let priority = fields.get("priority").map_or(Some(0), |v| v.as_i64().and_then(|v| i32::try_from(v).ok()));
    let key = |(name, value): (&String, &Value)| Ok((name.clone(), key_value(name, value)?));
    let param = |(name, value): (&String, &Value)| Ok((name.clone(), number(name, value)?));
    Ok(Entry {
        table: text("table")?,
        key: inner("key")?.iter().map(key).collect::<Read<_>>()?,
        priority: priority.ok_or("`priority` must be a number of 31 bits")?,
        action: text("action")?,
        params: inner("params")?.iter().map(param).collect::<Read<_>>()?,
    })
}

fn fields<'a>(value: &'a Value, known: &[&str]) -> Read<&'a Map<String, Value>> {
    let Value::Object(fields) = value else { return Err("it must be a table".into()) };
    match fields.keys().find(|k| !known.contains(&k.as_str())) {
        Some(odd) => Err(format!("there is no field `{odd}`; there are {}", known.join(", "))),
        None => Ok(fields),
    }
}

fn number(name: &str, value: &Value) -> Read<u128> {
    let number = match value {
        Value::Number(n) => n.as_u64().map(u128::from),
        Value::Bool(b) => Some((*b).into()),
        Value::String(s) => text::number(s),
        _ => None,
    };
    number.ok_or_else(|| format!("`{name}` = {value} is no number, address or MAC"))
}

fn key_value(name: &str, value: &Value) -> Read<KeyValue> {
    match value {
        Value::String(s) if s == "*" => Ok(KeyValue::Optional(None)),
        Value::String(s) => text::key_value(s).ok_or_else(|| {
            format!("`{name}` = {value} is no number, address, MAC, `value/prefix`, `value & mask` or `low..=high`")
        }),
        other => number(name, other).map(KeyValue::Exact),
    }
}

fn ring(value: &Value, p: &Pipeline) -> Read<RingSpec> {
    let fields = fields(value, &["ring", "pool", "generation", "backends", "weights"])?;
    let at = match fields.get("ring") {
        Some(name) => p.rings.iter().position(|r| Some(r.name.as_str()) == name.as_str()),
        None if p.rings.len() == 1 => Some(0),
        None => return Err(format!("`ring` must be given: the pipeline has {} rings", p.rings.len())),
    };
    let at = at.ok_or_else(|| {
        let known: Vec<&str> = p.rings.iter().map(|r| r.name.as_str()).collect();
        format!("the pipeline has no ring {}; it has: {}", fields["ring"], known.join(", "))
    })?;
    let small = |name: &str, value: &Value| {
        u32::try_from(number(name, value)?).map_err(|_| format!("`{name}` = {value} is too big"))
    };
    let all = |name: &str| match fields.get(name) {
        Some(Value::Array(list)) => list.iter().map(|v| small(name, v)).collect::<Read<Vec<u32>>>().map(Some),
        Some(_) => Err(format!("`{name}` must be a list of numbers")),
        None => Ok(None),
    };
    let pool = small("pool", fields.get("pool").ok_or("`pool` must be given")?)?;
    let generation = fields.get("generation").map_or(Ok(1), |v| small("generation", v))?;
    let generation = u8::try_from(generation).map_err(|_| "`generation` has 8 bits: at most 255")?;
    let backends = all("backends")?.ok_or("`backends` must be given: a list of ids")?;
    let weights = all("weights")?.unwrap_or_else(|| vec![1; backends.len()]);
    if weights.len() != backends.len() {
        return Err(format!("there are {} backends, but {} weights", backends.len(), weights.len()));
    }
    if pool >= p.rings[at].pools {
        return Err(format!("`pool` = {pool}, but pools are numbered from 0 to {}", p.rings[at].pools - 1));
    }
    let members = backends.into_iter().zip(weights).collect();
    Ok(RingSpec { ring: RingId(at as u32), pool, generation, members })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn l4lb() -> Pipeline {
        pipeline_syntax::compile_source("l4lb.rs", guideway::builtin::L4LB, &[]).unwrap()
    }

    const GOOD: &str = r#"
        [[entry]]
        table = "vip4"
        key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
        action = "set_vip"
        params = { vip = 1, pool = 1, hash_key = "0x1122334455667788", flags = 6, class = 0 }
        [[ring]]
        pool = 1
        generation = 3
        backends = [16384, 16385]
        weights = [100, 50]
    "#;

    #[test]
    fn a_file_gives_checked_entries_and_rings() {
        let p = l4lb();
        let wanted = parse(GOOD, &p).unwrap();
        let CheckedEntry::Table(e) = &wanted.entries[0] else { panic!("a table's") };
        assert_eq!(e.key()[0], KeyValue::Exact(0xcb00_710a));
        assert_eq!(e.args()[2], 0x1122_3344_5566_7788);
        let members = vec![(16384, 100), (16385, 50)];
        assert_eq!(wanted.rings, [RingSpec { ring: RingId(0), pool: 1, generation: 3, members }]);
    }

    #[test]
    fn json_is_read_too() {
        let text = r#"{"ring": {"pool": 2, "backends": [1]}}"#;
        assert_eq!(parse(text, &l4lb()).unwrap().rings[0].members, [(1, 1)]);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let p = l4lb();
        let faults = |text: &str| parse(text, &p).unwrap_err().join("\n");
        let check = |text: &str, part: &str| {
            let faults = faults(text);
            assert!(faults.contains(part), "{faults}");
        };
        let twice =
            faults(&format!("{GOOD}\n[[entry]]\ntable = 'vip5'\naction = 'x'\n[[entry]]\ntable = 'vip4'"));
        assert!(
            twice.contains("entry 2: no table is named `vip5`") && twice.contains("entry 3: `action`"),
            "{twice}"
        );
        check("x = 1", "no section `x`");
        check("not toml", "no TOML");
        check("{", "no JSON");
        check("entry = 3", "it must be a table");
        check(
            "[[entry]]\ntable='vip4'\naction='set_vip'\nkey = { dst = 'home' }",
            "`dst` = \"home\" is no number",
        );
        check("[[entry]]\ntable='vip4'\naction='set_vip'\nprio = 1", "no field `prio`");
        check("[[entry]]\ntable='vip4'\naction='set_vip'\nparams = 3", "`params` must be a table");
        let entry = GOOD.split("[[ring]]").next().unwrap();
        check(&format!("{entry}\n{entry}"), "entry 2: it is given twice");
        for (ring, part) in [
            ("pool = 99\nbackends = [1]", "pools are numbered from 0 to 63"),
            ("pool = 1", "`backends` must be given"),
            ("pool = 1\nbackends = [1]\nweights = [1, 2]", "1 backends, but 2 weights"),
            ("pool = 1\nbackends = [1]\ngeneration = 256", "at most 255"),
            ("ring = 'no'\npool = 1\nbackends = [1]", "no ring \"no\"; it has: ring"),
        ] {
            check(&format!("[[ring]]\n{ring}"), part);
        }
        check(
            "[[ring]]\npool = 1\nbackends = [1]\n[[ring]]\npool = 1\nbackends = [2]",
            "pool 1 is given twice",
        );
    }
}
