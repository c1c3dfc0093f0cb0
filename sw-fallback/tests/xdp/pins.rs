//! What outlives the process: adoption, swaps, losses told.

use crate::attach::ports;
use crate::lab::{BpfFs, in_network, names, ready, sh, veth, xdp_on};
use crate::pipeline::{fill, generation, host, object, object_with, out, pipeline};
use pipeline_ir::entry::WriteError;
use pipeline_ir::entry::WriteKind::{Delete, Insert};
use pipeline_ir::{KeyValue, RingId, TableId};
use std::path::Path;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Options, XdpError, XdpPlane};

fn options(dir: &Path) -> Options {
    Options { ports: ports(&["a0"]), pin_dir: Some(dir.to_owned()), ..Options::default() }
}

fn start(dir: &Path) -> XdpPlane {
    let mut plane = XdpPlane::load(&pipeline(64), object(), &options(dir)).unwrap();
    plane.attach().unwrap();
    plane
}

/// Sends a frame of 64 bytes that asks the program on `a0` for something, by way of `a1`.
fn send(ask: u8, data: &[u8]) {
    let hex: String = data.iter().map(|b| format!("\\\\x{b:02x}")).collect();
    let frame = format!(
        "\\\\x02\\\\0\\\\0\\\\0\\\\0\\\\1\\\\x02\\\\0\\\\0\\\\0\\\\0\\\\2\\\\x88\\\\xb5\\\\x{ask:02x}\\\\0{hex}"
    );
    let code = format!(
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('a1', 0)); \
         s.send(b'{}'.ljust(64, b'\\0'))",
        frame.replace("\\\\", "\\")
    );
    let status = std::process::Command::new("python3").args(["-c", &code]).status().unwrap();
    assert!(status.success());
}

fn acl(value: u128, priority: i32, port: u128) -> pipeline_ir::entry::CheckedEntry {
    let key = [
        ("src", KeyValue::Ternary { value, mask: 0xff00_0000 }),
        ("port", KeyValue::Range { low: 0, high: 9 }),
    ];
    out("acl", &key, priority, port)
}

#[test]
fn a_restart_adopts_entries_counts_and_flows() {
    if !ready("a_restart_adopts_entries_counts_and_flows") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        let mut first = start(&dir);
        let route =
            |prefix, port| out("route", &[("src", KeyValue::Lpm { value: 0x0a00_0000, prefix })], 0, port);
        let backend = out("backend", &[("id", KeyValue::Exact(0x13))], 0, 5);
        let entries =
            [host(1, 80, 1), host(2, 80, 1), backend, route(8, 1), route(9, 1), acl(0x0a00_0000, 7, 1)];
        for e in &entries {
            first.write(e, Insert).unwrap();
        }
        first.write(&acl(0x0a00_0000, 3, 1), Insert).unwrap();
        first.write(&generation(1, 2), Insert).unwrap();
        first.fill_ring(&fill(2, [1, 2, 3, 4, 5, 6, 7])).unwrap();
        let program = xdp_on("a0");
        drop(first);
        assert_eq!(xdp_on("a0"), program, "traffic goes on without us");
        send(1, &[0, 0, 0, 2, 0, 80]);
        send(7, &[10, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 42]);

        let mut second = start(&dir);
        assert!(second.notes().is_empty(), "{:?}", second.notes());
        assert_ne!(xdp_on("a0"), program, "the program is replaced");
        let listed = |t| -> Vec<(Vec<u128>, i32, u64)> {
            let entries = second.table_entries(TableId(t)).into_iter();
            let mut list: Vec<_> =
                entries.map(|(e, c)| (e.args().to_vec(), e.priority(), c.packets)).collect();
            list.sort();
            list
        };
        assert_eq!(listed(0), [(vec![1], 0, 0), (vec![1], 0, 1)]);
        assert_eq!(listed(1), [(vec![5], 0, 0)]);
        assert_eq!(listed(2).len(), 2);
        assert_eq!(listed(3), [(vec![1], 3, 0), (vec![1], 7, 0)]);
        assert_eq!(listed(4).len(), 2);
        assert_eq!(second.flows(pipeline_ir::FlowTableId(0))[0].id, 42);
        assert_eq!(second.counters()["flows.stored"].packets, 1);
        assert_eq!(
            second.ring_slots(RingId(0), 1, second.generation(RingId(0), 1).unwrap()),
            [1, 2, 3, 4, 5, 6, 7]
        );
        for e in &entries {
            assert_eq!(second.write(e, Insert), Err(WriteError::Exists));
            second.write(e, Delete).unwrap();
            second.write(e, Insert).unwrap();
        }
        second.detach();
        assert_eq!(xdp_on("a0"), None);
        assert!(!dir.exists());
    });
}

