//! The interpreter says what the kernel says: verdict, bytes, and every map element that a frame touched.
#![allow(clippy::unwrap_used)]

use aya::maps::{MapData, PerCpuArray};
use aya::programs::Xdp;
use aya::{Ebpf, TestRun, TestRunOptions};
use sw_fallback::plane::{TestPlane, Verdict};
use sw_fallback::xdp::clang;
use xdp_bench::count::Kernel;
use xdp_bench::frames::{ACK, SYN, Shape, Transport};
use xdp_bench::interp::{Fault, Machine, Maps, Program};
use xdp_bench::setup::Setup;
use xdp_bench::sys;

mod common;

/// Numbers that look like chance and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^ x >> 29
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// The kernel's maps, with the variables that a test sets.
struct Before<'a> {
    kernel: &'a Kernel,
    program: &'a Program,
    set: Vec<(&'a str, u32)>,
}

impl Maps for Before<'_> {
    fn element(&self, map: &str, index: u32) -> Option<Vec<u8>> {
        let mut bytes = self.kernel.element(map, index)?;
        for (name, value) in &self.set {
            let (section, at) = self.program.variable(name).unwrap();
            if section == map {
                bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            }
        }
        Some(bytes)
    }
}

/// Frames of every kind that the balancer treats, whole, cut and damaged; few flows, so that they meet again.
fn frame(numbers: &mut Numbers) -> Vec<u8> {
    let flags = [SYN, ACK, 0x18, 0x11, 0x04, 0x12][numbers.below(6)];
    let transport = if numbers.below(3) == 0 { Transport::Udp } else { Transport::Tcp { flags } };
    let shape = Shape { ipv6: numbers.below(3) == 0, transport, to_vip: numbers.below(8) != 0 };
    let mut frame = shape.frame(numbers.below(3000) as u32);
    match numbers.below(6) {
        0 => frame.truncate(14 + numbers.below(frame.len() - 13)),
        1 => {
            let at = 12 + numbers.below(44);
            frame[at] ^= 1 << numbers.below(8);
        }
        2 => frame.extend(vec![0xa5; numbers.below(1500)]),
        _ => {}
    }
    frame
}

/// Runs frames through both; `siphash` and the size of the table as given.
fn both_agree(siphash: bool, frames: usize) {
    let hash = if siphash { "HalfSipHash" } else { "Crc32" };
    let setup = Setup::new(&[("FLOW_ENTRIES", "1024"), ("HASH", hash)]).unwrap();
    let mut plane = setup.load("lo", true).unwrap();
    let program = Program::read(&setup.object).unwrap();
    let kernel = Kernel(plane.inside().unwrap());
    let mut numbers = Numbers(7);
    let mut seen = [0; 3];
    let mut now = 1000;
    for round in 0..frames {
        now += [0, 0, 0, 1, 20, 500][numbers.below(6)];
        let frame = frame(&mut numbers);
        let maps =
            Before { kernel: &kernel, program: &program, set: vec![("gw_clock", now), ("gw_port_in", 1)] };
        let mut machine = Machine::new(&program, &maps);
        let expected = machine.run("gw_main", &frame).unwrap();
        let outcome = plane.process(1, now, &frame);
        let verdict = match outcome.verdict {
            Verdict::Drop(_) => 1,
            Verdict::Pass => 2,
            Verdict::Forward { .. } => 3,
        };
        assert_eq!(verdict, expected.verdict, "frame {round}: {frame:02x?}");
        if verdict != 1 {
            assert_eq!(outcome.bytes, expected.frame, "frame {round}: {frame:02x?}");
        }
        for (map, index, bytes) in machine.touched() {
            assert_eq!(kernel.element(map, index).unwrap(), bytes, "frame {round}: {map}[{index}]");
        }
        seen[verdict as usize - 1] += 1;
    }
    assert!(seen.iter().all(|n| *n > frames / 20), "dropped, passed, forwarded: {seen:?}");
}

#[test]
fn l4lb_with_crc() {
    if !common::skip("the interpreter beside the kernel") {
        both_agree(false, 4000);
    }
}

#[test]
fn l4lb_with_siphash() {
    if !common::skip("the interpreter beside the kernel") {
        both_agree(true, 1500);
    }
}

/// What the maps of `every.bpf.c` have in the kernel.
struct Every(Ebpf);

