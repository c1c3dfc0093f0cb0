//! etcd's messages, and short ways to make them.

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/etcdserverpb.rs"));
}

use bytes::Bytes;

pub(super) use generated::compare::{CompareResult, CompareTarget, TargetUnion};
pub(super) use generated::request_op::Request as Op;
pub(super) use generated::response_op::Response as Answer;
pub(super) use generated::watch_request::RequestUnion;
pub(super) use generated::{
    AuthenticateRequest, Compare, DeleteRangeRequest, KeyValue, LeaseGrantRequest, LeaseKeepAliveRequest,
    LeaseRevokeRequest, PutRequest, RangeRequest, RangeResponse, RequestOp, TxnRequest, TxnResponse,
    WatchCreateRequest, WatchRequest, auth_client, kv_client, lease_client, watch_client,
};

/// Reads one key.
pub(super) fn get(key: &str) -> Op {
    Op::RequestRange(RangeRequest { key: Bytes::copy_from_slice(key.as_bytes()), ..RangeRequest::default() })
}

/// Writes one key.
pub(super) fn put(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Op {
    Op::RequestPut(PutRequest { key: key.into(), value: value.into(), lease: 0 })
}

/// Deletes `key` and what follows, before `end`.
pub(super) fn delete(key: impl Into<Bytes>, end: impl Into<Bytes>) -> Op {
    Op::RequestDeleteRange(DeleteRangeRequest { key: key.into(), range_end: end.into() })
}

/// All of `operations` at once.
pub(super) fn ops(operations: impl IntoIterator<Item = Op>) -> Vec<RequestOp> {
    operations.into_iter().map(|request| RequestOp { request: Some(request) }).collect()
}

/// The key was last written at this revision of etcd; 0 if it is not there.
pub(super) fn written_at(key: &str, revision: i64) -> Compare {
    equal(key, CompareTarget::Mod, TargetUnion::ModRevision(revision))
}

/// The key hangs on this lease; 0 if it hangs on none or is not there.
pub(super) fn hangs_on(key: &str, lease: i64) -> Compare {
    equal(key, CompareTarget::Lease, TargetUnion::Lease(lease))
}

fn equal(key: &str, target: CompareTarget, value: TargetUnion) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: target.into(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        target_union: Some(value),
    }
}

/// The keys that the reads of an answered transaction found, read by read; one read of one key each.
pub(super) fn found(answer: TxnResponse) -> impl Iterator<Item = Option<KeyValue>> {
    answer.responses.into_iter().filter_map(|response| match response.response {
        Some(Answer::ResponseRange(range)) => Some(range.kvs.into_iter().next()),
        _ => None,
    })
}
