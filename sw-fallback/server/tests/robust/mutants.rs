//! Requests whose bytes were changed at random. The model believes the server's answers, update by update, as far as they
//! can be true, and says what must be there then.

use crate::common::entries::{Names, V, update};
use crate::common::{Client, Lab, entries, lab};
use crate::{alone, asked};
use bytes::{Buf as _, BufMut as _, Bytes};
use p4runtime_proto::google::rpc;
use p4runtime_proto::p4::v1::{self, entity::Entity, update::Type};
use prost::Message as _;
use runtime_client::Key;
use std::collections::BTreeMap;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, bytes: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(bytes);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit as u64) as usize
    }

    /// Changes, removes, doubles or adds bytes, mostly a few.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..[0, 0, 0, 1, 1, 2, 8][self.below(7)] {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes[at] = bytes[at].wrapping_add(self.below(255) as u8 + 1),
                3 => drop(bytes.remove(at)),
                4 => bytes.insert(at, self.below(256) as u8),
                _ => {
                    let end = (at + self.below(20)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
    }
}

fn entry(names: &Names, random: &mut Random) -> v1::TableEntry {
    let value = random.below(9) as u128 + 1;
    let mut entry = match random.below(5) {
        0 => names.host(random.below(14) as u128, value),
        1 => names.slot(random.below(2) as u128, random.below(4) as u128, random.below(20) as u128, value),
        2 => names.pool(random.below(4) as u128, value),
        3 => {
            let key = [("src", V::Mask(random.below(4) as u128, 0xff)), ("ttl", V::Within(value, 100))];
            let rule = names.key("rule", &key);
            let priority = random.below(3) as i32 + 1;
            v1::TableEntry { action: names.does("deny", &[]), priority, ..rule }
        }
        _ => {
            let route = names.key("route", &[("dst", V::Prefix((random.below(10) as u128) << 24, 8))]);
            v1::TableEntry { action: names.does("via", &[("hop", value)]), ..route }
        }
    };
    if random.below(8) == 0 {
        entry.metadata = "mine".into();
    }
    entry
}

/// What is there: by key, what it does and carries.
struct Model {
    held: BTreeMap<Key, v1::TableEntry>,
    ring: u32,
}

/// In one form: values without zeros in front, fields in order.
fn canonical(mut entry: v1::TableEntry) -> v1::TableEntry {
    use v1::field_match::FieldMatchType as M;
    let short = |value: &mut Bytes| {
        let zeros = value.iter().take(value.len().saturating_sub(1)).take_while(|b| **b == 0).count();
        *value = value.slice(zeros..);
    };
    entry.r#match.sort_by_key(|m| m.field_id);
    for field in &mut entry.r#match {
        match &mut field.field_match_type {
            Some(M::Exact(m)) => short(&mut m.value),
            Some(M::Optional(m)) => short(&mut m.value),
            Some(M::Lpm(m)) => short(&mut m.value),
            Some(M::Ternary(m)) => [&mut m.value, &mut m.mask].into_iter().for_each(short),
            Some(M::Range(m)) => [&mut m.low, &mut m.high].into_iter().for_each(short),
            Some(M::Other(_)) | None => {}
        }
    }
    if let Some(v1::table_action::Type::Action(action)) =
        entry.action.as_mut().and_then(|a| a.r#type.as_mut())
    {
        action.params.sort_by_key(|p| p.param_id);
        action.params.iter_mut().for_each(|p| short(&mut p.value));
    }
    entry.counter_data = None;
    entry
}

impl Model {
    /// Takes an update's outcome for true, if it can be. Unless it stands alone, what it met was what others of its batch would
    /// have left.
    fn believe(&mut self, update: &v1::Update, code: Code, alone: bool) {
        let entity = update.entity.as_ref().and_then(|e| e.entity.as_ref());
        let Some(Entity::TableEntry(entry)) = entity else {
            assert_ne!(code, Code::Ok, "only table entries are written: {update:?}");
            return;
        };
        let key = Key::of(entry);
        let there = self.held.contains_key(&key);
        match (update.r#type(), code) {
            (Type::Insert, Code::Ok) => assert!(!there, "inserted over another: {update:?}"),
            (Type::Modify | Type::Delete, Code::Ok) => assert!(there, "nothing was there: {update:?}"),
            (_, Code::AlreadyExists) if alone => assert!(there, "nothing is there: {update:?}"),
            (_, Code::NotFound) if alone => assert!(!there, "it is there: {update:?}"),
            (_, Code::Internal | Code::DataLoss | Code::Unknown) => panic!("{code:?}: {update:?}"),
            _ => {}
        }
        match (update.r#type(), code) {
            (Type::Delete, Code::Ok) => drop(self.held.remove(&key)),
            (Type::Modify, Code::Ok) if entry.action.is_none() => {}
            (_, Code::Ok) => {
                self.displace(entry);
                self.held.insert(key, canonical(entry.clone()));
            }
            _ => {}
        }
    }