#[test]
fn another_layout_says_how_many_flows_it_loses() {
    if !ready("another_layout_says_how_many_flows_it_loses") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        let mut first = start(&dir);
        first.write(&host(1, 80, 1), Insert).unwrap();
        for port in [1, 2, 3] {
            send(7, &[10, 0, 0, 1, 0, port, 0, 1, 0, 1, 0, 42]);
        }
        drop(first);
        let twice =
            object_with("MAP(flows, MAP_ARRAY, MAP_MMAPABLE, 16,", "MAP(flows, MAP_ARRAY, MAP_MMAPABLE, 32,");
        let mut second = XdpPlane::load(&pipeline(128), &twice, &options(&dir)).unwrap();
        assert_eq!(second.notes(), ["flows: 3 flows of the last run are lost: the table has changed"]);
        assert_eq!(second.table_entries(TableId(0)).len(), 1, "the rest is carried over");
        second.attach().unwrap();
        assert_eq!(
            names(&dir).iter().filter(|n| n.starts_with("flows-")).count(),
            1,
            "the old map is let go"
        );
    });
}

#[test]
fn flush_starts_clean_without_a_gap() {
    if !ready("flush_starts_clean_without_a_gap") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        let mut first = start(&dir);
        first.write(&host(1, 80, 1), Insert).unwrap();
        send(7, &[10, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 42]);
        drop(first);
        let flush = Options { flush: true, ..options(&dir) };
        let mut second = XdpPlane::load(&pipeline(64), object(), &flush).unwrap();
        assert_eq!(second.notes(), ["flows: 1 flows of the last run are lost: `--flush` drops them"]);
        assert!(xdp_on("a0").is_some());
        second.attach().unwrap();
        assert_eq!(second.table_entries(TableId(0)).len(), 0);
        assert_eq!(second.flows(pipeline_ir::FlowTableId(0)).len(), 0);
    });
}

#[test]
fn a_refused_successor_leaves_the_first_running() {
    if !ready("a_refused_successor_leaves_the_first_running") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        drop(start(&dir));
        let (program, pinned) = (xdp_on("a0"), names(&dir));
        let bad = object_with("if (data + 32 > end)\n        return XDP_PASS;", "");
        assert!(matches!(
            XdpPlane::load(&pipeline(64), &bad, &options(&dir)),
            Err(XdpError::Verifier { .. })
        ));
        let both = Options { ports: ports(&["a0", "no-such"]), ..options(&dir) };
        assert!(matches!(XdpPlane::load(&pipeline(64), object(), &both), Err(XdpError::Interface { .. })));
        assert_eq!((xdp_on("a0"), names(&dir)), (program, pinned));
    });
}

#[test]
fn a_failing_swap_gives_the_old_program_back() {
    if !ready("a_failing_swap_gives_the_old_program_back") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        veth("b0", "b1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        drop(start(&dir));
        let program = xdp_on("a0");
        let both = Options { ports: ports(&["a0", "b0"]), ..options(&dir) };
        let mut second = XdpPlane::load(&pipeline(64), object(), &both).unwrap();
        // The second interface's link can't be pinned: a folder has its name.
        std::fs::create_dir(dir.join("link@b0")).unwrap();
        assert!(matches!(second.attach(), Err(XdpError::Pin { .. })));
        assert_eq!((xdp_on("a0"), xdp_on("b0")), (program, None));
    });
}

#[test]
fn two_at_once_do_not_share_a_folder() {
    if !ready("two_at_once_do_not_share_a_folder") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        let _first = start(&dir);
        let error = XdpPlane::load(&pipeline(64), object(), &options(&dir)).unwrap_err();
        assert!(matches!(error, XdpError::Running { .. }), "{error}");
    });
}

#[test]
fn an_interface_made_anew_is_attached_anew() {
    if !ready("an_interface_made_anew_is_attached_anew") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let dir = fs.path("p");
        drop(start(&dir));
        sh("ip link del a0");
        veth("a0", "a1");
        assert_eq!(xdp_on("a0"), None);
        let _second = start(&dir);
        assert!(xdp_on("a0").is_some());
    });
}
