//! A checker with controllers that come, go, and ask for this and that; with real backends on the loopback.
#![allow(clippy::unwrap_used, missing_docs)]

mod fake;

use control_checker::board::Board;
use control_checker::probe::{Means, tls};
use control_checker::{Checker, Dial, Options, Stopped};
use control_core::health::{Health as Aggregate, Liveness, Settings, Verdict};
use control_proto::v1::{Health, Probe, ProbeTarget, ProbeTargets, TcpProbe, probe::How};
use fake::{Controller, Heard};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;

fn options(id: &str, controllers: &[SocketAddr]) -> Options {
    let dial: Dial = Arc::new(|address: &str| {
        Endpoint::from_shared(format!("http://{address}")).map_err(|e| e.to_string())
    });
    Options {
        id: id.into(),
        controllers: controllers.iter().map(SocketAddr::to_string).collect(),
        dial,
        token: None,
        means: Means { tls: tls::connector(None).unwrap(), through: Err("not here".into()) },
        room: 256,
    }
}

/// A checker in service, until it is dropped.
struct Running(JoinHandle<Result<(), Stopped>>);

fn start(id: &str, controllers: &[SocketAddr]) -> Running {
    let checker = Checker::new(options(id, controllers));
    Running(tokio::spawn(async move { checker.run().await }))
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A backend whose kernel accepts, and its port.
fn backend() -> (TcpListener, u16) {
    let listener = fake::listen();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port whose kernel refuses, as long as this is kept.
fn refusing() -> (tokio::net::TcpSocket, u16) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

fn target(name: &str, port: u16) -> ProbeTarget {
    let probe = Probe { how: Some(How::Tcp(TcpProbe {})), port: port.into(), ..Probe::default() };
    ProbeTarget {
        pool: "web".into(),
        backend: name.into(),
        address: "127.0.0.1".into(),
        liveness: Some(probe),
        ..ProbeTarget::default()
    }
}

fn targets(targets: &[ProbeTarget]) -> ProbeTargets {
    ProbeTargets { version: 1, targets: targets.to_vec() }
}

fn of<'a>(heard: &'a [Heard], name: &str) -> Vec<&'a Heard> {
    heard.iter().filter(|h| h.report.backend == name).collect()
}

/// Nothing here takes so long, on whatever machine.
const LONG: Duration = Duration::from_secs(120);

