//! Random writes, many of them wrong: nothing panics, and what is read is what a model says.

use crate::common::entries::{Names, V, update};
use crate::common::{codes, entries, lab, write, write_as};
use p4runtime_proto::p4::v1::write_request::Atomicity;
use p4runtime_proto::p4::v1::{self, update::Type};
use prost::Message as _;
use std::collections::BTreeMap;
use tonic::Code;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// What is there, by key; tables are as large as here.
#[derive(Default)]
struct Model(BTreeMap<Vec<u8>, v1::TableEntry>);

const HOSTS: usize = 16;

fn key(entry: &v1::TableEntry) -> Vec<u8> {
    let key =
        v1::TableEntry { table_id: entry.table_id, r#match: entry.r#match.clone(), ..Default::default() };
    key.encode_to_vec()
}

impl Model {
    fn write(&mut self, kind: Type, entry: &v1::TableEntry) -> Code {
        let key = key(entry);
        let there = self.0.contains_key(&key);
        let size = self.0.values().filter(|e| e.table_id == entry.table_id).count();
        match (kind, there) {
            (Type::Insert, true) => Code::AlreadyExists,
            (Type::Insert, false) if entry.r#match.len() == 1 && size >= HOSTS => Code::ResourceExhausted,
            (Type::Insert, false) | (Type::Modify, true) => {
                self.0.insert(key, entry.clone());
                Code::Ok
            }
            (Type::Delete, true) => {
                self.0.remove(&key);
                Code::Ok
            }
            _ => Code::NotFound,
        }
    }
}

fn entry(names: &Names, random: &mut Random) -> v1::TableEntry {
    let value = u128::from(random.below(9) + 1);
    match random.below(3) {
        0 => names.host(random.below(14).into(), value),
        1 => names.slot(1, 1, random.below(20).into(), value),
        _ => {
            let route = names.key("route", &[("dst", V::Prefix(u128::from(random.below(10)) << 24, 8))]);
            v1::TableEntry { action: names.does("via", &[("hop", value)]), ..route }
        }
    }
}

fn kind(random: &mut Random) -> Type {
    [Type::Insert, Type::Modify, Type::Delete][random.below(3) as usize]
}

/// What is read is what the model has.
async fn compare(client: &mut crate::common::Client, model: &Model, names: &Names) {
    let mut held = BTreeMap::new();
    for table in ["host", "ring", "route"] {
        for entry in entries(client, names.key(table, &[])).await {
            held.insert(key(&entry), entry);
        }
    }
    assert_eq!(held, model.0);
}

#[tokio::test]
async fn random_batches_leave_what_a_model_says() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let (mut random, mut model) = (Random(0x5eed_1234_5678_9abc), Model::default());
    for round in 0..400 {
        let batch: Vec<(Type, v1::TableEntry)> =
            (0..random.below(8) + 1).map(|_| (kind(&mut random), entry(&names, &mut random))).collect();
        let updates = batch.iter().map(|(kind, entry)| update(*kind, entry.clone())).collect();
        if round % 2 == 0 {
            let expected: Vec<Code> = batch.iter().map(|(kind, entry)| model.write(*kind, entry)).collect();
            let got = codes(write(&mut client, updates).await);
            let all_ok = expected.iter().all(|c| *c == Code::Ok);
            assert_eq!(got, if all_ok { Vec::new() } else { expected }, "round {round}");
        } else {
            let before = model.0.clone();
            let results: Vec<Code> = batch.iter().map(|(kind, entry)| model.write(*kind, entry)).collect();
            let all_ok = results.iter().all(|c| *c == Code::Ok);
            let got = codes(write_as(&mut client, updates, Atomicity::RollbackOnError).await);
            assert_eq!(got.is_empty(), all_ok, "round {round}: {got:?}, {results:?}");
            if !all_ok {
                model.0 = before;
            }
        }
        if round % 20 == 0 {
            compare(&mut client, &model, &names).await;
        }
    }
    compare(&mut client, &model, &names).await;
}

#[tokio::test]
async fn mutated_messages_change_nothing_that_they_do_not_name() {
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let mut random = Random(0x0bad_5eed_0bad_5eed);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..3000 {
        let request = v1::WriteRequest {
            device_id: 1,
            election_id: Some(crate::common::id(1)),
            updates: (0..=random.below(3))
                .map(|_| update(kind(&mut random), entry(&names, &mut random)))
                .collect(),
            atomicity: random.below(3) as i32,
            ..v1::WriteRequest::default()
        };
        let mut bytes = request.encode_to_vec();
        for _ in 0..random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = bytes[at].wrapping_add(random.below(255) as u8 + 1);
        }
        // What no message is left of would not reach the server's own code.
        let Ok(request) = v1::WriteRequest::decode(bytes.as_slice()) else { continue };
        match client.write(request).await {
            Ok(_) => taken += 1,
            Err(status) => {
                assert!(
                    !matches!(status.code(), Code::Internal | Code::Unavailable | Code::Cancelled),
                    "{status}"
                );
                refused += 1;
            }
        }
        let asked = v1::ReadRequest::decode(bytes.as_slice());
        if let Ok(asked) = asked {
            let _answered = client.read(asked).await;
        }
    }
    assert!(taken > 50 && refused > 100, "{taken} taken, {refused} refused");
    // Everything that is there can be deleted by its own name, and then nothing is there.
    let all = entries(&mut client, v1::TableEntry::default()).await;
    let own = all.into_iter().filter(|e| !e.is_const);
    write(&mut client, own.map(|e| update(Type::Delete, e)).collect()).await.unwrap();
    assert!(entries(&mut client, v1::TableEntry::default()).await.iter().all(|e| e.is_const));
}
