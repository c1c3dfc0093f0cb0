//! Targets as data: what a chip or kernel provides, its limits, its recipes.
//!
//! A target is one file in `targets/`. Code never asks for its name: what differs is what it
//! [provides](Target::provides), its [limits](Target::limits), and its recipes.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What a target can provide, and a pipeline need.
pub const VOCABULARY: &[(&str, &str)] = &[
    ("arith.modulo", "remainder by a constant that is no power of two"),
    ("arith.mul", "multiplication"),
    ("arith.shift", "shifting by a number that is computed"),
    ("arith.wide", "arithmetic on more than 64 bits"),
    ("checksum.deparser", "checksums that are summed when the packet leaves"),
    ("checksum.incremental", "a checksum adjusted for a change (RFC 1624)"),
    ("checksum.internet", "the Internet checksum over header fields (RFC 1071)"),
    ("checksum.read", "reading a checksum, or changing what it is of, after it was computed"),
    ("checksum.variable", "a checksum in a variable"),
    ("checksum.ways", "one checksum of different data on different ways"),
    ("counter.direct", "a counter in each table entry"),
    ("counter.indirect", "an array of counters"),
    ("counter.masked", "a counter in each entry of a table that is not matched exactly"),
    ("counter.places", "one counter counted in several places"),
    ("expr.nested", "several operations in one expression, and a verdict anywhere"),
    ("flow.affinity", "flows that stay with their server"),
    ("flow.after_change", "headers changed before it is known where a flow goes"),
    ("flow.evict", "a full bucket gives way by state and age"),
    ("flow.several", "several flows that stay or move, one after the other"),
    ("hash.crc32", "CRC-32 (IEEE 802.3)"),
    ("hash.crc32c", "CRC-32C with DPDK SWX's conventions"),
    ("hash.halfsiphash", "HalfSipHash-1-3"),
    ("header.pop", "taking headers off"),
    ("header.push", "putting headers on"),
    ("learn.add_on_miss", "entries that the data plane adds itself"),
    ("limiter.places", "one limiter asked more than once on a way"),
    ("packet.length", "the length of the frame that came in"),
    ("packet.preamble", "ports that put a frame's length and the clock in front of it"),
    ("packet.resubmit", "a second pass through the pipeline"),
    ("packet.told_length", "frames as long as their outermost IP header tells"),
    ("packet.truncate", "cutting a packet short"),
    ("parser.arith", "arithmetic in the parser"),
    ("parser.lookahead", "looking at bits before they are extracted"),
    ("parser.short", "frames that end inside a header, and go on without it"),
    ("pipe.egress", "stages behind the traffic manager"),
    ("ring.select", "a server by a hash, from a pool's table"),
    ("state.array", "arrays in memory, any number of accesses"),
    ("state.limiter", "a counter that holds packets back"),
    ("state.pair", "two words of 32 bits in one cell, compared and written in one go"),
    ("state.register", "registers, read and written by one packet"),
    ("table.exact", "exact match"),
    ("table.lpm", "longest prefix match"),
    ("table.optional", "optional match"),
    ("table.places", "one table or ring used in several places"),
    ("table.range", "range match"),
    ("table.ternary", "ternary match"),
    ("verdict.drop", "dropping packets"),
    ("verdict.forward", "sending packets out of a port"),
    ("verdict.pass", "handing packets to the host"),
];

/// A target, as its file states it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// As given to `--target`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Which emitter's skeleton: `v1model`, `xdp`, `rust`, `swx`, `pna`, `tna`.
    pub arch: String,
    /// Is there an emitter? Without one, `fit` alone says what would fit.
    pub emits: bool,
    /// Nanoseconds of one tick of the flow table's clock.
    pub tick_ns: u64,
    /// The port that stands for the host's own stack, where it is a port among others.
    #[serde(default)]
    pub host_port: Option<Limit>,
    /// For each of its pipes, the port whose packets come in again by it: so packets go from pipe to pipe.
    #[serde(default)]
    pub loop_ports: Option<Ports>,
    /// Targets whose programs are written beside its own, where the pipeline fits them.
    #[serde(default)]
    pub beside: Vec<String>,
    /// The command that judges what is emitted, if it is not ours.
    #[serde(default)]
    pub judge: Option<String>,
    /// What has been shown of its programs, weakest first.
    #[serde(default)]
    pub proven: Vec<Proven>,
    /// What its P4Runtime server serves beside tables, counters and rings.
    #[serde(default)]
    pub p4runtime: P4Runtime,
    /// Words of [`VOCABULARY`].
    pub provides: Vec<String>,
    /// What it has so much of, by name.
    pub limits: BTreeMap<String, Limit>,
    /// How needs that it doesn't provide directly are met, best first.
    #[serde(default, rename = "recipe")]
    pub recipes: Vec<Recipe>,
}

/// What a target's P4Runtime server serves, as the P4Info says; nothing where a file doesn't say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct P4Runtime {
    /// Flow tables can be read: each is a table that nobody writes.
    pub flow_tables: bool,
    /// Entries of tables with direct counters may have idle time-outs: who hits them is seen by those.
    pub idle_timeouts: bool,
    /// Packets go out of a port for a controller, and come in to it.
    pub packet_io: bool,
}

/// Something that has been shown of a target's programs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// How far it goes.
    pub level: Level,
    /// Who judges, with the version that was tried.
    pub by: String,
    /// Of which programs or packets.
    pub of: String,
}

/// How far a target's programs have been tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The target's compiler takes them.
    Compiled,
    /// They are loaded where they run: a chip's compiler has placed them, a kernel's verifier taken them.
    Placed,
    /// Packets go through them.
    Ran,
    /// What becomes of each packet equals the oracle's answer, byte for byte.
    ByteExact,
}

