//! Loads a compiled l4lb with the entries that `xdpbench` wants, says so, and stays until its input ends.
//! `bench_target FILE.rs OBJECT [CONST=VALUE ...]`
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{CheckedEntry, Entry, EntryError, RingFill, Tables, WriteKind};
use std::io::Read;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Options, Port, XdpPlane};

fn entry(table: &str, key: &[(&str, u128)], action: &str, params: &[(&str, u128)]) -> Entry {
    Entry {
        table: table.into(),
        key: key.iter().map(|(n, v)| ((*n).to_string(), KeyValue::Exact(*v))).collect(),
        priority: 0,
        action: action.into(),
        params: params.iter().map(|(n, v)| ((*n).to_string(), *v)).collect(),
    }
}

/// One VIP and 750 backends.
fn entries(tables: &Tables) -> Result<Vec<CheckedEntry>, EntryError> {
    let mut entries = Vec::new();
    for (protocol, port) in [(6, 80), (17, 443)] {
        entries.push(tables.check(&entry(
            "vip4",
            &[("dst", 0x0ac8_0101), ("protocol", protocol), ("dst_port", port)],
            "set_vip",
            &[("vip", 1), ("pool", 1), ("hash_key", 0x1234_5678), ("flags", 0), ("class", 0)],
        ))?);
    }
    for i in 0..750 {
        entries.push(tables.check(&entry(
            "backend",
            &[("backend", 1 << 14 | i)],
            "ipip4",
            &[
                ("src", 0x0ac8_0001),
                ("spread", 0),
                ("dst", 0x0ad2_0001 + i),
                ("port", 1),
                ("dst_mac", 0x02aa_bbcc_ddee),
                ("src_mac", 0x0200_0000_0001),
                ("mtu", 1500),
            ],
        ))?);
    }
    Ok(entries)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, object, sets @ ..] = args.as_slice() else { return Err("bench_target FILE.rs OBJECT".into()) };
    let sets: Vec<(String, String)> =
        sets.iter().filter_map(|s| s.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect();
    let pipeline = pipeline_syntax::compile_source("l4lb.rs", &std::fs::read_to_string(file)?, &sets)?;
    let verified = pipeline_ir::verify::verify(pipeline)?;
    let tables = Tables::new(verified.pipeline());
    let mut entries = entries(&tables)?;
    entries.push(tables.check(&entry("pool", &[("pool", 1)], "set_generation", &[("generation", 1)]))?);
    let mut slots: Vec<u32> = (0..65_537).map(|i| 1 << 14 | (i % 750)).collect();
    let mut x = 88_172_645_463_325_252_u64;
    for i in (1..slots.len()).rev() {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        slots.swap(i, (x % (i as u64 + 1)) as usize);
    }
    let options = Options {
        ports: vec![Port { number: 1, interface: "lo".into() }],
        entries: entries.clone(),
        ..Options::default()
    };
    let mut plane = XdpPlane::load(&verified, &std::fs::read(object)?, &options)?;
    plane.fill_ring(&tables.check_ring(RingFill {
        ring: "ring".into(),
        pool: 1,
        generation: 1,
        slots,
    })?)?;
    for e in &entries {
        plane.write(e, WriteKind::Insert)?;
    }
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    for (name, count) in plane.counters() {
        if count.packets > 0 {
            println!("{name} {}", count.packets);
        }
    }
    Ok(())
}
