//! Specification §16.1: packets in and out. And digests, of which there are none.

use crate::common::{SENT, Talk, lab, lab_of, read};
use p4runtime_proto::p4::v1::{
    self, entity::Entity as E, stream_message_request as ask, stream_message_response as told,
};
use p4runtime_server::Options;
use std::time::Duration;
use sw_fallback::punt::Punt;
use tonic::Code;

fn out(metadata: &[(u32, &'static [u8])], frame: &[u8]) -> v1::PacketOut {
    let one = |(metadata_id, value): &(u32, &'static [u8])| v1::PacketMetadata {
        metadata_id: *metadata_id,
        value: (*value).into(),
    };
    v1::PacketOut { payload: frame.to_vec().into(), metadata: metadata.iter().map(one).collect() }
}

#[tokio::test]
async fn s16_1_packets_go_out_of_the_port_that_they_name() {
    let lab = lab().await;
    let (_client, mut talk) = lab.primary().await;
    let frame: Vec<u8> = (0..77).collect();
    let padded: &[u8] = &[0, 0, 0, 0, 1];
    for metadata in [&[1][..], padded] {
        let packet = v1::PacketMetadata { metadata_id: 1, value: metadata.to_vec().into() };
        let packet = v1::PacketOut { payload: frame.clone().into(), metadata: vec![packet] };
        talk.say(ask::Update::Packet(packet)).await;
    }
    for wrong in [
        out(&[], &frame),
        out(&[(1, &[1]), (1, &[1])], &frame),
        out(&[(1, &[1]), (2, &[1])], &frame),
        out(&[(1, &[1, 0, 0, 0, 0])], &frame),
        out(&[(1, &[7])], &frame),
    ] {
        talk.say(ask::Update::Packet(wrong.clone())).await;
        match talk.next().await {
            Ok(Some(told::Update::Error(e))) => {
                assert_eq!(Code::from_i32(e.canonical_code), Code::InvalidArgument, "{e:?}");
                let details = v1::PacketOutError { packet_out: Some(wrong) };
                assert_eq!(e.details, Some(v1::stream_error::Details::PacketOut(details)));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(SENT.lock().unwrap().iter().filter(|sent| **sent == frame).count(), 2);
}

#[tokio::test]
async fn s16_1_packets_come_in_to_the_primaries_and_to_nobody_else() {
    let (punt, inbox) = Punt::new(1000);
    let lab = lab_of("kinds", &Options::default(), Some(inbox)).await;
    let (_client, mut talk) = lab.primary().await;
    let mut client = lab.client().await;
    let mut other_role = Talk::open(&mut client).await;
    other_role.arbitrate("capture", Some(1)).await;
    other_role.standing().await;
    let mut backup = Talk::open(&mut client).await;
    backup.arbitrate("", Some(0)).await;
    backup.standing().await;
    punt.offer(7, &[9; 60]);
    let metadata = vec![v1::PacketMetadata { metadata_id: 1, value: vec![7].into() }];
    let wanted = v1::PacketIn { payload: vec![9; 60].into(), metadata };
    for primary in [&mut talk, &mut other_role] {
        assert_eq!(primary.next().await.unwrap(), Some(told::Update::Packet(wanted.clone())));
    }
    backup.silent().await;
}

#[tokio::test]
async fn s16_1_a_slow_reader_loses_packets_and_nothing_else() {
    let (punt, inbox) = Punt::new(1_000_000);
    let lab = lab_of("kinds", &Options::default(), Some(inbox)).await;
    let (_client, mut talk) = lab.primary().await;
    // Large ones, so that what waits in sockets is few.
    let frame = vec![0; 200_000];
    for _ in 0..1000 {
        punt.offer(1, &frame);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let counts = punt.counts();
    assert!(counts["unread"] > 0, "{counts:?}");
    // The stream still stands: arbitration is answered after what had been sent.
    talk.arbitrate("", Some(2)).await;
    let mut packets = 0;
    loop {
        match talk.next().await {
            Ok(Some(told::Update::Packet(_))) => packets += 1,
            Ok(Some(told::Update::Arbitration(update))) => {
                assert_eq!(update.status.unwrap().code, Code::Ok as i32);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(packets + counts["unread"], counts["given"], "{counts:?}");
}

#[tokio::test]
async fn s9_10_there_are_no_digests() {
    let lab = lab().await;
    let (mut client, mut talk) = lab.primary().await;
    let digest = |digest_id| E::DigestEntry(v1::DigestEntry { digest_id, config: None });
    let (all, error) = read(&mut client, vec![digest(0)]).await;
    assert!(all.is_empty() && error.is_none());
    assert!(read(&mut client, vec![digest(5)]).await.1.unwrap().message().contains("no digest 5"));
    let entity = v1::Entity { entity: Some(digest(5)) };
    let update = v1::Update { r#type: v1::update::Type::Insert as i32, entity: Some(entity) };
    let error = crate::common::write(&mut client, vec![update]).await;
    assert_eq!(crate::common::codes(error), [Code::Unimplemented]);
    talk.say(ask::Update::DigestAck(v1::DigestListAck { digest_id: 5, list_id: 1 })).await;
    assert!(matches!(talk.next().await, Ok(Some(told::Update::Error(_)))));
}
