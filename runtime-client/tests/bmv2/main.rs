//! The client against BMv2, where `simple_switch_grpc` and p4c are on PATH.
#![allow(clippy::unwrap_used)]

mod lab;

use bytes::Bytes;
use lab::{Switch, program, skip};
use p4runtime_proto::p4::v1::TableEntry;
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::{
    Atomicity, ClientError, Event, Names, Push, Pushed, Session, Standing, delete, insert, modify,
};
use std::time::{Duration, Instant};
use tokio_stream::StreamExt as _;
use tonic::Code;

const SLOTS: u32 = 65_537;

/// Runs a test against a switch of its own; never longer than a minute.
fn check<F: Future<Output = ()>>(test: impl FnOnce(Switch) -> F) {
    if skip() {
        return;
    }
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async { tokio::time::timeout(Duration::from_secs(60), test(Switch::start())).await })
        .unwrap();
}

async fn loaded(session: &Session) -> Names {
    let (info, json) = program("l4lb");
    assert_eq!(session.push(&info, Bytes::from(json), Push::IfOther).await.unwrap(), Pushed::Loaded);
    Names::new(&info).unwrap()
}

fn vip(dst: u128, pool: u128) -> Entry {
    let field = |(name, v): (&str, u128)| (name.to_owned(), KeyValue::Exact(v));
    let param = |(name, v): (&str, u128)| (name.to_owned(), v);
    Entry {
        table: "vip4".into(),
        key: [("dst", dst), ("protocol", 6), ("dst_port", 80)].map(field).into(),
        action: "set_vip".into(),
        params: [("vip", 1), ("pool", pool), ("hash_key", 0), ("flags", 0), ("class", 0)].map(param).into(),
        ..Entry::default()
    }
}

fn slots(names: &Names, generation: u8, id: u128) -> Vec<TableEntry> {
    let shape = names.shape("ring", "set_ring").unwrap();
    (0..SLOTS).map(|slot| shape.entry(&[1, generation.into(), slot.into()], &[id])).collect()
}

#[test]
fn a_program_is_pushed_once() {
    check(|switch| async move {
        let session = switch.session().await;
        assert!(session.info().await.unwrap_err().to_string().contains("it runs none yet"));
        let names = loaded(&session).await;
        let (info, json) = program("l4lb");
        let json = Bytes::from(json);
        session.insert([names.entry(&vip(1, 1)).unwrap()], &names).await.unwrap().ok().unwrap();
        assert_eq!(session.push(&info, json.clone(), Push::IfOther).await.unwrap(), Pushed::Kept);
        assert_eq!(session.entries("vip4", &names).await.unwrap().len(), 1, "entries stay");
        assert_eq!(session.push(&info, json, Push::Always).await.unwrap(), Pushed::Loaded);
        assert_eq!(session.entries("vip4", &names).await.unwrap().len(), 0);
        assert_eq!(session.info().await.unwrap(), info);
        let error = session.push(&info, Bytes::from_static(b"no json"), Push::Always).await.unwrap_err();
        assert!(error.to_string().starts_with("SetForwardingPipelineConfig was refused"), "{error}");
    });
}

#[test]
fn entries_come_back_as_they_were_written() {
    check(|switch| async move {
        let session = switch.session().await;
        let names = loaded(&session).await;
        let (mut first, second) = (vip(0xcb00_710a, 3), vip(7, 4));
        session
            .insert([&first, &second].map(|e| names.entry(e).unwrap()), &names)
            .await
            .unwrap()
            .ok()
            .unwrap();
        first.params[1].1 = 5;
        let changed = [modify(names.entry(&first).unwrap()), delete(names.key(&second).unwrap())];
        session.write(&changed, Atomicity::ContinueOnError, Some(&names)).await.unwrap().ok().unwrap();
        let held = session.entries("vip4", &names).await.unwrap();
        let held: Vec<Entry> = held.iter().map(|e| names.named(e).unwrap()).collect();
        assert_eq!(held, [first]);
    });
}

#[test]
fn each_update_that_fails_is_told_with_table_entry_and_cause() {
    check(|switch| async move {
        let session = switch.session().await;
        let names = loaded(&session).await;
        // Every second one is there already: a thousand of them are 139 KB of trailers.
        let shape = names.shape("ring", "set_ring").unwrap();
        let all = |step: usize| {
            (0..2000).step_by(step).map(|slot| insert(shape.entry(&[1, 2, slot], &[9]))).collect::<Vec<_>>()
        };
        let go = async |updates: &[_]| {
            session.write(updates, Atomicity::ContinueOnError, Some(&names)).await.unwrap()
        };
        assert_eq!(go(&all(2)).await.applied, 1000);
        let written = go(&all(1)).await;
        assert_eq!((written.applied, written.failed.len()), (1000, 1000));
        assert!(written.failed.iter().enumerate().all(|(i, f)| f.index == i * 2));
        let text = written.failed[1].to_string();
        let says =
            "INSERT ring { pool = 1, generation = 2, slot = 2 } -> set_ring { id = 9 }: ALREADY_EXISTS";
        assert!(text.starts_with(says), "{text}");
        let gone = [delete(names.key(&vip(1, 1)).unwrap())];
        let written = go(&gone).await;
        assert_eq!(written.failed[0].code, Code::NotFound);
        assert!(written.failed[0].to_string().starts_with("DELETE vip4 { dst = 0.0.0.1, protocol = 6"));
    });
}

