//! What everybody but the leading task reads.

use control_core::{NodeView, State};
use control_proto::v1::ProbeTargets;
use control_registry::Term;
use std::sync::Arc;

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

/// What is in force.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) state: Arc<State>,
    pub(crate) nodes: Arc<NodeView>,
    pub(crate) targets: Arc<ProbeTargets>,
    pub(crate) role: Role,
    /// Whether the registry has been read at all.
    pub(crate) loaded: bool,
}

impl Published {
    /// Puts a state in force; what is the same as before is shared with it.
    pub(crate) fn put(&mut self, state: Arc<State>, suspect: impl Fn(&str, &str) -> bool) {
        let nodes = NodeView::of(&state, &self.nodes);
        self.nodes = Arc::new(nodes);
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