/// Waits for so many probes more; how long they took.
async fn probes(board: &Board, more: u64) -> Duration {
    let (begin, first) = (Instant::now(), board.tally().probes);
    while board.tally().probes < first + more {
        assert!(begin.elapsed() < LONG, "{} of {more} probes", board.tally().probes - first);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_one_by_one_and_the_rest_is_renewed() {
    let (_up, port) = backend();
    let (_down, closed) = refusing();
    let controller =
        Controller::start(targets(&[target("up", port), target("down", closed), target("odd", 0)]));
    let _checker = start("c1", &[controller.address]);
    let fails = |heard: &[Heard], n| of(heard, "down").iter().any(|h| h.report.consecutive_failures == n);
    let begin = Instant::now();
    controller.until(LONG, |heard| fails(heard, 3)).await;
    let renewed = |heard: &[Heard]| ["up", "down", "odd"].iter().all(|name| of(heard, name).len() >= 5);
    controller.until(LONG, renewed).await;
    let (heard, took) = (controller.heard(), begin.elapsed());
    for (name, state) in [("up", Health::Healthy), ("down", Health::Unhealthy), ("odd", Health::Unknown)] {
        let all = of(&heard, name);
        assert!(all.iter().all(|h| h.report.state() == state && h.checker == "c1"), "{name}: {all:?}");
        let gap = all.windows(2).map(|w| w[1].at - w[0].at).max().unwrap();
        assert!(gap < Duration::from_secs(15), "{name} expires before it is renewed: {gap:?}");
        assert!(all.windows(2).all(|w| w[0].report.checked_at_ms < w[1].report.checked_at_ms), "{name}");
    }
    let counts: Vec<u32> = of(&heard, "down").iter().map(|h| h.report.consecutive_failures).collect();
    assert_eq!(counts[..3], [1, 2, 3]);
    assert_eq!(of(&heard, "down")[0].report.detail, "connection refused");
    assert_eq!(of(&heard, "odd")[0].report.detail, "0 is no port to probe");
    assert!(of(&heard, "up")[0].report.latency_us > 0);
    // Unchanged ones are few: a probe a second, and a message in three or more.
    let (messages, most) = (of(&heard, "up").len() as u64, 4 + took.as_secs() / 3);
    assert!(messages <= most, "{messages} within {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_where_the_leader_is() {
    let (_up, port) = backend();
    let leader = Controller::start(targets(&[target("a", port)]));
    let other = Controller::with("127.0.0.1:0", targets(&[]), Some(leader.address.to_string()), 0);
    let _checker = start("c1", &[other.address]);
    leader.until(LONG, |heard| !heard.is_empty()).await;
    assert!(other.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_controller_stops_no_probe_and_hears_all_when_it_is_back() {
    let (up, port) = backend();
    let (_other, second) = backend();
    let all = targets(&[target("a", port), target("b", second)]);
    let controller = Controller::start(all.clone());
    let address = controller.address;
    let checker = Checker::new(options("c1", &[address]));
    let board = checker.board();
    let _running = Running(tokio::spawn(async move { checker.run().await }));
    let told = |heard: &[Heard]| !of(heard, "a").is_empty() && !of(heard, "b").is_empty();
    controller.until(LONG, told).await;
    drop(controller);
    drop(up);
    probes(&board, 10).await;
    let controller = Controller::with(&address.to_string(), all, None, 0);
    controller.until(LONG, told).await;
    let heard = controller.heard();
    let (a, b) = (&of(&heard, "a")[0].report, &of(&heard, "b")[0].report);
    // Nobody heard the first three.
    assert!(a.state() == Health::Unhealthy && a.consecutive_failures >= 4, "{a:?}");
    assert!(b.consecutive_passes >= 5, "{b:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_silent_when_asked() {
    let (_up, port) = backend();
    let mut asked = target("a", port);
    asked.liveness.as_mut().unwrap().interval_ms = 100;
    let all: Vec<_> = (0..20).map(|i| ProbeTarget { backend: format!("b{i}"), ..asked.clone() }).collect();
    let controller = Controller::with("127.0.0.1:0", targets(&all), None, 700);
    let _checker = start("c1", &[controller.address]);
    let begin = Instant::now();
    // Nothing is lost: each is told of.
    let each = |heard: &[Heard]| (0..20).all(|i| of(heard, &format!("b{i}")).len() >= 3);
    controller.until(LONG, each).await;
    let (mut times, took): (Vec<Instant>, _) =
        (controller.heard().iter().map(|h| h.at).collect(), begin.elapsed());
    times.dedup_by(|b, a| *b - *a < Duration::from_millis(50));
    let most = 2 + took.as_millis() / 700;
    assert!(times.len() as u128 <= most, "{} messages within {took:?}", times.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn suspects_are_probed_faster_and_keep_their_counts() {
    let (_up, port) = backend();
    let (_gone, closed) = refusing();
    let controller = Controller::start(targets(&[target("a", port), target("x", closed)]));
    let checker = Checker::new(options("c1", &[controller.address]));
    let board = checker.board();
    let _running = Running(tokio::spawn(async move { checker.run().await }));
    controller.until(LONG, |heard| of(heard, "a").len() >= 2).await;
    let slow = probes(&board, 6).await;
    let mut suspect = target("a", port);
    suspect.suspect = true;
    controller.targets.send(targets(&[suspect])).unwrap();
    controller.until(LONG, |_| board.tally().all == 1).await;
    // Two probes a second before, four now; where the machine is late, one of some attempts is not.
    assert!(slow >= Duration::from_secs(2), "{slow:?}");
    let mut fast = slow;
    for _ in 0..30 {
        fast = fast.min(probes(&board, 12).await);
        if fast <= Duration::from_millis(3_600) {
            break;
        }
    }
    let usual = Duration::from_millis(2_400)..=Duration::from_millis(3_600);
    assert!(usual.contains(&fast), "{fast:?}");
    let heard = controller.heard();
    let counts: Vec<u32> = of(&heard, "a").iter().map(|h| h.report.consecutive_passes).collect();
    assert!(counts.is_sorted(), "{counts:?}");
}

/// Three checkers and the aggregator, with a backend whose server dies.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_backend_is_down_and_up_when_it_is_back() {
    let (up, port) = backend();
    let (_other, second) = backend();
    let controller = Controller::start(targets(&[target("a", port), target("b", second)]));
    let _checkers: Vec<Running> =
        ["c1", "c2", "c3"].iter().map(|id| start(id, &[controller.address])).collect();
    let verdict = |heard: &[Heard], name: &str| {
        let mut aggregate = Aggregate::new(Settings::default());
        aggregate.track("web", name, &Verdict::default(), 0);
        let first = heard.first().map(|h| h.at);
        for h in heard {
            let now = first.map_or(0, |first| (h.at - first).as_millis() as u64);
            aggregate.report(&h.checker, vec![h.report.clone()], now).unwrap();
        }
        aggregate.verdict("web", name).unwrap().live
    };
    let both = |heard: &[Heard], a, b| verdict(heard, "a") == a && verdict(heard, "b") == b;
    controller.until(LONG, |heard| both(heard, Liveness::Up, Liveness::Up)).await;
    drop(up);
    controller.until(LONG, |heard| both(heard, Liveness::Down, Liveness::Up)).await;
    let _again = TcpListener::bind(("127.0.0.1", port)).unwrap();
    controller.until(LONG, |heard| both(heard, Liveness::Up, Liveness::Up)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_probes_each_target_once() {
    let (_up, port) = backend();
    let (_gone, closed) = refusing();
    let mut both = target("a", port);
    both.readiness = target("a", closed).liveness;
    let leader = Controller::start(targets(&[both, target("odd", 0)]));
    let other = Controller::with("127.0.0.1:0", targets(&[]), Some(leader.address.to_string()), 0);
    let probed = Checker::new(options("c1", &[other.address])).once().await.unwrap();
    let shown: Vec<String> =
        probed.iter().map(|p| format!("{:?} {:?}", p.live.is_ok(), p.ready.is_some())).collect();
    assert_eq!(shown, ["true true", "false false"]);
    assert!(leader.heard().is_empty());
    let nowhere = SocketAddr::from(([127, 0, 0, 1], closed));
    let Err(Stopped::Refused(why)) = Checker::new(options("c1", &[nowhere])).once().await else { panic!() };
    assert!(why.contains(&closed.to_string()), "{why}");
}