    /// A slot takes the place of the same one of a generation of its parity.
    fn displace(&mut self, new: &v1::TableEntry) {
        let place = |entry: &v1::TableEntry| {
            let entry = canonical(entry.clone());
            let values = entry.r#match.iter().map(|m| match &m.field_match_type {
                Some(v1::field_match::FieldMatchType::Exact(m)) => {
                    m.value.iter().fold(0, |all, b| all << 8 | u32::from(*b))
                }
                _ => 0,
            });
            let values: Vec<u32> = values.collect();
            (values[0], values[1] % 2, values[2])
        };
        if new.table_id == self.ring {
            let at = place(new);
            self.held.retain(|_, entry| entry.table_id != new.table_id || place(entry) != at);
        }
    }

    /// Takes a whole answer for true.
    fn answered(&mut self, bytes: &[u8], answer: Result<(), Status>) -> bool {
        let request = v1::WriteRequest::decode(bytes);
        match (request, answer) {
            (Ok(request), Ok(())) => {
                request.updates.iter().for_each(|update| self.believe(update, Code::Ok, true));
                true
            }
            (Ok(request), Err(status)) if status.code() == Code::Unknown => {
                let details = rpc::Status::decode(status.details()).unwrap().details;
                assert_eq!(details.len(), request.updates.len(), "{status}");
                let alone = request.atomicity == 0;
                for (update, any) in request.updates.iter().zip(details) {
                    let error = v1::Error::decode(any.value.as_slice()).unwrap();
                    self.believe(update, Code::from_i32(error.canonical_code), alone);
                }
                false
            }
            (Ok(_), Err(status)) => {
                let refusals =
                    [Code::NotFound, Code::PermissionDenied, Code::InvalidArgument, Code::Unimplemented];
                assert!(refusals.contains(&status.code()), "{status}");
                false
            }
            // What is no message is refused before it is a request.
            (Err(_), answer) => {
                assert!(answer.is_err_and(|s| s.code() == Code::Internal));
                false
            }
        }
    }

    async fn compare(&self, client: &mut Client) {
        let now = entries(client, v1::TableEntry::default()).await.into_iter().filter(|e| !e.is_const);
        let now: BTreeMap<Key, v1::TableEntry> = now.map(|e| (Key::of(&e), canonical(e))).collect();
        assert_eq!(now, self.held);
    }
}

struct Sender(tonic::client::Grpc<Channel>);

impl Sender {
    async fn new(lab: &Lab) -> Self {
        let endpoint = tonic::transport::Endpoint::new(lab.address.clone()).unwrap();
        let channel = endpoint.http2_max_header_list_size(16 << 20).connect().await.unwrap();
        Self(tonic::client::Grpc::new(channel).max_decoding_message_size(64 << 20))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Status> {
        self.0.ready().await.unwrap();
        let path = PathAndQuery::from_static("/p4.v1.P4Runtime/Write");
        self.0.unary(Request::new(Bytes::copy_from_slice(bytes)), path, Raw).await.map(drop)
    }

    /// Bytes of the answer.
    async fn read(&mut self, bytes: &[u8]) -> Result<usize, Status> {
        self.0.ready().await.unwrap();
        let path = PathAndQuery::from_static("/p4.v1.P4Runtime/Read");
        let request = Request::new(Bytes::copy_from_slice(bytes));
        let mut answer = self.0.server_streaming(request, path, Raw).await?.into_inner();
        let mut all = 0;
        while let Some(part) = answer.message().await? {
            all += v1::ReadResponse::decode(part).unwrap().entities.len();
        }
        Ok(all)
    }
}

fn read_request(names: &Names, random: &mut Random) -> v1::ReadRequest {
    let one = |random: &mut Random| match random.below(4) {
        0 => Entity::TableEntry(v1::TableEntry::default()),
        1 => Entity::TableEntry(entry(names, random)),
        2 => Entity::CounterEntry(v1::CounterEntry {
            index: Some(v1::Index { index: 1 }),
            ..Default::default()
        }),
        _ => Entity::DirectCounterEntry(v1::DirectCounterEntry {
            table_entry: Some(names.host(random.below(14) as u128, 1)),
            data: None,
        }),
    };
    let entities = (0..=random.below(2)).map(|_| v1::Entity { entity: Some(one(random)) }).collect();
    v1::ReadRequest { device_id: 1, entities, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_requests_leave_what_the_answers_say() {
    let _alone = alone().await;
    let lab = lab().await;
    let (mut client, _talk) = lab.primary().await;
    let (names, mut sender) = (Names::new(&lab.info), Sender::new(&lab).await);
    let ring = names.0.table_named("ring").unwrap().id;
    let (mut random, mut model) = (Random(0x0dd5_eed0_0dd5_eed1), Model { held: BTreeMap::new(), ring });
    let (mut taken, mut refused, mut reads) = (0, 0, 0);
    let rounds = asked("GUIDEWAY_MUTATIONS", 20_000);
    for round in 0..rounds {
        if random.below(3) == 0 {
            let mut bytes = read_request(&names, &mut random).encode_to_vec();
            random.mutate(&mut bytes);
            match (v1::ReadRequest::decode(bytes.as_slice()), sender.read(&bytes).await) {
                (Ok(_), Ok(_)) => reads += 1,
                (Ok(_), Err(status)) => {
                    let wrong = [Code::Internal, Code::Unavailable, Code::Cancelled, Code::DataLoss];
                    assert!(!wrong.contains(&status.code()), "{status}");
                }
                (Err(_), answer) => assert_eq!(answer.unwrap_err().code(), Code::Internal),
            }
        } else {
            let kind = |random: &mut Random| [Type::Insert, Type::Modify, Type::Delete][random.below(3)];
            let mut one = |_| update(kind(&mut random), entry(&names, &mut random));
            let updates = (0..=[0, 0, 1, 3][round % 4]).map(&mut one).collect();
            let request = v1::WriteRequest {
                device_id: 1,
                election_id: Some(crate::common::id(1)),
                updates,
                atomicity: [0, 0, 0, 1, 1, 2][random.below(6)],
                ..v1::WriteRequest::default()
            };
            let mut bytes = request.encode_to_vec();
            random.mutate(&mut bytes);
            let answer = sender.write(&bytes).await;
            if model.answered(&bytes, answer) { taken += 1 } else { refused += 1 }
        }
        if round % 200 == 0 {
            model.compare(&mut client).await;
        }
    }
    model.compare(&mut client).await;
    assert!(taken.min(refused).min(reads) > rounds / 50, "{taken} {refused} {reads}");
}
