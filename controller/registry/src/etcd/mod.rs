//! A registry in etcd, for several controllers.
//!
//! - **Leading** is a key that hangs on a lease ([`tenure`]). Who finds it absent writes it together with the next term's
//!   number; the others watch it.
//! - **Fencing**: every transaction that writes compares that key's lease and etcd's revision at which it was written. A
//!   leader that was paused, and whose lease ended, finds another's key or none.
//! - **Atomic**: a commit that fits one transaction is one ([`plan`]). One that doesn't is first written as a journal, in
//!   parts; one transaction that changes the head makes it count, then it is carried out. Who reads in between reads the
//!   journal, too; who leads next carries it out.
//! - **Read** at one of etcd's revisions, all pages of it.
//!
//! The client is ours: a few calls of etcd's API over tonic. The crate `etcd-client` runs `protoc` when it is built, and
//! a token that a restarted etcd has forgotten ends its connection.

mod commit;
mod connection;
mod keys;
mod load;
mod options;
mod plan;
mod tenure;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tonic::Status;

use crate::{Change, Records, Registry, RegistryError, Revision, Term};
use connection::{Connection, Failure, LONGEST_ANSWER, Member};
use keys::{Head, Keys};
use tenure::{Lease, Tenure, Won};
use wire::{
    KeyValue, Op, RequestUnion, TxnRequest, TxnResponse, WatchCreateRequest, WatchRequest,
    kv_client::KvClient, watch_client::WatchClient,
};

pub use options::{EtcdOptions, Login};

/// How long a watch is trusted to tell; then the key is read.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A handle on a registry in etcd. Dropping it ends its term when its lease ends.
#[derive(Debug)]
pub struct Etcd {
    connection: Arc<Connection>,
    keys: Keys,
    lease: Duration,
    tenure: Mutex<Option<Arc<Tenure>>>,
    /// Where the registry stood after our last commit; held while we lead or commit.
    head: tokio::sync::Mutex<Option<Head>>,
}

impl Etcd {
    /// A registry of `members` (host:port each), with all of its keys under `prefix`. Members are connected to when they
    /// are needed; it is made within a Tokio runtime.
    ///
    /// # Errors
    /// [`RegistryError::Unusable`] for an address, certificate or key that can't be used.
    pub fn new(members: &[String], prefix: &str, options: &EtcdOptions) -> Result<Self, RegistryError> {
        Ok(Self {
            connection: Arc::new(Connection::new(members, options)?),
            keys: Keys::under(prefix),
            lease: options.lease,
            tenure: Mutex::new(None),
            head: tokio::sync::Mutex::new(None),
        })
    }

    /// The term that is held, if it is this one, or any.
    fn tenure(&self, term: Option<Term>) -> Option<Arc<Tenure>> {
        let held = self.tenure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        held.filter(|held| !held.is_over() && term.is_none_or(|term| term == held.term))
    }

    fn hold(&self, tenure: Option<Arc<Tenure>>) {
        *self.tenure.lock().unwrap_or_else(PoisonError::into_inner) = tenure;
    }

    async fn transaction(&self, request: &TxnRequest) -> Result<TxnResponse, Failure> {
        let call = |member: Member| async move {
            let mut client = KvClient::new(member.channel.clone()).max_decoding_message_size(LONGEST_ANSWER);
            client.txn(member.request(request.clone())).await
        };
        self.connection.call(call).await
    }

    /// These keys, at one revision of etcd, and the revision. Linearizable.
    async fn read<const N: usize>(&self, keys: [&str; N]) -> Result<([Option<KeyValue>; N], i64), Failure> {
        let reads = wire::ops(keys.map(wire::get));
        let request = TxnRequest { success: reads, ..TxnRequest::default() };
        let answer = self.transaction(&request).await?;
        let at = answer.header.as_ref().map_or(0, |header| header.revision);
        let mut values = wire::found(answer);
        Ok((std::array::from_fn(|_| values.next().flatten()), at))
    }

    /// Waits until `key` is written or deleted after etcd's revision `after`, or something may have been missed.
    async fn touched(&self, key: &str, after: i64) -> Result<(), Failure> {
        let watched =
            self.connection.call_within(LOOK_AGAIN * 2, LOOK_AGAIN * 2, |member: Member| async move {
                let create = WatchCreateRequest {
                    key: key.to_owned().into(),
                    start_revision: after + 1,
                    ..WatchCreateRequest::default()
                };
                let request = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
                let request = tokio_stream::once(request).chain(tokio_stream::pending());
                let mut client =
                    WatchClient::new(member.channel.clone()).max_decoding_message_size(LONGEST_ANSWER);
                let mut answers = client.watch(member.request(request)).await?.into_inner();
                loop {
                    let answer =
                        answers.message().await?.ok_or_else(|| Status::unavailable("the watch has ended"))?;
                    if answer.canceled && answer.compact_revision == 0 {
                        return Err(Status::unavailable(answer.cancel_reason));
                    }
                    // One that was canceled began before what etcd still has.
                    if answer.canceled || !answer.events.is_empty() {
                        return Ok(tonic::Response::new(()));
                    }
                }
            });
        match timeout(LOOK_AGAIN, watched).await {
            Ok(Err(failure @ Failure::Registry(RegistryError::Unusable(_)))) => Err(failure),
            // However the watch ended: look.
            _ => Ok(()),
        }
    }

