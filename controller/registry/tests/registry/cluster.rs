//! Clusters of etcd on loopback, each in a folder of its own.

use crate::authority::{Authority, showing};
use control_registry::{Etcd, EtcdOptions};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonic::transport::ClientTlsConfig;

const PACKAGES: &str = "packages etcd-server and etcd-client";
/// First ports of members: for clients, for each other.
const CLIENT: u16 = 20_000;
const PEER: u16 = 20_100;
/// How long a cluster may take to have a leader.
const UP: Duration = Duration::from_secs(120);

/// Members, some of them running.
pub(crate) struct Cluster {
    host: Ipv4Addr,
    members: Vec<Member>,
    prefixes: AtomicU32,
    folder: TempDir,
    /// Options of its members and of `etcdctl`, and what a handle uses.
    tls: Option<(Vec<OsString>, Vec<OsString>, ClientTlsConfig)>,
}

struct Member {
    name: String,
    client: u16,
    peer: u16,
    process: Option<Child>,
}

/// True when there is no etcd; fails instead where it is required.
pub(crate) fn none_here() -> bool {
    let why = needed::missing(&["etcd", "etcdctl"]).map(|why| format!("{why} ({PACKAGES})"));
    needed::skip("etcd", "etcd", why)
}

impl Cluster {
    /// Starts it, and waits until it answers.
    pub(crate) async fn of(count: u16) -> Self {
        Self::at(loopback::address(), count, None).await
    }

    /// Clients speak TLS, and show certificates of `authority`.
    pub(crate) async fn with_tls(count: u16, authority: &Authority) -> Self {
        let option = |name: &str, path: &Path| [OsString::from(name), path.into()];
        let host = loopback::address();
        let (ca, server, client) = (authority.file(), authority.server(host), authority.client());
        let mut member = vec!["--client-cert-auth".into()];
        member.extend(option("--trusted-ca-file", &ca));
        member.extend(option("--cert-file", &server.0));
        member.extend(option("--key-file", &server.1));
        let mut ctl = option("--cacert", &ca).to_vec();
        ctl.extend(option("--cert", &client.0));
        ctl.extend(option("--key", &client.1));
        Self::at(host, count, Some((member, ctl, showing(authority.trusted(), &client)))).await
    }

    async fn at(
        host: Ipv4Addr,
        count: u16,
        tls: Option<(Vec<OsString>, Vec<OsString>, ClientTlsConfig)>,
    ) -> Self {
        let member = |i| Member { name: format!("m{i}"), client: CLIENT + i, peer: PEER + i, process: None };
        let mut cluster = Self {
            host,
            members: (0..count).map(member).collect(),
            prefixes: AtomicU32::new(0),
            folder: TempDir::new().unwrap(),
            tls,
        };
        for member in 0..cluster.len() {
            cluster.start(member);
        }
        cluster.wait().await;
        cluster
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn start(&mut self, member: usize) {
        let host = self.host;
        let peers = self.members.iter().map(|m| format!("{}=http://{host}:{}", m.name, m.peer));
        let peers = peers.collect::<Vec<_>>().join(",");
        let data = self.folder.path().join(&self.members[member].name);
        let log =
            std::fs::File::options().create(true).append(true).open(data.with_extension("log")).unwrap();
        let Member { name, client, peer, .. } = &self.members[member];
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let (client, peer) = (format!("{scheme}://{host}:{client}"), format!("http://{host}:{peer}"));
        let process = Command::new("etcd")
            .args(["--name", name, "--initial-cluster", &peers, "--initial-cluster-state", "new"])
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--log-level", "error", "--data-dir"])
            .arg(data)
            .args(self.tls.iter().flat_map(|(member, ..)| member))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.members[member].process = Some(process);
    }

    /// Waits until it answers.
    pub(crate) async fn wait(&self) {
        let end = Instant::now() + UP;
        let probe = self.handle("probe");
        while let Err(error) = control_registry::Registry::leader(&probe).await {
            assert!(Instant::now() < end, "the cluster is not up: {error}\n{}", self.logs());
        }
    }

    fn logs(&self) -> String {
        let log = |member: &Member| {
            std::fs::read_to_string(self.folder.path().join(&member.name).with_extension("log"))
        };
        self.members.iter().filter_map(|member| log(member).ok()).collect()
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.members.iter().map(|member| self.client(member)).collect()
    }

    /// Where a member answers clients.
    fn client(&self, member: &Member) -> String {
        format!("{}:{}", self.host, member.client)
    }

    /// A prefix that is not used yet.
    pub(crate) fn fresh(&self) -> String {
        format!("/p{}", self.prefixes.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn handle(&self, prefix: &str) -> Etcd {
        let tls = self.tls.as_ref().map(|(.., tls)| tls.clone());
        Etcd::new(&self.addresses(), prefix, &EtcdOptions { tls, ..options() }).unwrap()
    }

    pub(crate) fn kill(&mut self, member: usize) {
        if let Some(mut process) = self.members[member].process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, member: usize, signal: Signal) {
        let process = self.members[member].process.as_ref().expect("it runs");
        kill_process(Pid::from_child(process), signal).unwrap();
    }

    /// All leases.
    pub(crate) fn leases(&self) -> Vec<String> {
        let list = self.ctl(&["lease", "list"]);
        // A heading, then one a line.
        list.lines().skip(1).map(str::to_owned).collect()
    }

    /// `etcdctl` on all running members.
    pub(crate) fn ctl(&self, args: &[&str]) -> String {
        let running = self.members.iter().filter(|member| member.process.is_some());
        let running: Vec<String> = running.map(|member| self.client(member)).collect();
        let done = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &running.join(",")])
            .args(self.tls.iter().flat_map(|(_, ctl, _)| ctl))
            .args(args)
            .output()
            .expect("etcdctl (package etcd-client)");
        assert!(done.status.success(), "etcdctl {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// The member that leads the others.
    pub(crate) fn leading(&self) -> usize {
        let status = self.ctl(&["endpoint", "status", "--write-out", "fields"]);
        let fields = |name: &str| {
            let name = format!("\"{name}\" :");
            let values = status.lines().filter_map(move |line| line.strip_prefix(&name));
            values.map(|value| value.trim().to_owned()).collect::<Vec<_>>()
        };
        let (ids, leaders) = (fields("MemberID"), fields("Leader"));
        let at = ids.iter().position(|id| *id == leaders[0]).expect("one leads");
        let running: Vec<usize> =
            (0..self.members.len()).filter(|i| self.members[*i].process.is_some()).collect();
        running[at]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in 0..self.members.len() {
            self.kill(member);
        }
    }
}

/// Long enough for a machine with much to do to renew it.
pub(crate) const LEASE: Duration = Duration::from_secs(6);

pub(crate) fn options() -> EtcdOptions {
    EtcdOptions { lease: LEASE, patience: Duration::from_secs(20), ..EtcdOptions::default() }
}
