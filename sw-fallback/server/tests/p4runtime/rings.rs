//! Rings of 65,537 slots: read back in messages of at most 1 MiB, written fast.

use crate::common::entries::{Names, insert, modify};
use crate::common::{entries, id, lab_with, write};
use p4runtime_proto::p4::v1;
use p4runtime_server::Options;
use std::time::Instant;

const SLOTS: u128 = 65_537;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s13_a_whole_ring_is_written_and_read_in_pieces() {
    let lab = lab_with("l4lb", &Options::default()).await;
    let (mut client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let ring = |generation, id: u128| {
        let slot = |slot: u128| names.slot(1, generation, slot, id + slot % 7);
        (0..SLOTS).map(slot).collect::<Vec<_>>()
    };
    let first = ring(1, 1);
    write(&mut client, first.iter().cloned().map(insert).collect()).await.unwrap();
    write(&mut client, vec![insert(names.pool(1, 1))]).await.unwrap();
    assert_eq!(
        entries(&mut client, names.key("ring", &[])).await,
        first,
        "each message is checked to be short"
    );
    let second = ring(1, 3);
    write(&mut client, second.iter().cloned().map(modify).collect()).await.unwrap();
    assert_eq!(entries(&mut client, names.key("ring", &[])).await, second);
}

/// Not a bound: a debug build says little. `cargo test --release -- --ignored --nocapture` prints it.
#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_per_second() {
    let lab = lab_with("l4lb", &Options::default()).await;
    let (client, _talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    for round in 0..6_u128 {
        let slots = (0..SLOTS).map(|slot| insert(names.slot(1, round + 1, slot, 1 + slot % 100)));
        let slots: Vec<v1::Update> = slots.collect();
        let requests: Vec<v1::WriteRequest> = slots
            .chunks(4096)
            .map(|updates| v1::WriteRequest {
                device_id: 1,
                election_id: Some(id(1)),
                updates: updates.to_vec(),
                ..v1::WriteRequest::default()
            })
            .collect();
        let start = Instant::now();
        let calls = requests.into_iter().map(|request| {
            let mut client = client.clone();
            tokio::spawn(async move { client.write(request).await.map(|_| ()) })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("round {round}: {:.0} entries/s", SLOTS as f64 / seconds);
    }
}
