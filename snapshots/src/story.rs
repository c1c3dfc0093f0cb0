//! Stories: what is sent, and what is expected, as `packets.toml` says it.
//!
//! ```toml
//! sizes = { FLOW_ENTRIES = "64" }           # constants of the pipeline that are other than in its source
//! [names]
//! vip = "10.200.1.1"                        # `$vip` in any text below
//!
//! [[entry]]                                 # there before each story
//! table = "vip4"
//! key = { dst = "$vip", protocol = 6, dst_port = 80 }
//! action = "set_vip"
//! params = { vip = 1, pool = 1, hash_key = 7, flags = 0, class = 0 }
//!
//! [[ring]]                                  # all slots of a generation: the ids, over and over
//! ring = "ring"
//! pool = 1
//! generation = 0
//! ids = [5]
//!
//! [[packet]]                                # a story of one step
//! about = "what this shows"
//! in = "eth / ip4(dst=$vip) / tcp(flags=S)"
//! verdict = "forward 2"                     # or "pass", or "drop mtu"
//! out = "eth / ip4 / inner"                 # "same": the received frame; absent: not looked at
//!
//! [[story]]
//! about = "what this shows"
//! counters = { "drop.mtu" = 1 }             # packets, when the story ends
//! states = { flows4 = "new tcp" }           # what the flow table holds then, by bucket and way
//! real_time = true                          # a data plane whose clock runs by itself is given the time; few ticks
//! [[story.step]]
//! port = 1                                  # 1 unless given
//! now = 100                                 # tick; that of the step before unless given, 0 at first
//! repeat = 2                                # once unless given; `before` happens once
//! before = [{ delete = { table = "backend", key = { backend = 5 } } }]
//! in = "..."
//! verdict = "..."
//! ```

use crate::entries::{EntryText, RingText};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// A file of stories.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stories {
    /// Constants of the pipeline that are other than in its source.
    #[serde(default)]
    pub sizes: BTreeMap<String, String>,
    /// Texts by name.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// What is written before each story.
    #[serde(default)]
    pub entry: Vec<EntryText>,
    /// Rings filled before each story.
    #[serde(default)]
    pub ring: Vec<RingText>,
    /// Stories of one step.
    #[serde(default)]
    packet: Vec<OnePacket>,
    /// Stories.
    #[serde(default)]
    pub story: Vec<Story>,
}

#[derive(Clone, Debug, Deserialize)]
struct OnePacket {
    about: String,
    #[serde(default)]
    counters: BTreeMap<String, u64>,
    #[serde(flatten)]
    step: Step,
}

/// Packets in order, from a fresh state.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What it shows.
    pub about: String,
    /// Packets that named counters have counted in the end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
    /// The states of a flow table's entries in the end, by bucket and way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, String>,
    /// Data planes whose clock runs by itself take part: they wait for each step's tick.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub real_time: bool,
    /// What happens.
    pub step: Vec<Step>,
}

/// One packet.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Step {
    /// Where it comes in; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u32>,
    /// When: a tick; that of the step before unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<u32>,
    /// How often, one after the other, each with the same result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u16>,
    /// What the control plane writes before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Change>,
    /// The frame, in the notation of [`packet`](crate::packet).
    #[serde(rename = "in")]
    pub packet: String,
    /// `forward <port>`, `pass` or `drop <reason>`; not looked at if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// What leaves; not looked at if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<String>,
}

/// What the control plane does.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A new entry.
    Insert(EntryText),
    /// Other data for an entry.
    Modify(EntryText),
    /// An entry goes.
    Delete(EntryText),
    /// A generation of a ring, whole.
    Ring(RingText),
}

impl Step {
    fn repeated(self) -> Vec<Self> {
        let times = usize::from(self.repeat.unwrap_or(1));
        let again = Self { before: Vec::new(), repeat: None, ..self.clone() };
        std::iter::once(Self { repeat: None, ..self }).chain(vec![again; times.saturating_sub(1)]).collect()
    }
}

impl Stories {
    /// Reads a file's text.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn parse(text: &str) -> Result<Self> {
        let mut root: Table = text.parse()?;
        let names = root.get("names").and_then(Value::as_table).cloned().unwrap_or_default();
        let mut names: Vec<(String, String)> =
            names.into_iter().filter_map(|(n, v)| Some((n, v.as_str()?.to_owned()))).collect();
        // A longer name first: `$vip6` is not `$vip` and a 6.
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (_, value) in &mut root {
            expand(value, &names)?;
        }
        let mut all: Self = root.try_into().context("the file's shape")?;
        let single = std::mem::take(&mut all.packet).into_iter().map(|p| Story {
            about: p.about,
            counters: p.counters,
            step: vec![p.step],
            ..Story::default()
        });
        all.story = single.chain(std::mem::take(&mut all.story)).collect();
        for story in &mut all.story {
            let steps = std::mem::take(&mut story.step);
            story.step = steps.into_iter().flat_map(Step::repeated).collect();
        }
        Ok(all)
    }

    /// The constants to replace, as the front end takes them.
    #[must_use]
    pub fn overrides(&self) -> Vec<(String, String)> {
        self.sizes.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }
}

/// Puts texts in the place of their names; names may stand in the texts of others.
fn expand(value: &mut Value, names: &[(String, String)]) -> Result<()> {
    match value {
        Value::String(text) => {
            for _ in 0..4 {
                for (name, with) in names {
                    *text = text.replace(&format!("${name}"), with);
                }
            }
            if text.contains('$') {
                bail!("`{text}`: no name for what follows `$`");
            }
        }
        Value::Array(items) => items.iter_mut().try_for_each(|v| expand(v, names))?,
        Value::Table(fields) => fields.iter_mut().try_for_each(|(_, v)| expand(v, names))?,
        _ => {}
    }
    Ok(())
}
