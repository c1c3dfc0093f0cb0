//! The load balancer of every measurement: `l4lb` as it comes, with one VIP and 750 backends on a Maglev ring.

use crate::frames::{BALANCER, ROUTER, TCP_PORT, UDP_PORT, VIP4, VIP6};
use anyhow::{Context, Result, anyhow};
use maglev_ring::{Member, Ring, stable_key};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, Entry, RingFill, Tables, WriteKind};
use pipeline_ir::verify::Verified;
use std::collections::BTreeMap;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Options, Port, XdpPlane, clang};

/// Backends of each pool.
pub const BACKENDS: u32 = 750;
/// Slots of a ring.
pub const SLOTS: u32 = 65_537;
/// The pools of the IPv4 and the IPv6 VIP.
const POOLS: [u128; 2] = [1, 2];
/// Every backend's id has a count of its reuses above its place.
pub const ID: u32 = 1 << 14;

/// A compiled `l4lb` and what goes into its tables.
#[derive(Debug)]
pub struct Setup {
    /// The pipeline.
    pub verified: Verified,
    /// The C that was compiled.
    pub source: String,
    /// The headers that it includes, by their names.
    pub headers: BTreeMap<String, String>,
    /// The compiled object.
    pub object: Vec<u8>,
    entries: Vec<CheckedEntry>,
    rings: Vec<CheckedFill>,
}

impl Setup {
    /// Compiles `l4lb` with other values for some of its constants.
    ///
    /// # Errors
    /// A constant is unknown, it does not fit, or clang is missing or refuses.
    pub fn new(sets: &[(&str, &str)]) -> Result<Self> {
        Self::with(sets, None)
    }

    /// The same, with C of one's own in place of the emitted.
    ///
    /// # Errors
    /// As [`Setup::new`].
    pub fn with(sets: &[(&str, &str)], source: Option<&str>) -> Result<Self> {
        let world = World { entries: entries(), rings: rings()? };
        Self::of("l4lb.rs", guideway::builtin::L4LB, sets, source, &world)
    }

    /// Compiles a pipeline, and checks what goes into its tables.
    ///
    /// # Errors
    /// As [`Setup::new`], or an entry is none of its.
    pub fn of(
        name: &str,
        text: &str,
        sets: &[(&str, &str)],
        source: Option<&str>,
        world: &World,
    ) -> Result<Self> {
        let sets: Vec<(String, String)> = sets.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        let pipeline = pipeline_syntax::compile_source(name, text, &sets).map_err(|d| anyhow!("{d}"))?;
        let verified = pipeline_ir::verify::verify(pipeline).map_err(|d| anyhow!("{d}"))?;
        let fitted = codegen::fit(&verified, &hw_targets::target("xdp")?).map_err(|d| anyhow!("{d}"))?;
        let artifacts = codegen::xdp::emit(&fitted);
        let mut files = Vec::new();
        for (path, bytes) in artifacts.iter() {
            files.push((path, std::str::from_utf8(bytes)?));
        }
        let emitted = files.iter().find(|f| f.0.ends_with(".bpf.c")).context("no C source")?.1;
        let source = source.unwrap_or(emitted);
        let object = clang::compile(source, &files)?;
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let headers = files.iter().filter(|f| f.0.ends_with(".h"));
        let headers = headers.map(|(path, text)| (name(path), (*text).to_owned())).collect();
        let source = source.to_owned();
        let tables = Tables::new(verified.pipeline());
        let entries = world.entries.iter().map(|e| tables.check(e)).collect::<Result<_, _>>()?;
        let ring = |(pool, slots): &(u32, Vec<u32>)| {
            let slots = slots.clone();
            tables.check_ring(RingFill { ring: "ring".into(), pool: *pool, generation: 1, slots })
        };
        let rings = world.rings.iter().map(ring).collect::<Result<_, _>>()?;
        Ok(Self { verified, source, headers, object, entries, rings })
    }

    /// Loads it and fills its tables. No interface gets it; packets of port 1 come in at `interface`.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn load(&self, interface: &str, testing: bool) -> Result<XdpPlane> {
        self.load_on(vec![Port { number: 1, interface: interface.to_owned() }], testing)
    }

    /// The same for more ports.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn load_on(&self, ports: Vec<Port>, testing: bool) -> Result<XdpPlane> {
        let options = Options { ports, entries: self.entries.clone(), testing, ..Options::default() };
        let mut plane = XdpPlane::load(&self.verified, &self.object, &options)?;
        for ring in &self.rings {
            plane.fill_ring(ring)?;
        }
        for entry in &self.entries {
            plane.write(entry, WriteKind::Insert)?;
        }
        Ok(plane)
    }
}

/// What goes into tables and rings.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Of all tables, pools too.
    pub entries: Vec<Entry>,
    /// Pool, and an id for each slot of its generation 1.
    pub rings: Vec<(u32, Vec<u32>)>,
}

/// An entry whose key has exact values only.
#[must_use]
pub fn entry(table: &str, key: &[(&str, u128)], action: &str, params: &[(&str, u128)]) -> Entry {
    let owned = |(n, v): &(&str, u128)| ((*n).to_owned(), *v);
    Entry {
        table: table.into(),
        key: key.iter().map(owned).map(|(n, v)| (n, KeyValue::Exact(v))).collect(),
        priority: 0,
        action: action.into(),
        params: params.iter().map(owned).collect(),
    }
}

/// A MAC address as a parameter.
#[must_use]
pub fn mac(bytes: [u8; 6]) -> u128 {
    bytes.iter().fold(0, |sum, b| sum << 8 | u128::from(*b))
}

fn entries() -> Vec<Entry> {
    let mut list = Vec::new();
    for (protocol, port) in [(6, TCP_PORT), (17, UDP_PORT)] {
        for (table, dst, pool) in [("vip4", VIP4.into(), POOLS[0]), ("vip6", VIP6, POOLS[1])] {
            let key = [("dst", dst), ("protocol", protocol), ("dst_port", port.into())];
            let params = [
                ("vip", pool),
                ("pool", pool),
                ("hash_key", 0x0123_4567_89ab_cdef),
                ("flags", 0),
                ("class", 0),
            ];
            list.push(entry(table, &key, "set_vip", &params));
        }
    }
    for i in 0..2 * BACKENDS {
        let (action, src, dst) = if i < BACKENDS {
            ("ipip4", 0xc612_8003, 0xc613_0000 + u128::from(i))
        } else {
            ("ipip6", VIP6 + 2, VIP6 + (1 << 64) + u128::from(i))
        };
        let params = [
            ("src", src),
            ("spread", 0),
            ("dst", dst),
            ("port", 1),
            ("dst_mac", mac(ROUTER)),
            ("src_mac", mac(BALANCER)),
            ("mtu", 1500),
        ];
        list.push(entry("backend", &[("backend", (ID | i).into())], action, &params));
    }
    for pool in POOLS {
        list.push(entry("pool", &[("pool", pool)], "set_generation", &[("generation", 1)]));
    }
    list
}

fn rings() -> Result<Vec<(u32, Vec<u32>)>> {
    let mut fills = Vec::new();
    for (pool, first) in [(1, 0), (2, BACKENDS)] {
        let member =
            |i: u32| Member { id: ID | i, key: stable_key(format!("backend-{i}").as_bytes()), weight: 1 };
        let members: Vec<Member> = (first..first + BACKENDS).map(member).collect();
        fills.push((pool, Ring::build(SLOTS, &members)?.slots().to_vec()));
    }
    Ok(fills)
}
