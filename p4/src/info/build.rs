//! P4Info from the objects of a program.

use thiserror::Error;

use super::id::{Assigned, Kind, Symbols};
use super::{
    Action, ActionCall, ActionRef, ControllerHeader, Counter, DirectCounter, MatchField, MatchType, P4Info,
    Param, Preamble, Register, Scope, Table, Unit,
};

/// Why objects make no P4Info.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Two objects of a kind have the same name.
    #[error("{name} is declared twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Something refers to an object that there is not.
    #[error("{name} is not declared")]
    Unknown {
        /// The name.
        name: String,
    },
    /// An id that the user gave belongs to another kind, or is 0.
    #[error("{name}: id {id:#010x} has not the prefix of its kind")]
    WrongPrefix {
        /// The object's name.
        name: String,
        /// The id.
        id: u32,
    },
    /// Two objects were given the same id.
    #[error("{name}: id {id:#010x} is taken")]
    IdTaken {
        /// The object's name.
        name: String,
        /// The id.
        id: u32,
    },
    /// No id of the kind is left.
    #[error("{name}: no id is left")]
    Full {
        /// The object's name.
        name: String,
    },
    /// A direct counter belongs to no table, or to several.
    #[error("{name} counts for {tables} tables instead of one")]
    DirectCounter {
        /// The counter's name.
        name: String,
        /// How many tables name it.
        tables: usize,
    },
}

/// A table to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTable {
    /// The control-plane name: `ingress.vip4`.
    pub name: String,
    /// The id from `@id`, with or without the kind's prefix.
    pub id: Option<u32>,
    /// Name, bits and match type of each key.
    pub keys: Vec<(String, u32, MatchType)>,
    /// Name and scope of each action of its list.
    pub actions: Vec<(String, Scope)>,
    /// Name and arguments (big-endian) of the default action; `None` for `NoAction`.
    pub default_action: Option<(String, Vec<Vec<u8>>)>,
    /// The control plane can't change the default action.
    pub const_default_action: bool,
    /// Name of the direct counter.
    pub direct_counter: Option<String>,
    /// Entries that fit.
    pub size: u32,
    /// Entries can time out.
    pub idle_timeout: bool,
    /// All entries are in the program, and constant.
    pub const_entries: bool,
    /// The program states entries.
    pub initial_entries: bool,
    /// Annotations as they are written.
    pub annotations: Vec<String>,
}

/// An action to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAction {
    /// The control-plane name: `ingress.set_vip`.
    pub name: String,
    /// The id from `@id`, with or without the kind's prefix.
    pub id: Option<u32>,
    /// Name and bits of each parameter.
    pub params: Vec<(String, u32)>,
    /// Annotations as they are written.
    pub annotations: Vec<String>,
}

/// Collects the objects of a program, in the order in which P4Info lists them.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    arch: String,
    symbols: Symbols,
    tables: Vec<NewTable>,
    actions: Vec<NewAction>,
    counters: Vec<(String, Unit, u32)>,
    direct_counters: Vec<(String, Unit)>,
    headers: Vec<(String, Vec<(String, u32)>)>,
    registers: Vec<(String, u32, u32)>,
    error: Option<Error>,
}

/// The action that does nothing, from `core.p4`.
const NO_ACTION: &str = "NoAction";

impl Builder {
    /// Nothing yet, for an architecture.
    pub fn new(arch: impl Into<String>) -> Self {
        Self { arch: arch.into(), ..Self::default() }
    }

    /// Adds a table; its actions and its direct counter may be added later.
    pub fn table(&mut self, table: NewTable) -> &mut Self {
        self.add(Kind::Table, &table.name, table.id);
        self.tables.push(table);
        self
    }

    /// Adds an action.
    pub fn action(&mut self, action: NewAction) -> &mut Self {
        self.add(Kind::Action, &action.name, action.id);
        self.actions.push(action);
        self
    }

    /// Adds `NoAction` from `core.p4`, with the annotation that it has there.
    pub fn no_action(&mut self) -> &mut Self {
        let annotations = vec!["@noWarn(\"unused\")".to_owned()];
        self.action(NewAction { name: NO_ACTION.to_owned(), annotations, ..NewAction::default() })
    }

    /// Adds an array of `size` counters.
    pub fn counter(&mut self, name: impl Into<String>, id: Option<u32>, unit: Unit, size: u32) -> &mut Self {
        let name = name.into();
        self.add(Kind::Counter, &name, id);
        self.counters.push((name, unit, size));
        self
    }

    /// Adds the counter that a table names as its direct counter.
    pub fn direct_counter(&mut self, name: impl Into<String>, id: Option<u32>, unit: Unit) -> &mut Self {
        let name = name.into();
        self.add(Kind::DirectCounter, &name, id);
        self.direct_counters.push((name, unit));
        self
    }

    /// Adds what goes with packets from (`packet_in`) or to (`packet_out`) the program: names and bits.
    pub fn header(&mut self, name: impl Into<String>, fields: Vec<(String, u32)>) -> &mut Self {
        let name = name.into();
        self.add(Kind::ControllerHeader, &name, None);
        self.headers.push((name, fields));
        self
    }

