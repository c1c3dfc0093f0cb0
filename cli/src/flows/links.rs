//! What the numbers in a flow stand for, by the tables around: a service's number is a parameter that some table gives to
//! addresses, a backend's the key of the table that says where it is.

use super::which::{Client, Vip};
use crate::Refused;
use p4runtime_proto::p4::v1::TableEntry;
use p4runtime_proto::schema::{Field, Kind, Schema, Table};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::{Flow, Names, Session};
use std::collections::BTreeMap;

/// Names of the key fields of a flow that are its ends.
const CLIENT: [&str; 2] = ["src", "client"];
const SERVICE: [&str; 2] = ["dst", "service"];
const PORT: [&str; 2] = ["dst_port", "vip_port"];

/// A service that has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Service {
    pub(super) address: u128,
    /// None: any.
    pub(super) port: Option<u128>,
    pub(super) bits: u32,
}

/// What is known around a flow table.
#[derive(Debug, Default)]
pub(super) struct Links {
    client: Option<Field>,
    service: Option<Field>,
    port: Option<Field>,
    /// The key field that is a service's number, and the services.
    number: Option<Field>,
    services: BTreeMap<u128, Vec<Service>>,
    /// Where a backend is: its entry's `dst`, as text.
    backends: BTreeMap<u128, String>,
}

fn named(table: &Table, names: &[&str]) -> Option<Field> {
    names.iter().find_map(|name| table.field_named(name)).cloned()
}

fn exact(entry: &Entry, names: &[&str]) -> Option<u128> {
    let found = entry.key.iter().find(|(name, _)| names.contains(&name.as_str()));
    found.and_then(|(_, value)| match value {
        KeyValue::Exact(value) => Some(*value),
        _ => None,
    })
}

/// Tables with an action that has such a parameter.
fn giving<'a>(schema: &'a Schema, field: &'a Field) -> impl Iterator<Item = &'a Table> {
    let gives = |t: &&Table| {
        let mut actions = t.actions.iter().filter_map(|a| schema.action(a.id));
        !t.is_const && actions.any(|a| a.param_named(&field.name).is_some_and(|p| p.bits == field.bits))
    };
    schema.tables().filter(gives)
}

impl Links {
    /// Reads the tables that say more of a flow table's flows.
    pub(super) async fn read(session: &Session, names: &Names, table: &Table) -> Result<Self, Refused> {
        let mut links = Self {
            client: named(table, &CLIENT),
            service: named(table, &SERVICE),
            port: named(table, &PORT),
            ..Self::default()
        };
        let ends = [&links.client, &links.service, &links.port];
        let mut others = table.fields.iter().filter(|f| !ends.iter().any(|e| e.as_ref() == Some(*f)));
        let schema = names.schema();
        links.number = others.find(|f| giving(schema, f).next().is_some()).cloned();
        if let Some(number) = links.number.clone() {
            for from in giving(schema, &number) {
                for entry in entries(session, names, from).await? {
                    links.add_service(from, &entry, &number.name);
                }
            }
        }
        let bits = id_bits(schema, table);
        let is_backends = |t: &&Table| {
            let [key] = t.fields.as_slice() else { return false };
            !t.is_const && key.kind == Kind::Exact && Some(key.bits) == bits
        };
        let mut tables = schema.tables().filter(is_backends);
        if let (Some(from), None) = (tables.next(), tables.next()) {
            for entry in entries(session, names, from).await? {
                let Some((_, KeyValue::Exact(id))) = entry.key.first() else { continue };
                let place = names.shown_params(&entry).into_iter().find(|(name, _)| name == "dst");
                links.backends.extend(place.map(|(_, place)| (*id, place)));
            }
        }
        Ok(links)
    }

    fn add_service(&mut self, from: &Table, entry: &Entry, number: &str) {
        let number = entry.params.iter().find(|(name, _)| name == number).map(|(_, v)| *v);
        let bits = named(from, &SERVICE).map(|f| f.bits);
        let own = self.client.as_ref().map(|f| f.bits);
        if let (Some(number), Some(address), Some(bits)) = (number, exact(entry, &SERVICE), bits)
            && own.is_none_or(|own| own == bits)
        {
            let service = Service { address, port: exact(entry, &PORT), bits };
            let services = self.services.entry(number).or_default();
            if !services.contains(&service) {
                services.push(service);
                services.sort();
            }
        }
    }

    fn value(field: Option<&Field>, flow: &Flow) -> Option<u128> {
        let field = field?;
        flow.key.iter().find(|(name, _)| *name == field.name).map(|(_, value)| *value)
    }

    /// The services that a flow is to: one, as long as numbers are not shared.
    pub(super) fn services(&self, flow: &Flow) -> Vec<Service> {
        let port = Self::value(self.port.as_ref(), flow);
        if let (Some(address), Some(field)) =
            (Self::value(self.service.as_ref(), flow), self.service.as_ref())
        {
            return vec![Service { address, port, bits: field.bits }];
        }
        let number = Self::value(self.number.as_ref(), flow);
        let all = number.and_then(|n| self.services.get(&n)).map_or(&[][..], Vec::as_slice);
        // One that is for this port is meant before one for any.
        let own = all.iter().filter(|s| s.port.is_some() && s.port == port);
        let any = all.iter().filter(|s| s.port.is_none());
        own.chain(any).map(|s| Service { port: port.or(s.port), ..*s }).take(1).collect()
    }

    pub(super) fn is_to(&self, flow: &Flow, vip: &Vip) -> bool {
        let same = |s: &Service| {
            (s.bits, s.address) == (vip.bits, vip.address)
                && vip.port.is_none_or(|port| s.port == Some(port.into()))
        };
        self.services(flow).iter().any(same)
    }

    pub(super) fn is_from(&self, flow: &Flow, client: &Client) -> bool {
        let Some(field) = &self.client else { return false };
        Self::value(Some(field), flow).is_some_and(|address| client.has(field.bits, address))
    }

    /// Where its backend is, if a table says that.
    pub(super) fn backend(&self, flow: &Flow) -> Option<&str> {
        self.backends.get(&flow.id.into()).map(String::as_str)
    }
}

fn id_bits(schema: &Schema, table: &Table) -> Option<u32> {
    let mut actions = table.actions.iter().filter_map(|a| schema.action(a.id));
    actions.find_map(|a| a.param_named(pipeline_ir::flow::names::ID)).map(|p| p.bits)
}

async fn entries(session: &Session, names: &Names, table: &Table) -> Result<Vec<Entry>, Refused> {
    let asked = TableEntry { table_id: table.id, ..TableEntry::default() };
    let mut all = Vec::new();
    for message in session.table_entries(asked).await? {
        all.push(names.named(&message)?);
    }
    Ok(all)
}
