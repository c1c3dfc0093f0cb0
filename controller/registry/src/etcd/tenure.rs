//! A time of leading: a lease of etcd's that is renewed, and what ends it.
//!
//! The leader's key hangs on the lease, so it is gone when the lease ends. Whoever lost it must have stopped by then:
//! a tenure is over a fifth of the lease early, counted from before the last renewal that was answered was asked for, by
//! a clock that nobody sets. A renewal counts only with a linearizable read that finds the leader's key still ours: a
//! member that lost its cluster may still answer for the lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tonic::Status;

use super::connection::{Connection, Failure, Member};
use super::wire::{
    self, Compare, KeyValue, LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest, TxnRequest,
    kv_client::KvClient, lease_client::LeaseClient,
};
use crate::Term;

/// One term of this process.
#[derive(Debug)]
pub(super) struct Tenure {
    pub(super) term: Term,
    /// True if this term, and no other, is in force: the first comparison of every write.
    fence: [Compare; 2],
    lease: i64,
    /// etcd's revision when the leader's key was written.
    written: i64,
    over: watch::Sender<bool>,
    renewing: AbortHandle,
}

/// What a tenure is made of.
pub(super) struct Won {
    pub(super) term: Term,
    /// Key of the leader.
    pub(super) leader: String,
    /// etcd's revision when it became ours.
    pub(super) written: i64,
    pub(super) lease: Lease,
}

/// A lease that was granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) id: i64,
    /// How long it lasts.
    ttl: Duration,
    /// Before it was granted.
    asked: Instant,
}

impl Lease {
    /// Asks for one.
    pub(super) async fn grant(connection: &Connection, ttl: Duration) -> Result<Self, Failure> {
        let seconds = i64::try_from(ttl.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX).max(1);
        let asked = Instant::now();
        let granted = connection.call(|member: Member| async move {
            let request = LeaseGrantRequest { ttl: seconds, id: 0 };
            LeaseClient::new(member.channel.clone()).lease_grant(member.request(request)).await
        });
        let granted = granted.await?;
        // etcd may make it longer. Later attempts began later, which is on the safe side of `asked`.
        let ttl = Duration::from_secs(granted.ttl.max(1).unsigned_abs());
        Ok(Self { id: granted.id, ttl, asked })
    }

    /// Gives it back, if etcd answers soon; else it ends by itself.
    pub(super) async fn revoke(self, connection: &Connection) {
        let id = self.id;
        let within = self.ttl / 2;
        let revoked = connection.call_within(within, within / 2, |member: Member| async move {
            let request = LeaseRevokeRequest { id };
            LeaseClient::new(member.channel.clone()).lease_revoke(member.request(request)).await
        });
        // It fails if the lease is gone, too.
        let _ = revoked.await;
    }

    /// How long it is safe to lead on what was asked for at `asked`.
    fn safe(self, asked: Instant) -> Instant {
        asked + self.ttl * 4 / 5
    }
}

impl Tenure {
    /// Begins to renew the lease.
    pub(super) fn begin(connection: &Arc<Connection>, won: &Won) -> Self {
        let fence = [wire::written_at(&won.leader, won.written), wire::hangs_on(&won.leader, won.lease.id)];
        let over = watch::Sender::new(false);
        let renewing = tokio::spawn(renew(Arc::clone(connection), won.lease, fence.clone(), over.clone()));
        Self {
            term: won.term,
            fence,
            lease: won.lease.id,
            written: won.written,
            over,
            renewing: renewing.abort_handle(),
        }
    }

    pub(super) fn fence(&self) -> Vec<Compare> {
        self.fence.to_vec()
    }

    /// Whether this is the leader's key as we wrote it.
    pub(super) fn owns(&self, leader: &KeyValue) -> bool {
        leader.lease == self.lease && leader.mod_revision == self.written
    }

    pub(super) fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) {
        // It fails only if the sender is gone, which `self` holds.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    /// Ends it here; the lease goes on until it is revoked or ends.
    pub(super) fn end(&self) {
        self.renewing.abort();
        self.over.send_replace(true);
    }

    /// The lease, to be revoked.
    pub(super) fn lease(&self, ttl: Duration) -> Lease {
        Lease { id: self.lease, ttl, asked: Instant::now() }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.end();
    }
}

async fn renew(connection: Arc<Connection>, lease: Lease, fence: [Compare; 2], over: watch::Sender<bool>) {
    let mut safe = lease.safe(lease.asked);
    let pause = lease.ttl / 5;
    let attempt = lease.ttl / 5;
    loop {
        let left = safe.saturating_duration_since(Instant::now());
        sleep(pause.min(left)).await;
        let asked = Instant::now();
        let left = safe.saturating_duration_since(asked);
        if left.is_zero() {
            break;
        }
        match timeout(left, renewed(&connection, lease.id, &fence, left, attempt)).await {
            Ok(Ok(true)) => safe = lease.safe(asked),
            // It is gone, or what we read is no more what we wrote.
            Ok(Ok(false)) => break,
            Ok(Err(_)) | Err(_) => {}
        }
    }
    over.send_replace(true);
    lease.revoke(&connection).await;
}

/// Renews the lease; then whether it, and the leader's key, are still there.
async fn renewed(
    connection: &Connection,
    lease: i64,
    fence: &[Compare; 2],
    patience: Duration,
    attempt: Duration,
) -> Result<bool, Failure> {
    let renewed = connection.call_within(patience, attempt, |member: Member| async move {
        // The stream stays open on our side until the answer is here.
        let request = tokio_stream::once(LeaseKeepAliveRequest { id: lease }).chain(tokio_stream::pending());
        let mut client = LeaseClient::new(member.channel.clone());
        let mut answers = client.lease_keep_alive(member.request(request)).await?.into_inner();
        let answer = answers.message().await?.ok_or_else(|| Status::unavailable("no answer"))?;
        Ok(tonic::Response::new(answer))
    });
    if renewed.await?.ttl <= 0 {
        return Ok(false);
    }
    let ours = connection.call_within(patience, attempt, |member: Member| async move {
        // It reads, so that it is linearizable without a write.
        let key = wire::Op::RequestRange(wire::RangeRequest {
            key: fence[0].key.clone(),
            ..wire::RangeRequest::default()
        });
        let request = TxnRequest {
            compare: fence.to_vec(),
            success: wire::ops([key.clone()]),
            failure: wire::ops([key]),
        };
        KvClient::new(member.channel.clone()).txn(member.request(request)).await
    });
    Ok(ours.await?.succeeded)
}
