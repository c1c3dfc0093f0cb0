//! What an entry holds beside its key.

use crate::bytes_of;
use pipeline_ir::{ActionId, Pipeline, Table, VarId};

/// Offsets in an entry's data; a multiple of 8 bytes, zero when empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataLayout {
    /// Size of the data.
    pub bytes: u32,
    /// Offset of the key (4 bytes) in a slot table.
    pub key: Option<u32>,
    /// Offset of the counter's index (4 bytes).
    pub index: Option<u32>,
    /// Offset of the action (1 byte): 0 empty, else 1 + its place in the table's list.
    pub action: u32,
    /// Offset of the [fold](crate::fold) (4 bytes), by action.
    pub folds: Vec<(ActionId, u32)>,
    /// The parameters of each of the table's actions.
    pub params: Vec<(ActionId, Vec<Param>)>,
}

/// Where a parameter lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Param {
    pub var: VarId,
    pub at: u32,
    pub bytes: u32,
}

impl DataLayout {
    pub(crate) fn of(p: &Pipeline, table: &Table, (key, index): (bool, bool), folded: &[ActionId]) -> Self {
        let mut common = Space::default();
        let key = key.then(|| common.take(4));
        let index = index.then(|| common.take(4));
        let action = common.take(1);
        let mut bytes = common.end;
        let mut params = Vec::new();
        let mut folds = Vec::new();
        for id in &table.actions {
            let mut space = common.clone();
            let vars = &p.actions[id.index()].params;
            let mut order: Vec<_> = vars.iter().map(|v| (*v, bytes_of(p.var(*v).ty.width()))).collect();
            order.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
            let mut placed: Vec<_> = order
                .into_iter()
                .map(|(var, size)| Param { var, at: space.take(size), bytes: size })
                .collect();
            if folded.contains(id) {
                folds.push((*id, space.take(4)));
            }
            placed.sort_by_key(|q| vars.iter().position(|v| *v == q.var));
            bytes = bytes.max(space.end);
            params.push((*id, placed));
        }
        Self { bytes: bytes.next_multiple_of(8), key, index, action, folds, params }
    }

    /// The fold's offset of an action.
    #[must_use]
    pub fn fold_of(&self, action: ActionId) -> Option<u32> {
        self.folds.iter().find(|(id, _)| *id == action).map(|(_, at)| *at)
    }

    /// The parameters of an action.
    #[must_use]
    pub fn params_of(&self, action: ActionId) -> &[Param] {
        self.params.iter().find(|(id, _)| *id == action).map_or(&[], |(_, q)| q)
    }
}

/// Bytes in use.
#[derive(Clone, Default)]
struct Space {
    used: Vec<bool>,
    end: u32,
}

impl Space {
    /// The first free place, aligned to its size (at most 8).
    fn take(&mut self, size: u32) -> u32 {
        let step = size.clamp(1, 8);
        let free =
            |used: &[bool], at: u32| (at..at + size).all(|i| !used.get(i as usize).copied().unwrap_or(false));
        let mut at = 0;
        while !free(&self.used, at) {
            at += step;
        }
        self.end = self.end.max(at + size);
        self.used.resize(self.used.len().max(self.end as usize), false);
        self.used[at as usize..(at + size) as usize].fill(true);
        at
    }
}
