//! Controllers, and members of etcd, that are paused, killed and come back.

use crate::child::{Controller, Model, changes};
use crate::cluster::{Cluster, LEASE, none_here, options};
use crate::conformance::put;
use control_registry::{Etcd, EtcdOptions, Registry, RegistryError, Revision, Term};
use rustix::process::Signal;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Scheduling, on a machine with much to do.
const SLACK: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_leader_is_replaced_and_what_it_writes_when_it_goes_on_is_refused() {
    if none_here() {
        return;
    }
    let cluster = Cluster::of(3).await;
    let location = format!("etcd://{}/p", cluster.addresses().join(","));
    let other = cluster.handle("/p");
    let mut model = Model::default();
    for round in 0..3 {
        let mut controller = Controller::start(&location);
        controller.hear(|controller| controller.kept >= Some(model.at + 3));
        controller.signal(Signal::STOP);
        let paused = Instant::now();
        let term = timeout(LEASE * 2 + SLACK, other.lead("other:1")).await.expect("nobody leads").unwrap();
        let took = paused.elapsed();
        println!("round {round}: another leads {took:?} after the pause");
        assert!(term > controller.term.unwrap() && took > LEASE / 2, "{term:?} after {took:?}");
        assert_eq!(other.leader().await.unwrap().as_deref(), Some("other:1"));
        let found = other.load().await.unwrap();
        assert!(found.revision.0 >= controller.kept.unwrap());
        model.check(&found, "what the paused one left");
        let at = found.revision.0 + 1;
        other.commit(term, found.revision, changes(at)).await.unwrap();
        controller.signal(Signal::CONT);
        controller.hear(|controller| controller.refused.is_some());
        // The answer to what it sent before the pause may have waited for it; then comes the refusal.
        assert!(controller.kept <= Some(found.revision.0), "{:?}", controller.kept);
        let why = controller.refused.clone().unwrap();
        assert!(why.contains("Fenced") || why.contains("lease ended"), "{why}");
        sleep(Duration::from_millis(300)).await;
        let found = other.load().await.unwrap();
        assert_eq!(found.revision.0, at);
        model.check(&found, "after it went on");
        other.resign(term).await;
    }
}

