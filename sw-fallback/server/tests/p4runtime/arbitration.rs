//! Specification §5: who may write.

use crate::common::entries::{Names, insert};
use crate::common::{Talk, id, lab, lab_with};
use p4runtime_proto::p4::v1::{self, stream_message_request as ask};
use p4runtime_server::Options;
use tonic::Code;

const OK: Code = Code::Ok;
const BACKUP: Code = Code::AlreadyExists;
const NONE: Code = Code::NotFound;

#[tokio::test]
async fn s5_the_highest_election_id_is_the_primary_and_all_are_told() {
    let lab = lab().await;
    let mut client = lab.client().await;
    let (mut a, mut b) = (Talk::open(&mut client).await, Talk::open(&mut client).await);
    a.arbitrate("", Some(5)).await;
    assert_eq!(a.standing().await, (OK, Some(5)));
    b.arbitrate("", Some(3)).await;
    assert_eq!(b.standing().await, (BACKUP, Some(5)), "a backup hears who is in front");
    a.silent().await;
    b.arbitrate("", Some(7)).await;
    assert_eq!(a.standing().await, (BACKUP, Some(7)));
    assert_eq!(b.standing().await, (OK, Some(7)));
}

#[tokio::test]
async fn s5_nobody_is_promoted_when_the_primary_leaves() {
    let lab = lab().await;
    let mut client = lab.client().await;
    let (mut a, mut b) = (Talk::open(&mut client).await, Talk::open(&mut client).await);
    a.arbitrate("", Some(5)).await;
    a.standing().await;
    b.arbitrate("", Some(3)).await;
    b.standing().await;
    drop(a);
    assert_eq!(b.standing().await, (NONE, Some(5)), "the highest id ever seen stays");
    b.arbitrate("", Some(4)).await;
    assert_eq!(b.standing().await, (NONE, Some(5)), "too low");
    b.arbitrate("", Some(5)).await;
    assert_eq!(b.standing().await, (OK, Some(5)));
    b.arbitrate("", Some(2)).await;
    assert_eq!(b.standing().await, (NONE, Some(5)), "who asks for less gives it up");
}

#[tokio::test]
async fn s5_a_client_without_election_id_is_never_the_primary() {
    let lab = lab().await;
    let mut client = lab.client().await;
    let (mut a, mut b) = (Talk::open(&mut client).await, Talk::open(&mut client).await);
    a.arbitrate("", None).await;
    assert_eq!(a.standing().await, (NONE, None), "there never was one");
    b.arbitrate("", None).await;
    assert_eq!(b.standing().await, (NONE, None), "more than one may do without");
    b.arbitrate("", Some(0)).await;
    assert_eq!(a.standing().await, (BACKUP, Some(0)), "0 is an id like others");
    assert_eq!(b.standing().await, (OK, Some(0)));
}

#[tokio::test]
async fn s5_roles_have_primaries_of_their_own() {
    let lab = lab().await;
    let mut client = lab.client().await;
    let (mut a, mut b) = (Talk::open(&mut client).await, Talk::open(&mut client).await);
    a.arbitrate("", Some(5)).await;
    assert_eq!(a.standing().await, (OK, Some(5)));
    b.arbitrate("agent", Some(5)).await;
    let heard = b.heard().await;
    assert_eq!((heard.role.unwrap().name.as_str(), heard.status.unwrap().code), ("agent", 0));
    a.silent().await;
}

#[tokio::test]
async fn s5_3_what_ends_a_stream() {
    let lab = lab().await;
    let mut client = lab.client().await;
    let mut first = Talk::open(&mut client).await;
    first.arbitrate("", Some(5)).await;
    first.standing().await;
    for (device, role, election, code) in
        [(2, "", Some(6), Code::NotFound), (1, "", Some(5), Code::InvalidArgument)]
    {
        let mut talk = Talk::open(&mut client).await;
        talk.arbitrate_at(device, role, election).await;
        assert_eq!(talk.end().await, code, "{device} {role} {election:?}");
    }
    for (device, role) in [(2, ""), (1, "agent")] {
        let mut talk = Talk::open(&mut client).await;
        talk.arbitrate("", Some(3)).await;
        talk.standing().await;
        talk.arbitrate_at(device, role, Some(4)).await;
        assert_eq!(talk.end().await, Code::FailedPrecondition, "{device} {role}: not the stream's own");
    }
    let mut talk = Talk::open(&mut client).await;
    let config = Some(prost_types::Any::default());
    let role = v1::Role { name: "agent".into(), config, ..v1::Role::default() };
    let update = v1::MasterArbitrationUpdate {
        device_id: 1,
        role: Some(role),
        election_id: Some(id(9)),
        ..v1::MasterArbitrationUpdate::default()
    };
    talk.say(ask::Update::Arbitration(update)).await;
    assert_eq!(talk.end().await, Code::InvalidArgument, "no scheme of role configs is agreed on");
    first.silent().await;
}

#[tokio::test]
async fn s12_only_the_primary_writes() {
    let lab = lab().await;
    let mut client = lab.client().await;
    let names = Names::new(&lab.info);
    let mut talk = Talk::open(&mut client).await;
    let request = |device_id, role: &str, election: Option<u128>| v1::WriteRequest {
        device_id,
        role: role.to_owned(),
        election_id: election.map(id),
        updates: vec![insert(names.host(1, 1))],
        ..v1::WriteRequest::default()
    };
    let mut code = async |request| client.write(request).await.err().map_or(Code::Ok, |s| s.code());
    assert_eq!(code(request(1, "", Some(1))).await, Code::PermissionDenied, "no stream");
    talk.arbitrate("", Some(2)).await;
    talk.standing().await;
    let cases = [
        (2, "", Some(2), Code::NotFound),
        (1, "agent", Some(2), Code::NotFound),
        (1, "", None, Code::PermissionDenied),
        (1, "", Some(1), Code::PermissionDenied),
        (1, "", Some(3), Code::PermissionDenied),
        (1, "", Some(2), Code::Ok),
    ];
    for (device, role, election, expected) in cases {
        assert_eq!(code(request(device, role, election)).await, expected, "{device} {role} {election:?}");
    }
    talk.arbitrate("", Some(1)).await;
    talk.standing().await;
    assert_eq!(code(request(1, "", Some(1))).await, Code::PermissionDenied, "it has stepped back");
}

#[tokio::test]
async fn s5_3_streams_are_limited() {
    let lab = lab_with("kinds", &Options { streams: 2, ..Options::default() }).await;
    let mut client = lab.client().await;
    let first = Talk::open(&mut client).await;
    let _second = Talk::open(&mut client).await;
    let refused = Talk::try_open(&mut client).await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    drop(first);
    for _ in 0..100 {
        if Talk::try_open(&mut client).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("a stream that has ended still counts");
}
