//! Reading all records at one of etcd's revisions.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::Etcd;
use super::connection::{Failure, LONGEST_ANSWER, Member};
use super::keys::{Head, behind};
use super::plan::{Outcome, read_journal};
use super::wire::{KeyValue, RangeRequest, RangeResponse, kv_client::KvClient};
use crate::{Records, RegistryError};

/// Keys of one page: with full parts of records, half of the longest answer that is taken.
const PAGE: i64 = 128;
/// How often it begins anew when etcd compacts what it reads.
const TRIES: usize = 5;

impl Etcd {
    pub(super) async fn load_all(&self) -> Result<Records, RegistryError> {
        for _ in 1..TRIES {
            match self.load_once().await {
                Err(Failure::Compacted) => {}
                loaded => return Ok(loaded?),
            }
        }
        Ok(self.load_once().await?)
    }

    async fn load_once(&self) -> Result<Records, Failure> {
        let ([head], at) = self.read([&self.keys.head]).await?;
        let head = Head::read(head.as_ref()).map_err(Failure::Registry)?;
        let keys = self.folder(&self.keys.records, at).await?;
        let mut records = assemble(&self.keys.records, keys).map_err(Failure::Registry)?;
        for (key, value) in self.open_journal(&head, at).await? {
            match value {
                Some(value) => records.insert(key, value),
                None => records.remove(&key),
            };
        }
        Ok(Records { revision: head.revision, records })
    }

    /// What `head`'s commit changed, if it may not be carried out.
    pub(super) async fn open_journal(&self, head: &Head, at: i64) -> Result<Outcome, Failure> {
        if head.parts == 0 {
            return Ok(Outcome::new());
        }
        let mut parts: Vec<Bytes> =
            self.folder(&self.keys.journal, at).await?.into_iter().map(|found| found.value).collect();
        if parts.len() < head.parts {
            let why = "a part of its journal is not there".into();
            return Err(Failure::Registry(RegistryError::Unusable(why)));
        }
        parts.truncate(head.parts);
        read_journal(parts).map_err(Failure::Registry)
    }

    /// All keys that start with `folder`, as they were at etcd's revision `at`.
    async fn folder(&self, folder: &str, at: i64) -> Result<Vec<KeyValue>, Failure> {
        let mut all: Vec<KeyValue> = Vec::new();
        let mut from = Bytes::copy_from_slice(folder.as_bytes());
        loop {
            let request = RangeRequest { key: from, range_end: behind(folder), limit: PAGE, revision: at };
            let page = self.range(&request).await?;
            all.extend(page.kvs);
            match all.last() {
                // The very next key.
                Some(last) if page.more => from = [&last.key[..], b"\0"].concat().into(),
                _ => return Ok(all),
            }
        }
    }

    async fn range(&self, request: &RangeRequest) -> Result<RangeResponse, Failure> {
        let call = |member: Member| async move {
            let mut client = KvClient::new(member.channel.clone()).max_decoding_message_size(LONGEST_ANSWER);
            client.range(member.request(request.clone())).await
        };
        self.connection.call(call).await
    }
}

/// The records of their parts, which come in their order.
fn assemble(folder: &str, found: Vec<KeyValue>) -> Result<BTreeMap<String, Bytes>, RegistryError> {
    let mut records: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
    for KeyValue { key, value, .. } in found {
        let name =
            key.get(folder.len()..).and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(|| {
                RegistryError::Unusable(format!(
                    "the key {} is of another program",
                    String::from_utf8_lossy(&key)
                ))
            })?;
        let (name, part) = match name.split_once('\0') {
            None => (name, Some(0)),
            Some((name, part)) => (name, usize::from_str_radix(part, 16).ok()),
        };
        let parts = records.entry(name.to_owned()).or_default();
        if part != Some(parts.len()) {
            let why = format!("a part of the record {name} is not there");
            return Err(RegistryError::Unusable(why));
        }
        parts.push(value);
    }
    Ok(records.into_iter().map(|(name, parts)| (name, join(parts))).collect())
}

fn join(mut parts: Vec<Bytes>) -> Bytes {
    if let [_] = parts[..] {
        return parts.swap_remove(0);
    }
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole.freeze()
}
