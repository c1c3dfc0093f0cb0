//! What a checker reads from the network: answers to raw sockets, and what controllers ask it to probe.
#![allow(clippy::unwrap_used)]

use control_checker::target::{INTERVALS_MS, LONGEST_TIMEOUT_MS, Target};
use control_checker::vip::parse;
use control_proto::v1::{HttpProbe, Probe, ProbeTarget, TcpProbe, probe::How};
use fuzz::{Choices, target};
use std::time::Duration;

/// An IPv4 SYN-ACK, from 203.0.113.10:80 to port 4000.
const SYN_ACK: [u8; 40] = [
    0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 203, 0, 113, 10, 10, 2, 0, 1, 0, 80, 0x0f, 0xa0, 0, 0, 0, 1,
    0, 0, 0, 8, 0x50, 0x12, 0xff, 0xff, 0, 0, 0, 0,
];

fn check_answer(bytes: &[u8]) {
    for v4 in [false, true] {
        let Some((segment, data)) = parse(bytes, v4) else { continue };
        let tcp = if v4 { &bytes[usize::from(bytes[0] & 15) * 4..] } else { bytes };
        let ports = (u16::from_be_bytes([tcp[0], tcp[1]]), u16::from_be_bytes([tcp[2], tcp[3]]));
        assert_eq!((segment.ports, segment.flags), (ports, tcp[13]));
        assert_eq!(segment.source.is_some(), v4);
        // The data are the packet's end.
        let begin = usize::from(tcp[12] >> 4) * 4;
        assert!(begin >= 20 && tcp[begin..].starts_with(data));
        // What follows an IPv4 packet changes nothing.
        if v4 && bytes[2..4] != [0, 0] {
            assert_eq!(parse(&[bytes, &[0xff; 7]].concat(), v4), Some((segment, data)));
        }
    }
}

#[test]
fn any_answer() {
    target!(20_000, |input: &[u8]| check_answer(input));
}

#[test]
fn mutated_answers() {
    assert_eq!(parse(&SYN_ACK, true).unwrap().0.ack, 8);
    target!(20_000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let mut bytes = SYN_ACK.to_vec();
        for _ in 0..choices.below(4) {
            let at = choices.below(bytes.len());
            bytes[at] = choices.byte();
        }
        bytes.truncate(choices.below(60));
        check_answer(&bytes);
        check_answer(bytes.get(20..).unwrap_or_default());
    });
}

#[test]
fn any_target() {
    const TEXTS: [&str; 12] = [
        "",
        "10.0.0.1",
        "::1",
        "203.0.113.10",
        "2001:db8::10",
        "/",
        "/a?b=c",
        "//",
        "a b",
        "[::1]:80",
        "host:99999",
        "\u{7f}",
    ];
    target!(20_000, |input: &[u8]| {
        let mut choices = Choices::new(input);
        let text = |choices: &mut Choices<'_>| match choices.below(4) {
            0 => String::from_utf8_lossy(choices.bytes(20)).into_owned(),
            _ => (*choices.pick(&TEXTS)).to_owned(),
        };
        let probe = |choices: &mut Choices<'_>| {
            let http = HttpProbe {
                tls: choices.byte() % 2 == 0,
                path: text(choices),
                host: text(choices),
                expected_status: (0..choices.below(3)).map(|_| choices.number() as u32).collect(),
                body_contains: text(choices),
            };
            Probe {
                how: [None, Some(How::Tcp(TcpProbe {})), Some(How::Http(http))][choices.below(3)].clone(),
                interval_ms: choices.number() as u32,
                timeout_ms: choices.number() as u32,
                port: choices.number() as u32,
                through_vip: if choices.below(3) == 0 { text(choices) } else { String::new() },
            }
        };
        let maybe = |choices: &mut Choices<'_>| (choices.below(4) > 0).then(|| probe(choices));
        let asked = ProbeTarget {
            address: text(&mut choices),
            liveness: maybe(&mut choices),
            readiness: maybe(&mut choices),
            ..ProbeTarget::default()
        };
        let target = Target::new(&asked);
        for plan in [Some(&target.live), target.ready.as_ref()].into_iter().flatten() {
            let ms = |ms: u32| Duration::from_millis(ms.into());
            match plan {
                Err(why) => assert!(!why.is_empty()),
                Ok(plan) => {
                    assert!(plan.to.port() > 0 && plan.timeout > Duration::ZERO);
                    assert!(plan.interval >= ms(INTERVALS_MS.0) && plan.interval <= ms(INTERVALS_MS.1));
                    assert!(plan.timeout <= ms(LONGEST_TIMEOUT_MS));
                }
            }
        }
    });
}