/// A number and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The number, in the unit that its name says.
    pub value: u64,
    /// Who says so.
    pub source: String,
}

/// Ports and where they come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ports {
    /// Their numbers.
    pub value: Vec<u16>,
    /// Who says so.
    pub source: String,
}

/// One way to meet a need.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The need that it answers: `flow.affinity`, `ring.select`, `ring.modulo`.
    pub answers: String,
    /// Its name, as `fit.txt` shows it.
    pub name: String,
    /// What it needs in turn.
    pub needs: Vec<String>,
    /// How it works, in a line.
    pub how: String,
    /// What it does not do as other targets do, a line each: `fit.txt` lists it.
    #[serde(default)]
    pub differs: Vec<String>,
}

/// The target files, by name.
const FILES: &[(&str, &str)] = &[
    ("bmv2", include_str!("../targets/bmv2.toml")),
    ("dpdk", include_str!("../targets/dpdk.toml")),
    ("native", include_str!("../targets/native.toml")),
    ("pna", include_str!("../targets/pna.toml")),
    ("psa-bmv2", include_str!("../targets/psa-bmv2.toml")),
    ("tofino", include_str!("../targets/tofino.toml")),
    ("tofino2", include_str!("../targets/tofino2.toml")),
    ("xdp", include_str!("../targets/xdp.toml")),
];

/// What is wrong with a target.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No file has this name.
    #[error("there is no target `{name}`; there are {known}")]
    Unknown {
        /// As asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The file is no target.
    #[error("target file {file}: {cause}")]
    Malformed {
        /// Its name.
        file: String,
        /// What the parser says.
        cause: Box<toml::de::Error>,
    },
    /// The file breaks a rule.
    #[error("target {name}: {fault}")]
    Fault {
        /// The target.
        name: String,
        /// Which rule.
        fault: String,
    },
}

/// The names of the built-in targets.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// A built-in target.
///
/// # Errors
/// If there is none of this name.
pub fn target(name: &str) -> Result<Target, TargetError> {
    match FILES.iter().find(|(n, _)| *n == name) {
        Some((_, text)) => Target::parse(name, text),
        None => {
            let known = names().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            Err(TargetError::Unknown { name: name.into(), known })
        }
    }
}

impl Target {
    /// Reads a target file's text and checks it.
    ///
    /// # Errors
    /// If it is malformed or breaks a rule.
    pub fn parse(file: &str, text: &str) -> Result<Self, TargetError> {
        let target: Self = toml::from_str(text)
            .map_err(|cause| TargetError::Malformed { file: file.into(), cause: Box::new(cause) })?;
        target.check()?;
        Ok(target)
    }

    /// Checks the rules of target files: known words, a source for every number, a recipe that can be reached.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), TargetError> {
        let fault = |fault: String| Err(TargetError::Fault { name: self.name.clone(), fault });
        let words = self.provides.iter().chain(self.recipes.iter().flat_map(|r| &r.needs));
        for word in words {
            if !VOCABULARY.iter().any(|(w, _)| w == word) {
                return fault(format!("`{word}` is no word of the vocabulary"));
            }
        }
        if let Some((name, _)) = self.limits.iter().find(|(_, l)| l.source.trim().is_empty()) {
            return fault(format!("limit `{name}` cites no source"));
        }
        if let Some((name, _)) = self.limits.iter().find(|(_, l)| l.value == 0) {
            return fault(format!("limit `{name}` is 0: what a target lacks is not in `provides`"));
        }
        if self.host_port.as_ref().is_some_and(|port| port.source.trim().is_empty()) {
            return fault("`host_port` cites no source".into());
        }
        if self.tick_ns == 0 {
            return fault("`tick_ns` is 0".into());
        }
        for (i, late) in self.recipes.iter().enumerate() {
            let shadow = self.recipes[..i].iter().find(|early| {
                early.answers == late.answers && early.needs.iter().all(|n| late.needs.contains(n))
            });
            if let Some(early) = shadow {
                return fault(format!(
                    "recipe `{}` can never be chosen: `{}` comes first",
                    late.name, early.name
                ));
            }
        }
        Ok(())
    }

    /// Does it provide this?
    #[must_use]
    pub fn provides(&self, word: &str) -> bool {
        self.provides.iter().any(|w| w == word)
    }

    /// A limit's number.
    #[must_use]
    pub fn limit(&self, name: &str) -> Option<u64> {
        self.limits.get(name).map(|l| l.value)
    }

    /// The first recipe for a need whose own needs are provided.
    #[must_use]
    pub fn recipe(&self, need: &str) -> Option<&Recipe> {
        self.recipes.iter().find(|r| r.answers == need && r.needs.iter().all(|n| self.provides(n)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_target_file_keeps_the_rules() {
        for name in names() {
            let target = target(name).unwrap();
            assert_eq!(target.name, name, "file and name differ");
        }
    }

    #[test]
    fn bad_files_are_refused() {
        let good = FILES[0].1;
        for (from, to, says) in [
            ("\"table.exact\"", "\"table.exakt\"", "no word"),
            ("tick_ns = ", "tick_ns = 0 #", "tick_ns"),
            (
                "source = \"house rule: simple_switch's --cpu-port\"",
                "source = \"\"",
                "`host_port` cites no source",
            ),
            ("arch = ", "arhc = ", "unknown field"),
            ("ports = { value = 510", "ports = { value = 0", "limit `ports` is 0"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "{from} is not in the file");
            let error = Target::parse("bad", &text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = target("xpd").unwrap_err().to_string();
        assert!(error.contains("`xdp`") && error.contains("`bmv2`"), "{error}");
    }
}
