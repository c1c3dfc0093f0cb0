//! Flow tables as tables that packets fill: read as the specification's §9.1 and §13 say, never written.

use crate::common::entries::{Names, V, delete, insert, modify};
use crate::common::{Client, Lab, Talk, codes, config, entries, errors, id, lab_with, read, write};
use p4runtime_proto::p4::v1::{self, entity::Entity as E};
use p4runtime_server::Options;
use tonic::Code;

/// Nanoseconds of a tick.
const TICK: i64 = 1 << 26;
const VIP: u32 = 0xcb00_710a;

/// `pin` with one service, whose one server has id 7.
async fn serving() -> (Lab, Client, Talk, Names) {
    let lab = lab_with("pin", &Options::default()).await;
    let (mut client, talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let entry = |table: &str, key: &[(&str, V)], action: &str, params: &[(&str, u128)]| v1::TableEntry {
        action: names.does(action, params),
        ..names.key(table, key)
    };
    let mut batch = vec![
        entry("service", &[("dst", V::Is(VIP.into()))], "service", &[("pool", 1)]),
        entry("server", &[("id", V::Is(7))], "to_mac", &[("mac", 2), ("port", 1)]),
        entry("servers_in_use", &[("pool", V::Is(1))], "set_generation", &[("generation", 1)]),
    ];
    for slot in 0..251 {
        let key = [("pool", V::Is(1)), ("generation", V::Is(1)), ("slot", V::Is(slot))];
        batch.push(entry("servers", &key, "set_servers", &[("id", 7)]));
    }
    write(&mut client, batch.into_iter().map(insert).collect()).await.unwrap();
    (lab, client, talk, names)
}

/// A TCP segment to the service.
fn segment(src: u32, port: u16, flags: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14] = 0x45;
    frame[22..24].copy_from_slice(&[64, 6]);
    frame[26..30].copy_from_slice(&src.to_be_bytes());
    frame[30..34].copy_from_slice(&VIP.to_be_bytes());
    frame[34..36].copy_from_slice(&port.to_be_bytes());
    frame[36..38].copy_from_slice(&[0, 80]);
    frame[46..48].copy_from_slice(&[0x50, flags]);
    frame
}

const SYN: u8 = 2;
const ACK: u8 = 16;

/// A flow's entry: one from client `src` and port.
fn flow(names: &Names, src: u32, port: u16, state: u128, seconds: i64) -> v1::TableEntry {
    let key = [("src", V::Is(src.into())), ("dst", V::Is(VIP.into())), ("src_port", V::Is(port.into()))];
    let params = [("id", 7), ("state", state), ("class", 0), ("spill", 0)];
    v1::TableEntry {
        action: names.does("flows.entry", &params),
        idle_timeout_ns: seconds * 1_000_000_000,
        is_const: true,
        ..names.key("flows", &key)
    }
}

#[tokio::test]
async fn s9_1_flows_are_read_with_state_and_age() {
    let (lab, mut client, _talk, names) = serving().await;
    assert_eq!(entries(&mut client, names.key("flows", &[])).await, []);
    lab.process_at(100, &segment(1, 1000, SYN)).await;
    lab.process_at(100, &segment(2, 1000, SYN)).await;
    lab.process_at(110, &segment(2, 1000, ACK)).await;
    let (first, second) = (flow(&names, 1, 1000, 1, 10), flow(&names, 2, 1000, 2, 300));
    let mut found = entries(&mut client, names.key("flows", &[])).await;
    found.sort_by_key(|e| e.idle_timeout_ns);
    assert_eq!(found, [first.clone(), second.clone()]);
    let asked = v1::TableEntry {
        time_since_last_hit: Some(v1::table_entry::IdleTimeout::default()),
        ..names.key("flows", &[])
    };
    let mut ages: Vec<i64> =
        entries(&mut client, asked).await.iter().map(|e| e.time_since_last_hit.unwrap().elapsed_ns).collect();
    ages.sort_unstable();
    assert_eq!(ages, [0, 10 * TICK]);
    // What no packet would find is not there: the first had 10 s, which are 149 ticks and a part.
    lab.process_at(260, &segment(2, 1000, ACK)).await;
    assert_eq!(entries(&mut client, names.key("flows", &[])).await, [second]);
}