    /// Tries to become the leader. None: somebody else has.
    async fn campaign(&self, address: &str, lease: Lease) -> Result<Option<Won>, RegistryError> {
        let ([term], _) = self.read([&self.keys.term]).await?;
        let next = Term(number(term.as_ref())? + 1);
        let written = term.map_or(0, |term| term.mod_revision);
        let leader = wire::PutRequest {
            key: self.keys.leader.clone().into(),
            value: address.to_owned().into(),
            lease: lease.id,
        };
        let raised = wire::put(self.keys.term.clone(), next.0.to_string());
        let request = TxnRequest {
            compare: vec![wire::hangs_on(&self.keys.leader, 0), wire::written_at(&self.keys.term, written)],
            success: wire::ops([Op::RequestPut(leader), raised]),
            failure: wire::ops([wire::get(&self.keys.leader)]),
        };
        let answer = self.transaction(&request).await?;
        let at = answer.header.as_ref().map_or(0, |header| header.revision);
        let won = |written| Won { term: next, leader: self.keys.leader.clone(), written, lease };
        if answer.succeeded {
            return Ok(Some(won(at)));
        }
        // Tried again, it finds what it did.
        let found = wire::found(answer).next().flatten();
        Ok(found.filter(|leader| leader.lease == lease.id).map(|leader| won(leader.mod_revision)))
    }

    /// Waits until nobody leads.
    async fn vacant(&self) -> Result<(), RegistryError> {
        loop {
            let ([leader], at) = self.read([&self.keys.leader]).await?;
            if leader.is_none_or(|leader| leader.lease == 0) {
                return Ok(());
            }
            self.touched(&self.keys.leader, at).await?;
        }
    }
}

fn number(found: Option<&KeyValue>) -> Result<u64, RegistryError> {
    let Some(found) = found else { return Ok(0) };
    let text = String::from_utf8_lossy(&found.value);
    text.parse().map_err(|_| {
        let key = String::from_utf8_lossy(&found.key);
        RegistryError::Unusable(format!("{key} says `{text}`, which is no number"))
    })
}

#[async_trait]
impl Registry for Etcd {
    async fn lead(&self, address: &str) -> Result<Term, RegistryError> {
        if let Some(held) = self.tenure(None) {
            return Ok(held.term);
        }
        loop {
            self.vacant().await?;
            let lease = Lease::grant(&self.connection, self.lease).await?;
            let won = match self.campaign(address, lease).await {
                Ok(won) => won,
                Err(error) => {
                    lease.revoke(&self.connection).await;
                    return Err(error);
                }
            };
            let Some(won) = won else {
                lease.revoke(&self.connection).await;
                continue;
            };
            let tenure = Arc::new(Tenure::begin(&self.connection, &won));
            let mut head = self.head.lock().await;
            *head = None;
            self.hold(Some(Arc::clone(&tenure)));
            drop(head);
            return Ok(tenure.term);
        }
    }

    async fn ended(&self, term: Term) {
        if let Some(tenure) = self.tenure(Some(term)) {
            tenure.ended().await;
        }
    }

    async fn resign(&self, term: Term) {
        if let Some(tenure) = self.tenure(Some(term)) {
            self.hold(None);
            tenure.end();
            tenure.lease(self.lease).revoke(&self.connection).await;
        }
    }

    async fn leader(&self) -> Result<Option<String>, RegistryError> {
        let ([leader], _) = self.read([&self.keys.leader]).await?;
        let leader = leader.filter(|leader| leader.lease != 0);
        Ok(leader.map(|leader| String::from_utf8_lossy(&leader.value).into_owned()))
    }

    async fn load(&self) -> Result<Records, RegistryError> {
        self.load_all().await
    }

    async fn commit(
        &self,
        term: Term,
        after: Revision,
        changes: Vec<Change>,
    ) -> Result<Revision, RegistryError> {
        let Some(tenure) = self.tenure(Some(term)) else { return Err(RegistryError::Fenced(term)) };
        let outcome = plan::outcome(changes)?;
        tokio::select! {
            committed = self.commit_in(&tenure, after, &outcome) => {
                if matches!(committed, Err(RegistryError::Fenced(_))) {
                    tenure.end();
                }
                committed
            }
            () = tenure.ended() => {
                Err(RegistryError::Unavailable("its lease ended while it was committed".into()))
            }
        }
    }

    async fn changed(&self, after: Revision) -> Result<Revision, RegistryError> {
        loop {
            let ([head], at) = self.read([&self.keys.head]).await?;
            let revision = Head::read(head.as_ref())?.revision;
            if revision > after {
                return Ok(revision);
            }
            self.touched(&self.keys.head, at).await?;
        }
    }
}