    /// Adds an array of `size` registers of `bitwidth` bits.
    pub fn register(
        &mut self,
        name: impl Into<String>,
        id: Option<u32>,
        bitwidth: u32,
        size: u32,
    ) -> &mut Self {
        let name = name.into();
        self.add(Kind::Register, &name, id);
        self.registers.push((name, bitwidth, size));
        self
    }

    /// The P4Info of all objects.
    ///
    /// # Errors
    /// See [`enum@Error`]; the first one that was found.
    pub fn build(&self) -> Result<P4Info, Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let ids = self.symbols.assign()?;
        Ok(P4Info {
            arch: self.arch.clone(),
            tables: self.tables.iter().map(|t| table(&ids, t)).collect::<Result<_, _>>()?,
            actions: self.actions.iter().map(|a| action(&ids, a)).collect::<Result<_, _>>()?,
            counters: self.counters.iter().map(|c| counter(&ids, c)).collect::<Result<_, _>>()?,
            direct_counters: self
                .direct_counters
                .iter()
                .map(|c| self.finish_direct_counter(&ids, c))
                .collect::<Result<_, _>>()?,
            headers: self.headers.iter().map(|h| header(&ids, h)).collect::<Result<_, _>>()?,
            registers: self.registers.iter().map(|r| register(&ids, r)).collect::<Result<_, _>>()?,
        })
    }

    fn add(&mut self, kind: Kind, name: &str, id: Option<u32>) {
        if let Err(error) = self.symbols.add(kind, name, id) {
            self.error.get_or_insert(error);
        }
    }

    fn finish_direct_counter(
        &self,
        ids: &Assigned,
        (name, unit): &(String, Unit),
    ) -> Result<DirectCounter, Error> {
        let tables: Vec<_> = self.tables.iter().filter(|t| t.direct_counter.as_ref() == Some(name)).collect();
        let [table] = tables.as_slice() else {
            return Err(Error::DirectCounter { name: name.clone(), tables: tables.len() });
        };
        Ok(DirectCounter {
            preamble: preamble(ids, Kind::DirectCounter, name)?,
            unit: *unit,
            direct_table_id: ids.id(Kind::Table, &table.name)?,
        })
    }
}

fn preamble(ids: &Assigned, kind: Kind, name: &str) -> Result<Preamble, Error> {
    let id = ids.id(kind, name)?;
    Ok(Preamble { id, name: name.to_owned(), alias: ids.alias(name), annotations: Vec::new() })
}

fn table(ids: &Assigned, new: &NewTable) -> Result<Table, Error> {
    let fields = (1..).zip(&new.keys).map(|(id, (name, bitwidth, match_type))| MatchField {
        id,
        name: name.clone(),
        bitwidth: *bitwidth,
        match_type: *match_type,
    });
    let refs = new
        .actions
        .iter()
        .map(|(name, scope)| Ok(ActionRef { id: ids.id(Kind::Action, name)?, scope: *scope }));
    let (default, arguments) = match &new.default_action {
        Some((name, arguments)) => (name.as_str(), arguments.clone()),
        None => (NO_ACTION, Vec::new()),
    };
    let default = ids.id(Kind::Action, default)?;
    let direct = new.direct_counter.iter().map(|name| ids.id(Kind::DirectCounter, name));
    let preamble = preamble(ids, Kind::Table, &new.name)?;
    Ok(Table {
        preamble: Preamble { annotations: new.annotations.clone(), ..preamble },
        match_fields: fields.collect(),
        action_refs: refs.collect::<Result<_, _>>()?,
        const_default_action_id: new.const_default_action.then_some(default),
        initial_default_action: Some(ActionCall { action_id: default, arguments }),
        direct_resource_ids: direct.collect::<Result<_, _>>()?,
        size: new.size,
        idle_timeout: new.idle_timeout,
        is_const_table: new.const_entries,
        has_initial_entries: new.initial_entries || new.const_entries,
    })
}

fn action(ids: &Assigned, new: &NewAction) -> Result<Action, Error> {
    let params = (1..).zip(&new.params).map(|(id, (name, bitwidth))| Param {
        id,
        name: name.clone(),
        bitwidth: *bitwidth,
    });
    let preamble = preamble(ids, Kind::Action, &new.name)?;
    Ok(Action {
        preamble: Preamble { annotations: new.annotations.clone(), ..preamble },
        params: params.collect(),
    })
}

fn counter(ids: &Assigned, (name, unit, size): &(String, Unit, u32)) -> Result<Counter, Error> {
    Ok(Counter { preamble: preamble(ids, Kind::Counter, name)?, unit: *unit, size: *size })
}

fn header(ids: &Assigned, (name, fields): &(String, Vec<(String, u32)>)) -> Result<ControllerHeader, Error> {
    let preamble = preamble(ids, Kind::ControllerHeader, name)?;
    let annotations = vec![format!("@controller_header(\"{name}\")")];
    let metadata =
        (1..).zip(fields).map(|(id, (name, bitwidth))| Param { id, name: name.clone(), bitwidth: *bitwidth });
    Ok(ControllerHeader { preamble: Preamble { annotations, ..preamble }, metadata: metadata.collect() })
}

fn register(ids: &Assigned, (name, bitwidth, size): &(String, u32, u32)) -> Result<Register, Error> {
    let preamble = preamble(ids, Kind::Register, name)?;
    Ok(Register { preamble, bitwidth: *bitwidth, size: *size })
}
