//! What a pipeline uses is held against the target's limits.
#![allow(clippy::unwrap_used)]

use codegen::fit;
use pipeline_ir::verify::verify;

/// What speaks against a pipeline that sends all to one port.
fn forward(port: &str, target: &str) -> Vec<String> {
    let text = format!(
        "#[guideway::pipeline(targets = [{target}])]
        pub mod small {{
            use guideway::headers::Ethernet;
            struct Headers {{ eth: Ethernet }}
            #[state]
            fn start(p: &mut Packet, h: &mut Headers) -> State {{ p.extract(h.eth); accept }}
            fn ingress(h: &mut Headers) -> Verdict {{ forward({port}) }}
        }}"
    );
    let verified = verify(pipeline_syntax::compile_source("small.rs", &text, &[]).unwrap()).unwrap();
    let faults = fit(&verified, &hw_targets::target(target).unwrap()).err().unwrap_or_default();
    faults.0.iter().map(|f| f.message.split(';').next().unwrap().to_owned()).collect()
}

#[test]
fn a_port_that_the_text_names_is_there() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("509", "bmv2", &[]),
        ("510", "bmv2", &["forward(510) needs 511 ports"]),
        ("600", "bmv2", &["forward(600) needs 601 ports"]),
        ("254", "dpdk", &["forward(254) needs 255 ports"]),
        ("252", "dpdk", &[]),
        ("1024", "xdp", &["forward(1024) needs 1025 ports"]),
        ("65_534", "native", &[]),
        ("0xffff_ffff", "native", &["forward(4294967295) needs 4294967296 ports"]),
        ("INGRESS_PORT", "bmv2", &[]),
        // The chip's own processor is a port among others.
        ("320", "tofino", &["forward(320) goes to the host"]),
        ("319", "tofino", &[]),
        ("0", "tofino", &[]),
        ("0", "tofino2", &["forward(0) goes to the host"]),
        ("320", "tofino2", &[]),
        ("511", "tofino2", &["forward(511) needs 512 ports"]),
    ];
    for (port, target, expected) in cases {
        assert_eq!(forward(port, target), *expected, "{target}: {port}");
    }
}
