//! Everybody speaks TLS, shows a certificate, and operators a token.

use crate::authority::Authority;
use crate::cluster::{Cluster, none_here};
use crate::lab::{Process, Switch, page, story, until};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of whoever speaks to the controller.
struct Who {
    ca: PathBuf,
    identity: Option<(PathBuf, PathBuf)>,
    token: Option<String>,
}

impl Who {
    fn args(&self) -> Vec<String> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut args = vec!["--tls-ca".into(), text(&self.ca)];
        if let Some((certificate, key)) = &self.identity {
            args.extend(["--tls-cert".into(), text(certificate), "--tls-key".into(), text(key)]);
        }
        if let Some(token) = &self.token {
            args.extend(["--token-file".into(), token.clone()]);
        }
        args
    }
}

/// What `ctl` says.
fn ctl(at: &str, who: &[String], args: &[&str]) -> (bool, String) {
    ctl_within("120", at, who, args)
}

/// The same, if it tries again for so many seconds.
fn ctl_within(patience: &str, at: &str, who: &[String], args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
    command.args(["ctl", "--controller", at, "--patience", patience]).args(who).args(args);
    let out = command.output().unwrap();
    let text = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
    (out.status.success(), text)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_speaks_tls_and_shows_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(), Authority::new());
    let (certificate, key) = ours.server(Ipv4Addr::LOCALHOST);
    let token = write(folder.path(), "token", "0123456789abcdef0123456789abcdef\n");
    let wrong = write(folder.path(), "wrong", "fedcba9876543210fedcba9876543210\n");
    let registry = folder.path().join("r.redb");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let args =
        ["controller", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--registry", &text(&registry)]
            .map(str::to_owned);
    let tls =
        ["--tls-cert", &text(&certificate), "--tls-key", &text(&key), "--tls-client-ca", &text(&ours.file())]
            .map(str::to_owned);
    let all: Vec<String> =
        args.into_iter().chain(tls).chain(["--token-file".into(), token.clone()]).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut controller = Process::start(folder.path(), "controller", &all, &[]);
    let line = controller.said("ready: ").await;
    let at = line.split("gRPC on ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();

    let who = |ca: &Authority, identity: Option<&Authority>, token: Option<&str>| {
        Who { ca: ca.file(), identity: identity.map(Authority::client), token: token.map(str::to_owned) }
            .args()
    };
    let operator = who(&ours, Some(&ours), Some(&token));
    for args in [
        &["pool", "create", "web", "--liveness", "tcp"][..],
        &["backend", "register", "web", "a", "127.0.0.1", "--port", "1"],
    ] {
        let (done, text) = ctl(at, &operator, args);
        assert!(done, "{text}");
    }
    let anybody = who(&ours, Some(&ours), None);
    assert!(ctl(at, &anybody, &["pool", "list"]).0, "who has a certificate may read");
    let change = ["pool", "create", "other"];
    for (who, parts) in [
        (anybody.clone(), &["error: UNAUTHENTICATED", "--token-file"][..]),
        (who(&ours, Some(&ours), Some(&wrong)), &["error: UNAUTHENTICATED"]),
        (who(&other, Some(&ours), Some(&token)), &["error: UNAVAILABLE", "invalid peer certificate"]),
        (who(&ours, None, Some(&token)), &["error: UNAVAILABLE", "--tls-cert FILE"]),
        (who(&ours, Some(&other), Some(&token)), &["error: UNAVAILABLE"]),
        (Vec::new(), &["error: UNAVAILABLE", "--tls-ca FILE"]),
    ] {
        let (done, text) = ctl_within("1", at, &who, &change);
        assert!(!done, "{who:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{who:?}: no {part:?} in: {text}");
        }
    }
    assert!(!ctl(at, &anybody, &["pool", "list"]).1.contains("other"), "nothing changed");

    // Who looks after backends, and nodes.
    let start = |name: &str, args: &[&str], who: &[String]| {
        let who: Vec<&str> = who.iter().map(String::as_str).collect();
        Process::start(folder.path(), name, &[args, &["--controller", at], &who].concat(), &[])
    };
    let checkers = ["c1", "c2"].map(|id| start(id, &["checker", "--id", id], &anybody));
    until("two checkers agree", async || {
        let (_, text) = ctl(at, &anybody, &["pool", "show", "web"]);
        if text.contains("unhealthy") || text.contains("dead") { Ok(()) } else { Err(text) }
    })
    .await;
    // Nobody serves P4Runtime there: what it hears of the controller does not depend on that.
    let node = ["agent", "--node", "n", "--http", "127.0.0.1:0", "--p4runtime", "127.0.0.1:1"];
    let mut agent = start("agent", &node, &anybody);
    let http = agent.said("agent: ").await.rsplit_once("http://").unwrap().1.to_owned();
    until("the node is told", async || match page(&http, "/metrics").1 {
        text if text.contains("guideway_agent_controller_connected 1") => Ok(()),
        text => Err(text),
    })
    .await;
    drop((checkers, agent));
    for (name, who, part) in [
        ("stranger", who(&other, Some(&ours), None), "invalid peer certificate"),
        ("nobody", who(&ours, None, None), "127.0.0.1"),
        ("plain", Vec::new(), "127.0.0.1"),
    ] {
        let checker = start(name, &["checker", "--id", name], &who);
        checker.error(part).await;
        let agent = start(&format!("{name}-agent"), &node, &who);
        agent.error(part).await;
        assert!(!checker.errors().contains("to probe"), "{name}: {}", checker.errors());
    }
    let (_, status) = ctl(at, &anybody, &["status", "--json"]);
    for name in ["stranger", "nobody", "plain"] {
        assert!(!status.contains(name), "{status}");
    }
}

