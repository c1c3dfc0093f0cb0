//! Putting the program on interfaces and taking it off; what fails leaves them as they were.

use crate::lab::{BpfFs, in_network, names, ready, sh, veth, xdp_on};
use crate::pipeline::{object, object_with, pipeline};
use sw_fallback::xdp::{Options, Port, XdpError, XdpPlane, clang};

pub(crate) fn ports(interfaces: &[&str]) -> Vec<Port> {
    (1..).zip(interfaces).map(|(number, i)| Port { number, interface: (*i).to_owned() }).collect()
}

/// A program that is not ours, on an interface.
fn stranger(interface: &str) {
    let source = "__attribute__((section(\"xdp\"), used)) int stranger(void *c) { return 2; }
        char gw_license[] __attribute__((section(\"license\"), used)) = \"GPL\";";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), clang::compile(source, &[]).unwrap()).unwrap();
    sh(&format!("ip link set dev {interface} xdp obj {} sec xdp", file.path().display()));
}

#[test]
fn attaches_in_the_driver_and_detaches() {
    if !ready("attaches_in_the_driver_and_detaches") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        veth("b0", "b1");
        let fs = BpfFs::new();
        let pin_dir = Some(fs.path("here/it"));
        let options = Options { ports: ports(&["a0", "b0"]), pin_dir, ..Options::default() };
        let mut plane = XdpPlane::load(&pipeline(64), object(), &options).unwrap();
        assert_eq!((xdp_on("a0"), xdp_on("b0")), (None, None), "loading touches no interface");
        plane.attach().unwrap();
        assert!(xdp_on("a0").is_some() && xdp_on("a0") == xdp_on("b0"));
        assert!(!sh("ip link show dev a0").contains("xdpgeneric"));
        assert!(plane.notes().is_empty() && plane.gone().is_empty(), "{:?}", plane.notes());
        assert!(names(&fs.path("here/it")).contains(&"link@a0".to_owned()));
        plane.detach();
        assert_eq!((xdp_on("a0"), xdp_on("b0")), (None, None));
        assert_eq!(names(&fs.path("here/it")).len(), 0);
    });
}

#[test]
fn generic_mode_is_a_note() {
    if !ready("generic_mode_is_a_note") {
        return;
    }
    in_network(|| {
        sh("ip link set lo up");
        let options = Options { ports: ports(&["lo"]), ..Options::default() };
        let mut plane = XdpPlane::load(&pipeline(64), object(), &options).unwrap();
        plane.attach().unwrap();
        assert!(sh("ip link show dev lo").contains("xdpgeneric"));
        assert!(plane.notes()[0].contains("lo: its driver can't run XDP"), "{:?}", plane.notes());
        drop(plane);
        assert_eq!(xdp_on("lo"), None, "without pins it ends with its owner");
    });
}

#[test]
fn another_program_is_never_replaced() {
    if !ready("another_program_is_never_replaced") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        veth("b0", "b1");
        stranger("b0");
        let there = xdp_on("b0").unwrap();
        let fs = BpfFs::new();
        let pin_dir = Some(fs.path("p"));
        let options = Options { ports: ports(&["a0", "b0"]), pin_dir, ..Options::default() };
        let error = XdpPlane::load(&pipeline(64), object(), &options).unwrap_err();
        let text = error.to_string();
        for part in ["`b0`", "`stranger`", &format!("id {there}"), "`ip link set dev b0 xdp off`"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!((xdp_on("a0"), xdp_on("b0")), (None, Some(there)));
        assert!(!fs.path("p").exists(), "no folder stays behind");
    });
}

#[test]
fn who_comes_between_load_and_attach_stays_too() {
    if !ready("who_comes_between_load_and_attach_stays_too") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        veth("b0", "b1");
        let fs = BpfFs::new();
        let options =
            Options { ports: ports(&["a0", "b0"]), pin_dir: Some(fs.path("p")), ..Options::default() };
        let mut plane = XdpPlane::load(&pipeline(64), object(), &options).unwrap();
        stranger("b0");
        let there = xdp_on("b0");
        assert!(matches!(plane.attach(), Err(XdpError::Occupied { .. })));
        assert_eq!((xdp_on("a0"), xdp_on("b0")), (None, there));
        assert_eq!(names(&fs.path("p")).len(), 0);
    });
}

#[test]
fn a_failure_on_the_second_interface_clears_the_first() {
    if !ready("a_failure_on_the_second_interface_clears_the_first") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        veth("b0", "b1");
        let fs = BpfFs::new();
        let options =
            Options { ports: ports(&["a0", "b0"]), pin_dir: Some(fs.path("p")), ..Options::default() };
        let mut plane = XdpPlane::load(&pipeline(64), object(), &options).unwrap();
        sh("ip link del b0");
        let error = plane.attach().unwrap_err();
        assert!(matches!(&error, XdpError::Interface { interface } if interface == "b0"), "{error}");
        assert_eq!(xdp_on("a0"), None);
        assert_eq!(names(&fs.path("p")).len(), 0);
    });
}

#[test]
fn an_interface_that_goes_is_told() {
    if !ready("an_interface_that_goes_is_told") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let options = Options { ports: ports(&["a0"]), ..Options::default() };
        let mut plane = XdpPlane::load(&pipeline(64), object(), &options).unwrap();
        plane.attach().unwrap();
        sh("ip link del a0");
        assert_eq!(plane.gone(), ["a0"]);
    });
}

#[test]
fn what_the_verifier_refuses_touches_nothing() {
    if !ready("what_the_verifier_refuses_touches_nothing") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let bad = object_with("if (data + 32 > end)\n        return XDP_PASS;", "");
        let fs = BpfFs::new();
        let options = Options { ports: ports(&["a0"]), pin_dir: Some(fs.path("p")), ..Options::default() };
        let text = XdpPlane::load(&pipeline(64), &bad, &options).unwrap_err().to_string();
        for part in ["verifier refuses", "invalid access to packet", "report it"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.lines().count() <= 24, "{text}");
        assert_eq!(xdp_on("a0"), None);
        assert!(!fs.path("p").exists());
    });
}
