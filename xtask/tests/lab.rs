//! The lab without a data plane: it is built, its routes work, and it goes without a trace.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr, TcpListener};
use xtask::http::{Connection, serve_one};
use xtask::lab::{BACKENDS, LBS, Lab, Plan, VIP_PORT, VIP4, VIP6};
use xtask::{needs, sys};

/// True when this machine can't build the lab; fails instead where `GUIDEWAY_REQUIRE` wants BPF.
fn skipped() -> bool {
    let why = if sys::is_root() { needs::why_no_bpf() } else { Some("this is not root".into()) };
    let missing =
        needs::missing(&[needs::IPROUTE2]).first().map(|need| format!("{} is missing", need.package));
    let Some(why) = why.or(missing) else { return false };
    let required =
        std::env::var("GUIDEWAY_REQUIRE").is_ok_and(|list| list.split(',').any(|need| need == "bpf"));
    assert!(!required, "GUIDEWAY_REQUIRE asks for bpf, but {why}");
    eprintln!("skipped: {why}");
    true
}

fn spaces_of(tag: &str) -> Vec<String> {
    let names = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(&format!("{tag}-"))).collect()
}

/// One connection from `client` (IPv4 or IPv6) to `target`, which a server in `backend` answers.
fn ask(
    lab: &Lab,
    client: &str,
    source: IpAddr,
    backend: &str,
    target: IpAddr,
) -> std::io::Result<SocketAddr> {
    let address = SocketAddr::new(target, VIP_PORT);
    let listener = lab.space(backend).unwrap().run(|| TcpListener::bind(address)).unwrap()?;
    let server = std::thread::spawn(move || serve_one("test", listener.accept()?.0));
    let seen = lab.space(client).unwrap().run(|| {
        let mut connection = Connection::open(SocketAddr::new(source, 0), address)?;
        connection.get("/bytes/100000", |_| ())
    });
    let seen = seen.unwrap()?;
    server.join().unwrap()?;
    Ok(seen.client)
}

#[test]
fn the_lab_works_and_leaves_nothing_behind() {
    if skipped() {
        return;
    }
    let tag = Lab::own_tag();
    let plan = Plan::default();
    let lab = Lab::build(&tag, &plan).unwrap();
    assert_eq!(spaces_of(&tag).len(), 11);
    lab.pass_programs(&plan).unwrap();
    for backend in BACKENDS {
        let node = plan.node(backend);
        for (client, target) in [("c4", IpAddr::from(node.v4(2))), ("c6", node.v6(2).into())] {
            let source = plan.node(client).sources()[1];
            let seen = ask(&lab, client, source, backend, target).unwrap();
            assert_eq!(seen.ip(), source, "{backend} sees {client}");
        }
    }
    // What leaves by a host port is received as if for the backend's interface.
    lab.host_ports(&plan, "gw0").unwrap();
    for backend in BACKENDS {
        let show = format!("-netns {tag}-{backend} link show dev gw0-host");
        let out = std::process::Command::new("ip").args(show.split(' ')).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(text.contains(&plan.node(backend).mac()) && text.contains("UP"), "{text}");
    }
    // Every backend holds the VIPs, which is why each can answer in their name.
    for vip in [IpAddr::from(VIP4), VIP6.into()] {
        for backend in BACKENDS {
            lab.space(backend).unwrap().run(|| TcpListener::bind((vip, VIP_PORT))).unwrap().unwrap();
        }
    }
    // A second lab of the same name is refused, and takes nothing of the first along.
    assert!(Lab::build(&tag, &plan).is_err());
    assert_eq!(spaces_of(&tag).len(), 11);
    drop(lab);
    assert_eq!(spaces_of(&tag), [""; 0]);
}

#[test]
fn rights_are_tried_before_anything_is_built() {
    let run = |first: &str| {
        let line = format!("{first} exec {} lab-rights", env!("CARGO_BIN_EXE_xtask"));
        std::process::Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", &line]).output()
    };
    // A machine that has none to try with, or no `unshare`, can't show the difference.
    if !run("").is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no user namespaces");
        return;
    }
    let output = run("echo 0 > /proc/sys/user/max_user_namespaces;").unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("sysctl -w user.max_user_namespaces"), "{text}");
}

/// How many of 32 connections from `c4` and `c6` each load balancer took.
fn shares(lab: &Lab) -> [usize; 2] {
    let mut shares = [0; 2];
    for (client, vip) in [("c4", IpAddr::from(VIP4)), ("c6", VIP6.into())] {
        for _ in 0..16 {
            let target = SocketAddr::new(vip, VIP_PORT);
            let seen = lab.space(client).unwrap().run(|| {
                let any = if vip.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                Connection::open(any.parse().unwrap(), target)?.get("/", |_| ())
            });
            let name = seen.unwrap().unwrap().backend;
            shares[LBS.iter().position(|lb| *lb == name).unwrap()] += 1;
        }
    }
    shares
}

#[test]
fn the_router_shares_flows_out_and_does_without_a_node_that_is_cut_off() {
    if skipped() {
        return;
    }
    let (tag, plan) = (format!("{}1", Lab::own_tag()), Plan::default());
    let lab = Lab::build(&tag, &plan).unwrap();
    // Servers in the place of data planes.
    for lb in LBS {
        for vip in [IpAddr::from(VIP4), VIP6.into()] {
            let add =
                ["-netns", &format!("{tag}-{lb}"), "addr", "add", &vip.to_string(), "dev", "lo", "nodad"];
            assert!(std::process::Command::new("ip").args(add).status().unwrap().success());
            let listener =
                lab.space(lb).unwrap().run(|| TcpListener::bind((vip, VIP_PORT))).unwrap().unwrap();
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    std::thread::spawn(move || serve_one(lb, stream));
                }
            });
        }
    }
    // All on one side: once in two thousand million runs.
    let both = shares(&lab);
    assert!(both.iter().all(|n| *n > 0), "{both:?}");
    lab.cut(LBS[0]).unwrap();
    assert_eq!(shares(&lab), [0, 32]);
    lab.mend(LBS[0], &plan).unwrap();
    let both = shares(&lab);
    assert!(both.iter().all(|n| *n > 0), "{both:?}");
}