#[tokio::test]
async fn s9_1_6_a_flow_by_its_key_and_flows_by_what_they_hold() {
    let (lab, mut client, _talk, names) = serving().await;
    for src in 1..=9 {
        lab.process(&segment(src, 1000, SYN)).await;
    }
    lab.process(&segment(9, 1000, ACK)).await;
    let wanted = flow(&names, 5, 1000, 1, 10);
    let key =
        v1::TableEntry { table_id: wanted.table_id, r#match: wanted.r#match.clone(), ..Default::default() };
    assert_eq!(entries(&mut client, key.clone()).await, [wanted]);
    let mut count = async |action: &str, params: &[(&str, u128)], priority| {
        let action = names.does(action, params);
        entries(&mut client, v1::TableEntry { action, priority, ..names.key("flows", &[]) }).await.len()
    };
    assert_eq!(count("flows.entry", &[], 0).await, 9);
    assert_eq!(count("flows.entry", &[("state", 2)], 0).await, 1);
    assert_eq!(count("flows.entry", &[("id", 7), ("state", 1)], 0).await, 8);
    assert_eq!(count("flows.entry", &[("id", 8)], 0).await, 0);
    assert_eq!(count("flows.none", &[], 0).await, 0);
    assert_eq!(count("flows.entry", &[], 1).await, 0, "no flow has a priority");
    let part = v1::TableEntry { r#match: key.r#match[..1].to_vec(), ..key };
    let (_, error) = read(&mut client, vec![E::TableEntry(part)]).await;
    let error = &errors(&error.unwrap())[0];
    assert!(error.0 == Code::InvalidArgument && error.1.contains("a whole key, or none"), "{error:?}");
    let default = v1::TableEntry { is_default_action: true, ..names.key("flows", &[]) };
    assert_eq!(entries(&mut client, default).await[0].action, names.does("flows.none", &[]));
    let all = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(all.len(), 254 + 9, "all tables");
    assert_eq!(all.iter().filter(|e| e.is_const).count(), 9);
}

/// A read of several megabytes, while packets, writes and other reads go on.
#[tokio::test]
async fn s13_many_flows_come_in_small_messages_and_keep_nobody_waiting() {
    const FLOWS: u32 = 30_000;
    let (lab, mut client, _talk, names) = serving().await;
    for src in 0..FLOWS {
        lab.process(&segment(src, 1000, SYN)).await;
    }
    let stored = entries(&mut client, names.key("flows", &[])).await.len();
    assert!(stored > FLOWS as usize * 95 / 100, "{stored}");
    let request = v1::ReadRequest {
        device_id: 1,
        entities: vec![v1::Entity { entity: Some(E::TableEntry(names.key("flows", &[]))) }],
        ..v1::ReadRequest::default()
    };
    // This client reads one message, and leaves the others where they are.
    let mut waiting = client.clone().read(request).await.unwrap().into_inner();
    let first = waiting.message().await.unwrap().unwrap().entities.len();
    assert!(first < stored / 2, "{first} of {stored} in the first message");
    let more = v1::TableEntry {
        action: names.does("to_mac", &[("mac", 3), ("port", 1)]),
        ..names.key("server", &[("id", V::Is(8))])
    };
    write(&mut client, vec![insert(more)]).await.unwrap();
    lab.process(&segment(1, 1, SYN)).await;
    let mut rest = 0;
    while let Some(message) = waiting.message().await.unwrap() {
        rest += message.entities.len();
    }
    assert!((stored..=stored + 1).contains(&(first + rest)));
}

#[tokio::test]
async fn s9_1_flows_are_not_written() {
    let (lab, mut client, _talk, names) = serving().await;
    lab.process(&segment(1, 1000, SYN)).await;
    let found = entries(&mut client, names.key("flows", &[])).await;
    let plain = v1::TableEntry { idle_timeout_ns: 0, is_const: false, ..found[0].clone() };
    for update in
        [insert(plain.clone()), modify(plain.clone()), delete(plain.clone()), delete(found[0].clone())]
    {
        let error = write(&mut client, vec![update]).await.unwrap_err();
        let (code, text) = &errors(&error)[0];
        assert_eq!(*code, Code::PermissionDenied);
        assert!(text.contains("table `flows`") && text.contains("packets write this table"), "{text}");
    }
    let default = v1::TableEntry {
        is_default_action: true,
        action: names.does("flows.entry", &[("id", 1), ("state", 1), ("class", 0), ("spill", 0)]),
        ..names.key("flows", &[])
    };
    assert_eq!(codes(write(&mut client, vec![modify(default)]).await), [Code::PermissionDenied]);
    assert_eq!(entries(&mut client, names.key("flows", &[])).await, found);
}

#[tokio::test]
async fn s14_a_config_that_keeps_entries_has_nothing_to_do_with_flows() {
    let (lab, mut client, _talk, names) = serving().await;
    lab.process(&segment(1, 1000, SYN)).await;
    let mut before = entries(&mut client, v1::TableEntry::default()).await;
    before.retain(|e| !e.is_const);
    let request = v1::SetForwardingPipelineConfigRequest {
        device_id: 1,
        election_id: Some(id(1)),
        action: v1::set_forwarding_pipeline_config_request::Action::ReconcileAndCommit as i32,
        config: Some(config("pin", None)),
        ..Default::default()
    };
    client.set_forwarding_pipeline_config(request).await.unwrap();
    assert_eq!(
        entries(&mut client, v1::TableEntry::default()).await,
        before,
        "without the flow of the old plane"
    );
    // A P4Info without flow tables, as BMv2's is, has none to read.
    let mut other = config("pin", None);
    let info = other.p4info.as_mut().unwrap();
    let table = names.0.table_named("flows").unwrap().id;
    info.tables.retain(|t| t.preamble.as_ref().unwrap().id != table);
    let request = v1::SetForwardingPipelineConfigRequest {
        device_id: 1,
        election_id: Some(id(1)),
        action: v1::set_forwarding_pipeline_config_request::Action::ReconcileAndCommit as i32,
        config: Some(other),
        ..Default::default()
    };
    client.set_forwarding_pipeline_config(request).await.unwrap();
    lab.process(&segment(1, 1000, SYN)).await;
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, before);
    let (_, error) = read(&mut client, vec![E::TableEntry(names.key("flows", &[]))]).await;
    assert_eq!(errors(&error.unwrap())[0].0, Code::InvalidArgument);
}
