//! What comes over the stream, as a session tells it: roles, idle entries, packets, digests.
#![allow(clippy::unwrap_used)]

mod scripted;

use client_lab::Switch;
use client_lab::count::host::{Action, Entry, Key};
use p4runtime_proto::p4::v1::{self, stream_message_request as said, stream_message_response::Update};
use pipeline_ir::KeyValue;
use runtime_client::{ClientError, Event, Events, Options, Profile, Session, Standing};
use scripted::Scripted;
use std::time::Duration;
use tokio_stream::StreamExt as _;

/// Runs on threads, with a bound on its time.
fn within<F: Future<Output = ()>>(test: F) {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    rt.block_on(async { tokio::time::timeout(Duration::from_secs(60), test).await }).unwrap();
}

fn options(address: &str) -> Options {
    Options::new(address, Profile::named("guideway").unwrap())
}

/// The next event that is no change of standing.
async fn next(events: &mut Events) -> Event {
    loop {
        match events.next().await.unwrap() {
            Event::Standing(_) => {}
            other => return other,
        }
    }
}

fn host(src: u32) -> Entry {
    Entry { key: Key { src }, action: Action::Out { port: 3 } }
}

/// Each role has a primary of its own; both write, and each hears of its own election only.
#[test]
fn roles_elect_apart() {
    within(async {
        let switch = Switch::start().await.unwrap();
        let with = |role: Option<&str>, election_id| Options {
            role: role.map(str::to_owned),
            election_id,
            ..options(&switch.address)
        };
        let all = Session::connect(with(None, 9)).await.unwrap();
        let watch = Session::connect(with(Some("watch"), 1)).await.unwrap();
        assert_eq!([all.standing(), watch.standing()], [Standing::Primary, Standing::Primary]);
        let names = watch.names().await.unwrap();
        all.insert([names.message(host(1)).unwrap()], &names).await.unwrap().ok().unwrap();
        watch.insert([names.message(host(2)).unwrap()], &names).await.unwrap().ok().unwrap();

        let mut events = all.events();
        let second = Session::connect(with(Some("watch"), 2)).await.unwrap();
        second.primary().await.unwrap();
        while watch.standing() != (Standing::Backup { primary: Some(2) }) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let refused = watch.insert([], &names).await;
        assert!(matches!(refused, Err(ClientError::NotPrimary { primary: Some(2), own: 1 })), "{refused:?}");
        assert_eq!(all.standing(), Standing::Primary);
        let none = tokio::time::timeout(Duration::from_millis(200), events.next()).await;
        assert!(none.is_err(), "another role's election: {none:?}");
    });
}

/// An entry that nobody hits is told by table, key and action, and typed.
#[test]
fn idle_entries_have_names() {
    within(async {
        let switch = Switch::start().await.unwrap();
        let session = Session::connect(options(&switch.address)).await.unwrap();
        let names = session.names().await.unwrap();
        let mut events = session.events();
        let mut message = names.message(host(0x0a00_0001)).unwrap();
        message.idle_timeout_ns = 300_000_000;
        let stays = names.message(host(2)).unwrap();
        session.insert([message, stays], &names).await.unwrap().ok().unwrap();
        let Event::Idle(idle) = next(&mut events).await else { panic!("something else") };
        let named = idle.named(&names).unwrap();
        assert_eq!((named.len(), named[0].table.as_str()), (1, "host"));
        assert_eq!(named[0].key, [("src".to_owned(), KeyValue::Exact(0x0a00_0001))]);
        assert_eq!(idle.typed::<Entry>("host", &names).unwrap(), [host(0x0a00_0001)]);
        assert!(idle.at > Duration::from_secs(1_600_000_000), "{:?}", idle.at);
        assert!(idle.typed::<Entry>("hots", &names).is_err());
    });
}

/// Our own switch has no digests: what a server says here is a script. It is heard in order; what the session says arrives.
#[test]
fn packets_and_digests_of_a_server_come_in_order() {
    within(async {
        let packet = v1::PacketIn { payload: "frame".into(), metadata: Vec::new() };
        let digest = v1::DigestList { digest_id: 7, list_id: 3, ..v1::DigestList::default() };
        let error = v1::StreamError { message: "no".into(), ..v1::StreamError::default() };
        let script = vec![
            Update::Packet(packet.clone()),
            Update::Digest(digest.clone()),
            Update::Error(error.clone()),
        ];
        let mut server = Scripted::start(script).await;
        let with = Options { role: Some("r".to_owned()), ..options(&server.address) };
        let session = Session::connect(with).await.unwrap();
        let mut events = session.events();
        let Some(said::Update::Arbitration(stands)) = server.heard().await else { panic!() };
        assert_eq!(stands.role.unwrap().name, "r");
        let out = v1::PacketOut { payload: "out".into(), metadata: Vec::new() };
        session.packet_out(out.clone()).await.unwrap();
        assert_eq!(server.heard().await, Some(said::Update::Packet(out)));
        let told = [next(&mut events).await, next(&mut events).await, next(&mut events).await];
        assert_eq!(told, [Event::PacketIn(packet), Event::Digest(digest.clone()), Event::Error(error)]);
        session.acknowledge(&digest).await.unwrap();
        let ack = v1::DigestListAck { digest_id: 7, list_id: 3 };
        assert_eq!(server.heard().await, Some(said::Update::DigestAck(ack)));
    });
}
