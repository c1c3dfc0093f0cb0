//! Either side is killed, or asked to end, in the middle of a bulk write, while packets go through the program.

use crate::lab::{BpfFs, Running, in_network, ready, sh, veth, xdp_on};
use crate::{ENTRIES, SMALL};
use p4runtime_proto::p4::v1::{FieldMatch, TableEntry, field_match};
use runtime_client::{
    Atomicity, ClientError, Event, Key, Names, Options, Profile, Session, Standing, delete, insert,
};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_stream::StreamExt as _;

/// Free in a network namespace of the test's own.
const ADDRESS: &str = "127.0.0.1:9559";
const SERVED: [&str; 2] = ["--p4runtime", ADDRESS];
const TABLES: [&str; 4] = ["vip4", "backend", "pool", "ring"];
/// VIPs that the bulk write adds; the table has room for 512.
const MORE: u16 = 400;

/// Packets of the one VIP, all the time.
struct Traffic {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Traffic {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/switch/traffic.py");
        let mut command = Command::new("python3");
        let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");
        Self { child, out }
    }

    /// Packets that were sent, and that came back on their way to the backend.
    fn stop(mut self) -> (u64, u64) {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        assert!(self.child.wait().unwrap().success(), "{text}");
        let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    }
}

async fn session(election_id: u128) -> Session {
    let mut options = Options::new(ADDRESS, Profile::named("guideway").unwrap());
    (options.election_id, options.patience) = (election_id, Duration::from_secs(60));
    options.longest_pause = Duration::from_millis(200);
    // What is killed has written a part.
    options.profile.batch_updates = 37;
    let session = Session::connect(options).await.unwrap();
    session.primary().await.unwrap();
    session
}

async fn held(session: &Session, names: &Names) -> BTreeMap<Key, TableEntry> {
    let mut all = BTreeMap::new();
    for table in TABLES {
        for mut entry in session.entries(table, names).await.unwrap() {
            entry.counter_data = None;
            all.insert(Key::of(&entry), entry);
        }
    }
    all
}

/// Other VIPs: as the one that is there, at other ports.
fn more(base: &BTreeMap<Key, TableEntry>, names: &Names) -> Vec<TableEntry> {
    let vip = names.table("vip4").unwrap();
    let port = vip.field_named("dst_port").unwrap().id;
    let one = base.values().find(|e| e.table_id == vip.id).unwrap();
    let with = |number: u16| {
        let mut entry = one.clone();
        let value = p4runtime_proto::schema::encode(number.into());
        let exact = field_match::FieldMatchType::Exact(field_match::Exact { value });
        entry.r#match.retain(|m| m.field_id != port);
        entry.r#match.push(FieldMatch { field_id: port, field_match_type: Some(exact) });
        entry
    };
    (1000..1000 + MORE).map(with).collect()
}

/// Writes and removes all these, again and again, until the connection breaks.
async fn write_on(session: &Session, more: &[TableEntry]) -> ClientError {
    let all: Vec<_> = more.iter().cloned().map(insert).chain(more.iter().cloned().map(delete)).collect();
    loop {
        if let Err(error) = session.write(&all, Atomicity::ContinueOnError, None).await {
            return error;
        }
    }
}

/// Everything that is wanted, and nothing else, after it was put right.
async fn put_right(session: &Session, names: &Names, wanted: &BTreeMap<Key, TableEntry>) {
    let desired: Vec<_> = wanted.values().cloned().collect();
    session.reconcile(&desired, &TABLES, names).await.unwrap().ok().unwrap();
    let now = held(session, names).await;
    assert_eq!(now.len(), wanted.len());
    assert!(now == *wanted);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Every packet was counted by its VIP, and went on to its backend.
fn check_nothing_lost(traffic: Traffic, switch: &mut Running) {
    let (sent, back) = traffic.stop();
    let status = switch.status();
    assert_eq!(back, sent, "came back: {status}");
    let vips = status["tables"]["vip4"].as_array().unwrap().clone();
    let counted: u64 = vips.iter().map(|v| v["packets"].as_u64().unwrap()).sum();
    assert_eq!(counted, sent, "counted");
    // How many depends on how fast the rest was.
    assert!(sent > 50, "{sent}");
}

fn rounds() -> u64 {
    std::env::var("GUIDEWAY_KILLS").map_or(2, |n| n.parse().unwrap())
}

#[test]
fn a_killed_server_is_put_right_while_packets_go_on() {
    if !ready("a_killed_server_is_put_right_while_packets_go_on") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &SERVED, ENTRIES);
        switch.line("p4runtime");
        switch.line("ready");
        let (rt, traffic) = (runtime(), Traffic::start());
        let (session, names, wanted, others) = rt.block_on(async {
            let session = session(1).await;
            let names = session.names().await.unwrap();
            let base = held(&session, &names).await;
            let others = more(&base, &names);
            let added = others.iter().map(|e| (Key::of(e), e.clone()));
            let wanted: BTreeMap<_, _> = base.into_iter().chain(added).collect();
            assert_eq!(wanted.len(), 3 + 257 + usize::from(MORE));
            (session, names, wanted, others)
        });
        for round in 0..rounds() {
            let (writer, list) = (session.clone(), others.clone());
            let writing = rt.spawn(async move { write_on(&writer, &list).await });
            std::thread::sleep(Duration::from_millis(100 + 37 * (round % 8)));
            switch.kill();
            let program = xdp_on("a0");
            assert!(program.is_some());
            let error = rt.block_on(writing).unwrap();
            assert!(matches!(error, ClientError::Lost { .. }), "{error}");
            switch = Running::start(&fs, SMALL, &SERVED, "");
            switch.line("p4runtime");
            switch.line("ready");
            assert_ne!(xdp_on("a0"), program);
            rt.block_on(put_right(&session, &names, &wanted));
        }
        check_nothing_lost(traffic, &mut switch);
        switch.give("");
        switch.error("not reloaded: what was there before stays");
        assert!(rt.block_on(held(&session, &names)) == wanted);
        assert_eq!(switch.end(), Some(0));
    });
}