#[test]
fn a_whole_ring_in_and_out() {
    check(|switch| async move {
        let session = switch.session().await;
        let names = loaded(&session).await;
        let written = session.insert(slots(&names, 1, 77), &names).await.unwrap();
        assert_eq!(written.applied, SLOTS as usize);
        let held = session.entries("ring", &names).await.unwrap();
        assert_eq!(held.len(), SLOTS as usize, "one answer of several MB");
        // A read is a stream: the first entries are there before the last.
        let mut reader = session.read(vec![entity(&held[0])]).await.unwrap();
        assert!(reader.next().await.unwrap().is_ok());
        let mut desired = slots(&names, 1, 77);
        desired[5] = slots(&names, 1, 78)[5].clone();
        desired.truncate(60_000);
        let written = session.reconcile(&desired, &["ring"], &names).await.unwrap();
        assert_eq!((written.applied, written.failed.len()), (SLOTS as usize - 60_000 + 1, 0));
        let written = session.reconcile(&desired, &["ring"], &names).await.unwrap();
        assert_eq!(written.batches, 0, "nothing is left to do");
    });
}

fn entity(entry: &TableEntry) -> p4runtime_proto::p4::v1::entity::Entity {
    let asked = TableEntry { table_id: entry.table_id, ..TableEntry::default() };
    p4runtime_proto::p4::v1::entity::Entity::TableEntry(asked)
}

#[test]
fn counters_by_name() {
    check(|switch| async move {
        let session = switch.session().await;
        let names = loaded(&session).await;
        let all = session.counters(&names, &[]).await.unwrap();
        assert!(all.iter().any(|c| c.counter == "drop.ethernet_cut" && c.packets == 0), "{all:?}");
        let one = session.counters(&names, &["drop.ethernet_cut"]).await.unwrap();
        assert_eq!(one.len(), 1);
        let error = session.counters(&names, &["drop.ethernet_cutt"]).await.unwrap_err().to_string();
        assert!(error.contains("did you mean `drop.ethernet_cut`?"), "{error}");
    });
}

#[test]
fn what_the_profile_lacks_is_refused_before_it_is_sent() {
    check(|switch| async move {
        let session = switch.session().await;
        let error = session.write(&[], Atomicity::DataplaneAtomic, None).await.unwrap_err().to_string();
        assert_eq!(error, "BMv2 simple_switch_grpc can't do that: it has no DATAPLANE_ATOMIC");
    });
}

#[test]
fn the_highest_election_id_writes() {
    check(|switch| async move {
        let first = switch.session().await;
        let names = loaded(&first).await;
        let mut events = first.events();
        let mut options = switch.options();
        options.election_id = 1 << 70;
        let second = Session::connect(options.clone()).await.unwrap();
        second.primary().await.unwrap();
        let backup = Event::Standing(Standing::Backup { primary: Some(1 << 70) });
        assert_eq!(events.next().await, Some(backup));
        let entry = names.entry(&vip(1, 1)).unwrap();
        let error = first.insert([entry.clone()], &names).await.unwrap_err();
        assert!(matches!(error, ClientError::NotPrimary { primary: Some(p), own: 1 } if p == 1 << 70));
        assert!(first.entries("vip4", &names).await.unwrap().is_empty(), "a backup may read");
        second.insert([entry.clone()], &names).await.unwrap().ok().unwrap();
        first.stand((1 << 70) + 1).await.unwrap();
        first.primary().await.unwrap();
        first.write(&[delete(entry)], Atomicity::ContinueOnError, Some(&names)).await.unwrap().ok().unwrap();
        // An id that another one has.
        let error = Session::connect(Session::options(&second).clone()).await.unwrap_err();
        assert!(error.to_string().contains("StreamChannel was refused"), "{error}");
    });
}

#[test]
fn a_switch_that_is_killed_is_found_again() {
    check(|mut switch| async move {
        let session = switch.session().await;
        let names = loaded(&session).await;
        let desired = slots(&names, 1, 5);
        let (mut events, port) = (session.events(), switch.port);
        let killer = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            switch.kill();
        };
        let (written, ()) = tokio::join!(session.insert(desired.clone(), &names), killer);
        let error = written.unwrap_err();
        assert!(matches!(error, ClientError::Lost { .. } | ClientError::Connect { .. }), "{error}");
        assert!(matches!(events.next().await, Some(Event::Standing(Standing::Connecting { .. }))));
        let _switch = Switch::start_at(port);
        session.primary().await.unwrap();
        assert_eq!(loaded(&session).await.schema(), names.schema(), "it comes back empty");
        session.reconcile(&desired, &["ring"], &names).await.unwrap().ok().unwrap();
        assert_eq!(session.entries("ring", &names).await.unwrap().len(), SLOTS as usize);
    });
}

#[test]
fn nobody_there() {
    if skip() {
        return;
    }
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let profile = runtime_client::Profile::named("bmv2").unwrap();
    let mut options = runtime_client::Options::new(&format!("127.0.0.1:{}", lab::free_port()), profile);
    options.connect_within = Duration::from_millis(300);
    let began = Instant::now();
    let error = rt.block_on(Session::connect(options)).unwrap_err().to_string();
    assert!(error.contains("can't reach a P4Runtime server at 127.0.0.1:"), "{error}");
    assert!(error.contains("refused"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}
