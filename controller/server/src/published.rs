//! What everybody but the leading task reads.

use bytes::Bytes;
use control_core::{NodeView, State};
use control_proto::v1::ProbeTargets;
use control_registry::Term;
use prost::Message as _;
use std::sync::{Arc, OnceLock};

/// Who leads, as far as this controller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It does.
    Leads(Term),
    /// Another does, at that address; nobody, as long as an election lasts.
    Follows(Option<String>),
}

impl Role {
    pub(crate) fn leads(&self) -> bool {
        matches!(self, Self::Leads(_))
    }

    pub(crate) fn term(&self) -> Option<Term> {
        match self {
            Self::Leads(term) => Some(*term),
            Self::Follows(_) => None,
        }
    }
}

/// What nodes are told: each message is encoded once, for all who get the same.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) view: Arc<NodeView>,
    whole: OnceLock<Bytes>,
    /// The version of which most have been told, as whoever asks first has, and what comes after it.
    news: OnceLock<(u64, Bytes)>,
}

impl Told {
    /// What they are told of the next state.
    fn next(&self, state: &State) -> Self {
        Self { view: Arc::new(NodeView::of(state, &self.view)), ..Self::default() }
    }

    /// The NodeSnapshot that a node must get, which has been told of `sent`; none: of nothing.
    pub(crate) fn since(&self, sent: Option<&NodeView>) -> Bytes {
        let encode = |before: Option<&NodeView>| Bytes::from(self.view.since(before).encode_to_vec());
        let Some(sent) = sent else { return self.whole.get_or_init(|| encode(None)).clone() };
        match self.news.get_or_init(|| (sent.version, encode(Some(sent)))) {
            (version, news) if *version == sent.version => news.clone(),
            // One that was slow, or all the others were.
            _ => encode(Some(sent)),
        }
    }
}

/// What is in force.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) state: Arc<State>,
    pub(crate) nodes: Arc<Told>,
    pub(crate) targets: Arc<ProbeTargets>,
    pub(crate) role: Role,
    /// Whether the registry has been read at all.
    pub(crate) loaded: bool,
}

impl Published {
    /// Puts a state in force; what is the same as before is shared with it.
    pub(crate) fn put(&mut self, state: Arc<State>, suspect: impl Fn(&str, &str) -> bool) {
        self.nodes = Arc::new(self.nodes.next(&state));
        self.look(&state, suspect);
        self.state = state;
        self.loaded = true;
    }

    /// Sees who is to be probed, and how.
    pub(crate) fn look(&mut self, state: &State, suspect: impl Fn(&str, &str) -> bool) -> bool {
        let targets = state.targets(suspect);
        let differs = targets.targets != self.targets.targets;
        if differs {
            let version = targets.version.max(self.targets.version + 1);
            self.targets = Arc::new(ProbeTargets { version, ..targets });
        }
        differs
    }
}
