//! One client for every kind of server: our own with the refusals and the oblivion of each of `client-lab`'s fakes, by the
//! profile of the same name.
#![allow(clippy::unwrap_used, missing_docs)]

use client_lab::count::host::{Action, Entry, Key};
use client_lab::{FAKES, Fake, Switch};
use p4runtime_proto::p4::v1::{TableEntry, entity::Entity};
use runtime_client::{
    Atomicity, ClientError, Names, Options, Profile, Push, Pushed, Session, insert, modify,
};
use tonic::Code;

async fn session(fake: &Fake, profile: &str) -> Result<Session, ClientError> {
    Session::connect(Options::new(&fake.address, Profile::named(profile)?)).await
}

fn entry(names: &Names, src: u32, port: u32) -> TableEntry {
    names.message(Entry { key: Key { src }, action: Action::Out { port } }).unwrap()
}

/// All that users do, by the server's own profile.
async fn check(name: &str) {
    let switch = Switch::start().await.unwrap();
    let fake = Fake::before(&switch.address, name, false).await.unwrap();
    let it = session(&fake, name).await.unwrap();
    let profile = it.options().profile.clone();
    let (info, config) = (&switch.info, &switch.config);

    assert_eq!(it.running().await.unwrap(), None, "{name}");
    let nothing = it.names().await.map(drop).unwrap_err().to_string();
    assert!(nothing.contains("it runs none yet"), "{name}: {nothing}");
    assert_eq!(it.push(info, config.clone().into(), Push::IfOther).await.unwrap(), Pushed::Loaded);
    assert_eq!(it.push(info, config.clone().into(), Push::IfOther).await.unwrap(), Pushed::Kept);
    let again = it.push(info, config.clone().into(), Push::Reconcile).await;
    assert_eq!(
        matches!(again, Err(ClientError::Unsupported { .. })),
        !profile.reconcile,
        "{name}: {again:?}"
    );

    // What is wanted is there after one call, and the next one writes nothing.
    let names = it.names().await.unwrap();
    let noted = |src, port| TableEntry { metadata: "whose".into(), ..entry(&names, src, port) };
    let mut desired = vec![noted(1, 3), noted(2, 3), noted(3, 3)];
    assert_eq!(it.reconcile(&desired, &["host"], &names).await.unwrap().applied, 3, "{name}");
    assert_eq!(it.reconcile(&desired, &["host"], &names).await.unwrap().applied, 0, "{name}");
    desired[0] = noted(1, 4);
    desired.remove(2);
    let written = it.reconcile(&desired, &["host"], &names).await.unwrap();
    assert_eq!(written.applied, if profile.modify { 2 } else { 3 }, "{name}");
    assert_eq!(it.reconcile(&desired, &["host"], &names).await.unwrap().applied, 0, "{name}");

    // Counters, many entries, errors one by one.
    switch.receives([0, 0, 0, 1]).await;
    let held = it.entries("host", &names).await.unwrap();
    let first = held.iter().find(|e| names.show(e).contains("0.0.0.1")).unwrap();
    assert_eq!(first.counter_data.as_ref().unwrap().packet_count, 1, "{name}");
    let many: Vec<_> = (10..810).map(|src| entry(&names, src, 3)).collect();
    assert_eq!(it.insert(many, &names).await.unwrap().applied, 800, "{name}");
    let updates = [insert(entry(&names, 1, 9)), insert(entry(&names, 900, 9)), modify(entry(&names, 2, 9))];
    let mixed = it.write(&updates, Atomicity::ContinueOnError, Some(&names)).await.unwrap();
    let failed: Vec<_> = mixed.failed.iter().map(|f| (f.index, f.code)).collect();
    let mut expected = vec![(0, Code::AlreadyExists)];
    expected.extend((!profile.modify).then_some((2, Code::Unimplemented)));
    assert_eq!(failed, expected, "{name}");

    // Refused here, before anything is sent.
    for atomicity in [Atomicity::RollbackOnError, Atomicity::DataplaneAtomic] {
        let refused = it.write(&updates[..1], atomicity, None).await;
        assert!(matches!(refused, Err(ClientError::Unsupported { .. })), "{name}: {refused:?}");
    }
    let timed = insert(TableEntry { idle_timeout_ns: 1_000_000_000, ..entry(&names, 901, 1) });
    let timed = it.write(&[timed], Atomicity::ContinueOnError, None).await;
    assert_eq!(matches!(timed, Err(ClientError::Unsupported { .. })), !profile.notes, "{name}: {timed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_is_programmed_by_its_profile() {
    for (name, _) in FAKES {
        check(name).await;
    }
}

/// What a client meets who takes such a server for one that has all.
async fn taken_for_ours(name: &str) -> Vec<String> {
    let switch = Switch::start().await.unwrap();
    let fake = Fake::before(&switch.address, name, true).await.unwrap();
    let mut met = Vec::new();
    let it = match session(&fake, "guideway").await {
        Ok(it) => it,
        Err(error) => return vec![format!("connect: {error}")],
    };
    let names = Names::new(&switch.info).unwrap();
    let mut note = |what: &str, error: Option<String>| {
        met.extend(error.map(|error| format!("{what}: {error}")));
    };
    let text = |error: ClientError| error.to_string();
    let updates = [insert(entry(&names, 1, 1))];
    note("rollback", it.write(&updates, Atomicity::RollbackOnError, None).await.err().map(text));
    let config = switch.config.clone().into();
    note("reconcile", it.push(&switch.info, config, Push::Reconcile).await.err().map(text));
    let noted = [TableEntry { metadata: "whose".into(), ..entry(&names, 1, 1) }];
    note("entry", it.reconcile(&noted, &["host"], &names).await.err().map(text));
    let again = it.reconcile(&noted, &["host"], &names).await.unwrap().applied;
    note("written again and again", (again > 0).then(|| again.to_string()));
    let defaults = TableEntry { is_default_action: true, ..TableEntry::default() };
    let all = it.read(vec![Entity::TableEntry(defaults)]).await;
    let all = match all {
        Ok(reader) => reader.all().await.map(drop),
        Err(error) => Err(error),
    };
    note("defaults", all.err().map(text));
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_makes_the_difference() {
    let of_stratum = [
        ("rollback", "Request atomicity ROLLBACK_ON_ERROR is not supported."),
        ("reconcile", "RECONCILE_AND_COMMIT action not supported yet"),
        ("written again and again", ""),
        ("defaults", "filters on wildcard reads are not supported"),
    ];
    let expected: [(&str, &[(&str, &str)]); 4] = [
        ("bmv2", &[("rollback", "is not supported")]),
        ("stratum", &of_stratum),
        ("infrap4d", &of_stratum),
        ("dpl", &[("connect", "there is no StreamChannel")]),
    ];
    for (name, parts) in expected {
        let met = taken_for_ours(name).await;
        assert_eq!(met.len(), parts.len(), "{name}: {met:#?}");
        for (met, (what, why)) in met.iter().zip(parts) {
            assert!(met.starts_with(what) && met.contains(why), "{name}: {met}");
        }
    }
}
