//! Specification §16: what else a stream carries, and clients that don't listen.

use crate::common::{Talk, lab};
use p4runtime_proto::p4::v1::{
    self, stream_error::Details, stream_message_request as ask, stream_message_response as told,
};
use std::time::Duration;
use tonic::Code;

async fn error(talk: &mut Talk, update: ask::Update) -> (Code, Details) {
    talk.say(update).await;
    match talk.next().await {
        Ok(Some(told::Update::Error(e))) => (Code::from_i32(e.canonical_code), e.details.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn s16_6_errors_say_which_message_they_are_about() {
    let lab = lab().await;
    let (mut client, mut talk) = lab.primary().await;
    let packet = v1::PacketOut { payload: "x".into(), metadata: Vec::new() };
    let (code, details) = error(&mut talk, ask::Update::Packet(packet.clone())).await;
    assert_eq!(code, Code::InvalidArgument, "it names no port");
    assert_eq!(details, Details::PacketOut(v1::PacketOutError { packet_out: Some(packet.clone()) }));
    let ack = v1::DigestListAck { digest_id: 3, list_id: 1 };
    let (code, details) = error(&mut talk, ask::Update::DigestAck(ack)).await;
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(details, Details::DigestListAck(v1::DigestListAckError { digest_list_ack: Some(ack) }));
    let (code, _) = error(&mut talk, ask::Update::Other(prost_types::Any::default())).await;
    assert_eq!(code, Code::Unimplemented);
    let mut backup = Talk::open(&mut client).await;
    backup.arbitrate("", Some(0)).await;
    backup.standing().await;
    let (code, _) = error(&mut backup, ask::Update::Packet(packet)).await;
    assert_eq!(code, Code::PermissionDenied);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_nobody_else_suffers() {
    let lab = lab().await;
    let mut deaf_client = lab.client().await;
    let deaf = Talk::open(&mut deaf_client).await;
    deaf.arbitrate("", Some(5)).await;
    let mut client = lab.client().await;
    let mut talk = Talk::open(&mut client).await;
    talk.arbitrate("", Some(2)).await;
    // One that reads is told of each change; the other one has thousands waiting.
    for _ in 0..100_000 {
        if let Ok((code, _)) = tokio::time::timeout(Duration::from_millis(1), talk.standing()).await
            && code == Code::NotFound
        {
            return;
        }
        for election in [5, 4] {
            let (high, low) = (0, election);
            let update = v1::MasterArbitrationUpdate {
                device_id: 1,
                role: Some(v1::Role { name: String::new(), ..v1::Role::default() }),
                election_id: Some(v1::Uint128 { high, low: low + 1 }),
                ..v1::MasterArbitrationUpdate::default()
            };
            if !deaf.try_say(ask::Update::Arbitration(update)) {
                break;
            }
        }
    }
    panic!("it is still the primary");
}