/// The controller reaches its registry, and the agent its data plane, by TLS; whoever trusts another authority reaches neither.
#[test]
fn etcd_and_p4runtime_are_reached_by_tls() {
    if none_here() {
        return;
    }
    story("etcd_and_p4runtime_are_reached_by_tls", async |lab| {
        let (ours, other) = (Authority::new(), Authority::new());
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (certificate, key) = ours.client();
        let shows = |to: &str, ca: &Authority| -> Vec<String> {
            let files = [("ca", ca.file()), ("cert", certificate.clone()), ("key", key.clone())];
            files.into_iter().flat_map(|(what, file)| [format!("--{to}-{what}"), text(file)]).collect()
        };
        let cluster = Cluster::with_tls(1, &ours).await;
        let registry = format!("etcd://{}/tls", cluster.addresses().join(","));
        let to_etcd = shows("etcd", &ours);
        let to_etcd: Vec<&str> = to_etcd.iter().map(String::as_str).collect();
        let controller = lab.controller("controller", &registry, &to_etcd).await;
        let controllers: [&str; 1] = [&controller.grpc];
        let pool = "pools:\n  web:\n    liveness: {url: tcp}\n    vips: [\"198.18.128.1:80/tcp\"]\n";
        let made = lab.ctl(&controllers, &["apply", &lab.write("web.yaml", pool), "--patience", "120"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

        let (certificate, key) = ours.server(Ipv4Addr::LOCALHOST);
        let files = [text(certificate), text(key), text(ours.file())];
        let serve = ["--tls-cert", &files[0], "--tls-key", &files[1], "--tls-client-ca", &files[2]];
        let switch = Switch::start_with(&lab, "native", &serve);
        let to_plane = shows("p4runtime-tls", &ours);
        let to_plane: Vec<&str> = to_plane.iter().map(String::as_str).collect();
        let agent = lab.agent(&switch, &controllers, &to_plane, &[]).await;
        until("the data plane is written", async || match page(&agent.http, "/metrics").1 {
            text if text.contains("guideway_agent_synced 1") && !text.contains("updates_total 0\n") => Ok(()),
            text => Err(text),
        })
        .await;

        let stranger = |name: &str, args: &[&str], who: Vec<String>| {
            let who: Vec<&str> = who.iter().map(String::as_str).collect();
            Process::start(lab.path(), name, &[args, &who].concat(), &[])
        };
        let any = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let args = [&["controller", "--registry", &registry][..], &any].concat();
        stranger("no-etcd", &args, shows("etcd", &other)).error("invalid peer certificate").await;
        let at = switch.address();
        let args = ["agent", "--node", "n", "--http", "127.0.0.1:0", "--controller", controllers[0]];
        let args = [&args[..], &["--p4runtime", &at]].concat();
        let agent = stranger("no-plane", &args, shows("p4runtime-tls", &other));
        agent.error("invalid peer certificate").await;
    });
}