/// The leases of all, taken away.
fn revoke_all(cluster: &Cluster) {
    for lease in cluster.leases() {
        cluster.ctl(&["lease", "revoke", &lease]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_itself_refuses_whoever_lost_the_lease_and_does_not_know() {
    if none_here() {
        return;
    }
    let cluster = Cluster::of(1).await;
    // It asks after its lease every four seconds only.
    let slow = EtcdOptions { lease: Duration::from_secs(20), ..options() };
    for (name, change) in [("one", vec![put("x", "late")]), ("journal", changes(2))] {
        let prefix = cluster.fresh();
        let a = Etcd::new(&cluster.addresses(), &prefix, &slow).unwrap();
        let b = cluster.handle(&prefix);
        let first = a.lead("a:1").await.unwrap();
        let at = a.commit(first, Revision(0), vec![put("x", "a")]).await.unwrap();
        revoke_all(&cluster);
        let second = timeout(SLACK, b.lead("b:1")).await.expect("it is free").unwrap();
        for after in [at, Revision(0), Revision(9)] {
            let refused = a.commit(first, after, change.clone()).await;
            assert!(
                matches!(refused, Err(RegistryError::Fenced(term)) if term == first),
                "{name}: {refused:?}"
            );
        }
        // Having heard so it knows.
        timeout(SLACK, a.ended(first)).await.expect("it has ended");
        let records = b.load().await.unwrap();
        assert_eq!((records.revision, records.records.len()), (at, 1), "{name}");
        assert_eq!(b.commit(second, at, vec![put("x", "b")]).await.unwrap(), Revision(2));
        b.resign(second).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_ends_when_its_lease_is_gone_or_can_not_be_renewed() {
    if none_here() {
        return;
    }
    let mut cluster = Cluster::of(1).await;
    let a = cluster.handle("/e");
    let term = a.lead("a:1").await.unwrap();
    revoke_all(&cluster);
    timeout(SLACK, a.ended(term)).await.expect("its lease is gone");
    let term = a.lead("a:1").await.unwrap();
    // Somebody deletes the key, the lease goes on.
    cluster.ctl(&["del", "/e/leader"]);
    timeout(SLACK, a.ended(term)).await.expect("its key is gone");
    let term = a.lead("a:1").await.unwrap();
    sleep(LEASE * 2).await;
    assert!(timeout(Duration::ZERO, a.ended(term)).await.is_err(), "it is renewed");
    let gone = Instant::now();
    cluster.kill(0);
    timeout(LEASE, a.ended(term)).await.expect("before the lease ends");
    println!("the term ended {:?} after etcd was killed; the lease is {LEASE:?}", gone.elapsed());
}

/// Commits for a while; the longest that one took. Those that get no answer are made again, as a controller does.
async fn commits(leader: &Etcd, term: Term, model: &mut Model, during: Duration) -> Duration {
    let (begin, mut longest) = (Instant::now(), Duration::ZERO);
    let mut at = Revision(model.at);
    while begin.elapsed() < during {
        let asked = Instant::now();
        at = leader.commit(term, at, changes(at.0 + 1)).await.unwrap();
        longest = longest.max(asked.elapsed());
        sleep(Duration::from_millis(10)).await;
    }
    model.check(&leader.load().await.unwrap(), "while members come and go");
    assert_eq!(model.at, at.0);
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_etcd_are_killed_and_paused_and_commits_go_on() {
    if none_here() {
        return;
    }
    let mut cluster = Cluster::of(3).await;
    let patient =
        EtcdOptions { lease: Duration::from_secs(30), patience: Duration::from_secs(25), ..options() };
    let leader = Etcd::new(&cluster.addresses(), "/m", &patient).unwrap();
    let term = leader.lead("a:1").await.unwrap();
    let mut model = Model::default();
    let quiet = commits(&leader, term, &mut model, Duration::from_secs(1)).await;
    println!("longest commit: {quiet:?}");
    for round in 0..2 {
        let killed = cluster.leading();
        cluster.kill(killed);
        let longest = commits(&leader, term, &mut model, Duration::from_secs(4)).await;
        println!("round {round}: etcd's leader, member {killed}, killed: longest commit {longest:?}");
        cluster.start(killed);
        commits(&leader, term, &mut model, Duration::from_secs(2)).await;
    }
    for paused in 0..cluster.len() {
        cluster.signal(paused, Signal::STOP);
        let longest = commits(&leader, term, &mut model, Duration::from_secs(4)).await;
        println!("member {paused} paused: longest commit {longest:?}");
        cluster.signal(paused, Signal::CONT);
        commits(&leader, term, &mut model, Duration::from_secs(1)).await;
    }
    assert!(timeout(Duration::ZERO, leader.ended(term)).await.is_err(), "the term goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_of_etcd_is_gone_every_call_says_so_in_time_and_goes_on_when_it_is_back() {
    if none_here() {
        return;
    }
    let mut cluster = Cluster::of(3).await;
    let (a, b) = (Arc::new(cluster.handle("/g")), Arc::new(cluster.handle("/g")));
    let first = a.lead("a:1").await.unwrap();
    let at = a.commit(first, Revision(0), changes(2)).await.unwrap();
    let before = b.load().await.unwrap();
    (0..3).for_each(|member| cluster.kill(member));
    let patience = options().patience;
    let call = |name: &'static str, call: tokio::task::JoinHandle<Option<RegistryError>>| async move {
        let error = timeout(patience + SLACK, call).await.unwrap_or_else(|_| panic!("{name} has no end"));
        assert!(matches!(error, Ok(Some(RegistryError::Unavailable(_)))), "{name}: {error:?}");
    };
    let (c, d, e, f, g) = (b.clone(), b.clone(), b.clone(), b.clone(), a.clone());
    let calls = [
        ("load", tokio::spawn(async move { c.load().await.err() })),
        ("leader", tokio::spawn(async move { d.leader().await.err() })),
        ("changed", tokio::spawn(async move { e.changed(at).await.err() })),
        ("lead", tokio::spawn(async move { f.lead("b:1").await.err() })),
        ("commit", tokio::spawn(async move { g.commit(first, at, vec![]).await.err() })),
    ];
    for (name, handle) in calls {
        call(name, handle).await;
    }
    timeout(SLACK, a.ended(first)).await.expect("it could not be renewed");
    let follower = tokio::spawn(async move {
        loop {
            match b.changed(at).await {
                Ok(revision) => return revision,
                Err(RegistryError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    (0..3).for_each(|member| cluster.start(member));
    cluster.wait().await;
    let second = timeout(LEASE * 3 + SLACK, a.lead("a:1")).await.expect("nobody leads").unwrap();
    assert!(second > first);
    let found = a.load().await.unwrap();
    // The commit that had no answer was empty: whether it took effect is open.
    assert!(found.revision == at || found.revision == Revision(at.0 + 1), "{:?}", found.revision);
    assert!(found.records == before.records);
    let next = a.commit(second, found.revision, vec![put("y", "2")]).await.unwrap();
    let told = timeout(options().patience * 3 + SLACK, follower).await.expect("the watch goes on").unwrap();
    assert!(told > at && told <= next, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_disturbs_neither_reading_nor_watching() {
    if none_here() {
        return;
    }
    let cluster = Cluster::of(1).await;
    let (a, b) = (Arc::new(cluster.handle("/c")), cluster.handle("/c"));
    let term = a.lead("a:1").await.unwrap();
    let last = Revision(150);
    let writer = tokio::spawn({
        let a = Arc::clone(&a);
        async move {
            for revision in 0..last.0 {
                a.commit(term, Revision(revision), changes(revision + 1)).await.unwrap();
            }
        }
    });
    let (mut model, mut at, mut compacted, mut steps) = (Model::default(), Revision(0), 0_u64, 0);
    while at < last {
        let now = timeout(SLACK, b.changed(at)).await.expect("it changes").unwrap();
        assert!(now > at);
        let found = b.load().await.unwrap();
        assert!(found.revision >= now);
        model.check(&found, "while etcd is compacted");
        at = found.revision;
        // Everything but the newest revision, which is in the answer to any read.
        let answer = cluster.ctl(&["get", "/c/head", "--write-out", "fields"]);
        let revision = answer.lines().find_map(|line| line.strip_prefix("\"Revision\" : ")).unwrap();
        // A commit can have come between the load and the last compaction: then there is nothing new to compact.
        let newest = revision.parse().unwrap();
        if newest > compacted {
            cluster.ctl(&["compaction", revision]);
            (compacted, steps) = (newest, steps + 1);
        }
    }
    writer.await.unwrap();
    println!("{steps} compactions during {} commits", last.0);
    assert!(steps > 5, "{steps}");
}