impl Maps for Every {
    fn element(&self, map: &str, index: u32) -> Option<Vec<u8>> {
        let found = self.0.map(map)?;
        if map == "cpu_words" {
            let words: PerCpuArray<&MapData, u64> = found.try_into().unwrap();
            return Some(words.get(&index, 0).ok()?.iter().sum::<u64>().to_ne_bytes().to_vec());
        }
        let data = match found {
            aya::maps::Map::Array(data) => data,
            _ => return None,
        };
        Some(match map {
            ".rodata" => {
                let array: aya::maps::Array<_, [u32; 4]> =
                    aya::maps::Map::Array(clone(data)).try_into().unwrap();
                array.get(&index, 0).ok()?.iter().flat_map(|w| w.to_ne_bytes()).collect()
            }
            _ => {
                let array: aya::maps::Array<_, u64> = aya::maps::Map::Array(clone(data)).try_into().unwrap();
                array.get(&index, 0).ok()?.to_ne_bytes().to_vec()
            }
        })
    }
}

fn clone(data: &MapData) -> MapData {
    use std::os::fd::AsFd;
    MapData::from_fd(data.fd().as_fd().try_clone_to_owned().unwrap()).unwrap()
}

#[test]
fn every_instruction() {
    if common::skip("every instruction beside the kernel") {
        return;
    }
    // A word of each CPU is read and written: it must be the same CPU's throughout.
    sys::pin(sys::cpus()[0]).unwrap();
    let object = clang::compile(include_str!("every.bpf.c"), &[]).unwrap();
    let program = Program::read(&object).unwrap();
    let mut every = Every(Ebpf::load(&object).unwrap());
    let xdp: &mut Xdp = every.0.program_mut("every").unwrap().try_into().unwrap();
    xdp.load().unwrap();
    let mut numbers = Numbers(1);
    for round in 0..2000 {
        let mut frame: Vec<u8> = (0..8).flat_map(|_| numbers.next().to_ne_bytes()).collect();
        if round % 3 == 0 {
            // Small numbers, and those around the ends of the signed ones.
            let edge =
                [0u64, 1, 9, u64::MAX, i64::MAX as u64, 1 << 63, 0xffff_fff7, 0x8000_0000][numbers.below(8)];
            frame[8..16].copy_from_slice(&edge.to_ne_bytes());
        }
        frame.resize(8 * (8 + 120) + numbers.below(1000), 0);
        let mut machine = Machine::new(&program, &every);
        let expected = machine.run("every", &frame).unwrap();
        let touched: Vec<(String, u32, Vec<u8>)> =
            machine.touched().map(|(m, i, b)| (m.to_owned(), i, b.to_vec())).collect();
        let mut out = vec![0; 4096];
        let options =
            TestRunOptions { data_in: Some(&frame), data_out: Some(&mut out), ..TestRunOptions::default() };
        let xdp: &Xdp = every.0.program("every").unwrap().try_into().unwrap();
        let result = xdp.test_run(options).unwrap();
        out.truncate(result.data_size_out as usize);
        assert_eq!(result.return_value, expected.verdict, "round {round}");
        // Between the first byte, which the program writes, and the old start is what nobody has written.
        let grown = if out[0] & 1 == 0 { usize::from(frame[0]) } else { 0 };
        assert_eq!(out[0], expected.frame[0], "round {round}");
        let start = grown.max(1).min(out.len());
        for (word, (a, b)) in out[start..].chunks(8).zip(expected.frame[start..].chunks(8)).enumerate() {
            assert_eq!(a, b, "round {round}: word {word} of {:02x?}", &frame[..64]);
        }
        assert_eq!(out.len(), expected.frame.len(), "round {round}");
        for (map, index, bytes) in touched {
            assert_eq!(every.element(&map, index).unwrap(), bytes, "round {round}: {map}[{index}]");
        }
    }
}

#[test]
fn what_the_verifier_refuses_is_a_fault() {
    let Some(_) = clang::find() else { return };
    let source = "int read(int *p) { return p[1 << 20]; }
        int endless(int *p) { for (;;) asm volatile(\"\"); }
        int helper(int *p) { return ((int (*)(void))9999)(); }";
    let program = Program::read(&clang::compile(source, &[]).unwrap()).unwrap();
    struct None;
    impl Maps for None {
        fn element(&self, _: &str, _: u32) -> Option<Vec<u8>> {
            Option::None
        }
    }
    let run = |function| Machine::new(&program, &None).run(function, &[0; 64]).unwrap_err();
    assert!(matches!(run("read"), Fault::Address { bytes: 4, .. }));
    assert!(matches!(run("endless"), Fault::Endless(_)));
    assert!(matches!(run("helper"), Fault::Helper { helper: 9999, .. }));
    assert!(matches!(run("absent"), Fault::Object(_)));
}
