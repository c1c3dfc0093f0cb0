//! Both ways of reading a request agree, whatever the bytes.
#![allow(clippy::unwrap_used)]

use super::*;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::schema::encode;
use v1::field_match::{Exact, FieldMatchType};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn map() -> Map {
    let pipeline = pipeline_syntax::compile_source("l4lb.rs", guideway::builtin::L4LB, &[]).unwrap();
    let sizes = codegen::p4::Sizes::of(&hw_targets::target("native").unwrap());
    let info = P4Info::decode(codegen::p4::info(&pipeline, &sizes).to_bytes().as_slice()).unwrap();
    Map::new(&info, &pipeline).unwrap()
}

/// An update of some table: mostly right, sometimes too wide, incomplete, doubled or padded.
fn update(map: &Map, random: &mut Random) -> v1::Update {
    let tables: Vec<_> = map.schema.tables().filter(|t| !t.actions.is_empty()).collect();
    let table = tables[random.below(tables.len())];
    let bytes = |bits: u32, random: &mut Random| {
        let spare = if random.below(20) == 0 { 0 } else { 128 - bits.min(128) };
        let value =
            (u128::from(random.next()) << 64 | u128::from(random.next())).checked_shr(spare).unwrap_or(0);
        let value = if random.below(3) == 0 { value & 3 } else { value };
        match random.below(16) {
            0 => [vec![0; random.below(3)], encode(value).to_vec()].concat().into(),
            1 => Bytes::new(),
            _ => encode(value),
        }
    };
    let mut r#match = Vec::new();
    for field in &table.fields {
        let exact = FieldMatchType::Exact(Exact { value: bytes(field.bits, random) });
        r#match.push(v1::FieldMatch { field_id: field.id, field_match_type: Some(exact) });
    }
    if random.below(12) == 0 && !r#match.is_empty() {
        let at = random.below(r#match.len());
        let one = r#match[at].clone();
        if random.below(2) == 0 { r#match.push(one) } else { r#match[at].field_match_type = None }
    }
    let action = map.schema.action(table.actions[random.below(table.actions.len())].id).unwrap();
    let mut params = Vec::new();
    for param in &action.params {
        params.push(v1::action::Param { param_id: param.id, value: bytes(param.bits, random) });
    }
    if random.below(12) == 0 {
        params.reverse();
    }
    let action = v1::table_action::Type::Action(v1::Action { action_id: action.id, params });
    let action = (random.below(6) > 0).then_some(v1::TableAction { r#type: Some(action) });
    let entry = v1::TableEntry {
        table_id: table.id,
        r#match,
        action,
        priority: i32::from(random.below(10) == 0),
        metadata: if random.below(10) == 0 { "note".into() } else { Bytes::new() },
        ..v1::TableEntry::default()
    };
    let entity = v1::Entity { entity: Some(v1::entity::Entity::TableEntry(entry)) };
    v1::Update { r#type: random.below(5) as i32, entity: Some(entity) }
}

fn bend(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..random.below(3) {
        match (bytes.is_empty(), random.below(3)) {
            (true, _) => {}
            (_, 0) => bytes.truncate(random.below(bytes.len())),
            (_, _) => {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
    }
}

#[test]
fn an_update_means_the_same_either_way() {
    let (map, mut random) = (map(), Random(0x7769_7265));
    let (mut fast, mut asked) = (0, 0);
    for i in 0..60_000 {
        let mut bytes = update(&map, &mut random).encode_to_vec();
        if i % 2 == 0 {
            bend(&mut bytes, &mut random);
        }
        asked += 1;
        let Some(change) = (Reading { map: &map, last: None }).change(&bytes) else { continue };
        fast += 1;
        let message = v1::Update::decode(bytes.as_slice()).unwrap();
        assert_eq!(decode::change(&map, &message), Ok(change), "{message:?}");
    }
    assert!(fast > asked / 20 && fast < asked, "{fast} of {asked}");
}

#[test]
fn a_request_is_framed_the_same_either_way() {
    let (map, mut random) = (map(), Random(0x6672_616d));
    let mut good = 0;
    for i in 0..4000 {
        let message = v1::WriteRequest {
            device_id: random.next() >> random.below(64),
            election_id: (i % 3 > 0).then(|| v1::Uint128 { high: random.next(), low: random.next() }),
            updates: (0..random.below(4)).map(|_| update(&map, &mut random)).collect(),
            atomicity: random.below(5) as i32 - 1,
            role: if i % 5 == 0 { "role".to_owned() } else { String::new() },
            ..v1::WriteRequest::default()
        };
        let mut bytes = message.encode_to_vec();
        if i % 2 == 0 {
            bend(&mut bytes, &mut random);
        }
        let bytes = Bytes::from(bytes);
        let expected = v1::WriteRequest::decode(bytes.clone());
        let read = Request::read(bytes).and_then(|r| r.changes(&map).map(|changes| (r, changes)));
        match (expected, read) {
            (Ok(expected), Ok((read, changes))) => {
                assert_eq!((read.device_id, &read.role), (expected.device_id, &expected.role));
                assert_eq!((read.election_id, read.atomicity), (expected.election_id, expected.atomicity));
                let slow: Vec<_> = expected.updates.iter().map(|u| decode::change(&map, u)).collect();
                assert_eq!(changes, slow);
                let updates: Vec<_> = (0..read.len()).map(|at| read.update(at)).collect();
                assert_eq!(updates, expected.updates);
                good += 1;
            }
            (Err(expected), Err(read)) => assert_eq!(read.message(), expected.to_string()),
            (expected, read) => panic!("{expected:?}\n{read:?}"),
        }
    }
    assert!(good > 2000, "{good}");
}