const WRITER: &str = "GUIDEWAY_TEST_WRITER";

/// The client that the next test kills, in a process of its own.
#[test]
#[ignore = "a part of the next one"]
fn writer() {
    let Ok(id) = std::env::var(WRITER) else { return };
    runtime().block_on(async {
        let session = session(id.parse().unwrap()).await;
        let names = session.names().await.unwrap();
        let others = more(&held(&session, &names).await, &names);
        write_on(&session, &others).await
    });
}

#[test]
fn a_killed_client_is_followed_by_another_while_packets_go_on() {
    if !ready("a_killed_client_is_followed_by_another_while_packets_go_on") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &SERVED, ENTRIES);
        switch.line("p4runtime");
        switch.line("ready");
        let (rt, traffic) = (runtime(), Traffic::start());
        let wanted = rt.block_on(async {
            let reader = session(1).await;
            let names = reader.names().await.unwrap();
            let base = held(&reader, &names).await;
            let half = more(&base, &names).into_iter().step_by(2);
            base.into_iter().chain(half.map(|e| (Key::of(&e), e))).collect::<BTreeMap<_, _>>()
        });
        for round in 0..u128::from(rounds()) {
            let test = std::env::current_exe().unwrap();
            let mut command = Command::new(test);
            command.args(["--exact", "robust::writer", "--ignored"]).stdout(Stdio::null());
            command.env(WRITER, (10 + 2 * round).to_string());
            let mut writer = command.spawn().unwrap();
            rt.block_on(async {
                // It has begun once there is something in the table.
                let mut options = Options::new(ADDRESS, Profile::named("guideway").unwrap());
                options.profile.arbitration = false;
                let reader = Session::connect(options).await.unwrap();
                let names = reader.names().await.unwrap();
                let (start, before) = (Instant::now(), reader.entries("vip4", &names).await.unwrap().len());
                while reader.entries("vip4", &names).await.unwrap().len() == before {
                    assert!(start.elapsed() < Duration::from_secs(120), "the writer does not write");
                }
            });
            writer.kill().unwrap();
            writer.wait().unwrap();
            rt.block_on(async {
                let next = session(11 + 2 * round).await;
                let names = next.names().await.unwrap();
                put_right(&next, &names, &wanted).await;
            });
        }
        check_nothing_lost(traffic, &mut switch);
        assert_eq!(switch.end(), Some(0));
    });
}

#[test]
fn the_end_is_told_to_streams_and_answers_what_has_begun() {
    if !ready("the_end_is_told_to_streams_and_answers_what_has_begun") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &SERVED, ENTRIES);
        switch.line("p4runtime");
        switch.line("ready");
        let rt = runtime();
        let (writing, mut backups) = rt.block_on(async {
            let (first, mut backups) = (session(9).await, Vec::new());
            for id in 1..5 {
                let mut options = Options::new(ADDRESS, Profile::named("guideway").unwrap());
                options.election_id = id;
                let session = Session::connect(options).await.unwrap();
                backups.push((session.events(), session));
            }
            let names = first.names().await.unwrap();
            let others = more(&held(&first, &names).await, &names);
            (tokio::spawn(async move { write_on(&first, &others).await }), backups)
        });
        std::thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        switch.ask_to_end();
        assert_eq!(switch.wait(), Some(0));
        assert!(asked.elapsed() < Duration::from_secs(60), "{:?}", asked.elapsed());
        assert_eq!(xdp_on("a0"), None);
        rt.block_on(async {
            let error = writing.await.unwrap();
            // Lost on the way, or begun when nobody listened any more.
            assert!(matches!(error, ClientError::Lost { .. } | ClientError::Connect { .. }), "{error}");
            for (events, _) in &mut backups {
                let reason = loop {
                    match events.next().await.unwrap() {
                        Event::Standing(Standing::Connecting { reason, .. }) => break reason,
                        Event::Standing(Standing::Backup { .. }) => {}
                        other => panic!("{other:?}"),
                    }
                };
                assert_eq!(reason, "the switch ends");
            }
        });
    });
}
