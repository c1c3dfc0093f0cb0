//! Who may write (specification §5): a pure state machine over the clients of one device.
//!
//! The primary of a role is the client whose election id is the highest that was ever seen for that role. When it
//! leaves, or asks for less, there is none until a client asks for at least as much.

use crate::status::Failure;
use p4runtime_proto::google::rpc;
use p4runtime_proto::p4::v1::{MasterArbitrationUpdate, Role, Uint128};
use std::collections::BTreeMap;
use tonic::Code;

/// A stream, as long as it is open.
pub(crate) type Client = u64;

/// The roles of a device with their clients.
#[derive(Debug)]
pub(crate) struct Arbitration {
    device: u64,
    roles: BTreeMap<String, Clients>,
    /// Role of each client.
    live: BTreeMap<Client, String>,
}

#[derive(Debug, Default)]
struct Clients {
    /// Ever seen.
    highest: Option<u128>,
    primary: Option<Client>,
    /// With their election ids.
    live: BTreeMap<Client, Option<u128>>,
}

/// A message for a client.
pub(crate) type Note = (Client, MasterArbitrationUpdate);

fn number(id: Option<&Uint128>) -> Option<u128> {
    id.map(|id| u128::from(id.high) << 64 | u128::from(id.low))
}

impl Arbitration {
    pub(crate) fn new(device: u64) -> Self {
        Self { device, roles: BTreeMap::new(), live: BTreeMap::new() }
    }

    /// Takes a client's message; gives what is to be sent, in order.
    ///
    /// # Errors
    /// What the client's stream ends with; nothing has changed then.
    pub(crate) fn update(
        &mut self,
        client: Client,
        asked: &MasterArbitrationUpdate,
    ) -> Result<Vec<Note>, Failure> {
        let role = asked.role.as_ref().map_or("", |r| r.name.as_str());
        self.check_stream(client, asked, role)?;
        if asked.role.as_ref().is_some_and(|r| r.config.is_some()) {
            return Err(Failure::invalid(format!(
                "role `{role}`: no scheme of role configs is agreed on; leave `role.config` out: a role may do everything"
            )));
        }
        let election = number(asked.election_id.as_ref());
        let clients = self.roles.entry(role.to_owned()).or_default();
        let taken = |(other, id): (&Client, &Option<u128>)| *other != client && *id == election;
        if election.is_some() && clients.live.iter().any(taken) {
            let id = election.unwrap_or_default();
            return Err(Failure::invalid(format!(
                "election id {id} is another client's of role `{role}`; choose one of your own"
            )));
        }
        clients.live.insert(client, election);
        self.live.insert(client, role.to_owned());
        let was_primary = clients.primary == Some(client);
        if election.is_some() && election >= clients.highest {
            clients.highest = election;
            clients.primary = Some(client);
            Ok(self.notes(role, |_| true))
        } else if was_primary {
            clients.primary = None;
            Ok(self.notes(role, |_| true))
        } else {
            Ok(self.notes(role, |other| other == client))
        }
    }

    fn check_stream(
        &self,
        client: Client,
        asked: &MasterArbitrationUpdate,
        role: &str,
    ) -> Result<(), Failure> {
        let device = self.device;
        let before = self.live.get(&client);
        if asked.device_id != device {
            let code = if before.is_some() { Code::FailedPrecondition } else { Code::NotFound };
            let given = asked.device_id;
            return Err(Failure::new(
                code,
                format!("there is no device {given}; this one is device {device}"),
            ));
        }
        match before {
            Some(before) if before != role => Err(Failure::new(
                Code::FailedPrecondition,
                format!("this stream has role `{before}`; open another one for role `{role}`"),
            )),
            _ => Ok(()),
        }
    }

    /// A client's stream has ended; gives what is to be sent to others.
    pub(crate) fn leave(&mut self, client: Client) -> Vec<Note> {
        let Some(role) = self.live.remove(&client) else { return Vec::new() };
        let Some(clients) = self.roles.get_mut(&role) else { return Vec::new() };
        clients.live.remove(&client);
        if clients.primary != Some(client) {
            return Vec::new();
        }
        clients.primary = None;
        self.notes(&role, |_| true)
    }

    /// The primary of each role that has one.
    pub(crate) fn primaries(&self) -> impl Iterator<Item = Client> {
        self.roles.values().filter_map(|clients| clients.primary)
    }

    /// Is this the primary of its role?
    pub(crate) fn is_primary(&self, client: Client) -> bool {
        let role = self.live.get(&client).and_then(|role| self.roles.get(role));
        role.is_some_and(|r| r.primary == Some(client))
    }

    /// May a request with this role and election id write?
    pub(crate) fn may_write(&self, role: &str, election: Option<&Uint128>) -> Result<(), Failure> {
        let Some(clients) = self.roles.get(role) else {
            // The default role always is one of the device's.
            let code = if role.is_empty() { Code::PermissionDenied } else { Code::NotFound };
            return Err(Failure::new(code, format!("no client has arbitrated for role `{role}`")));
        };
        let given = number(election);
        let of_primary = clients.primary.and_then(|p| clients.live.get(&p).copied().flatten());
        match (of_primary, given) {
            (Some(primary), Some(given)) if primary == given => Ok(()),
            (Some(primary), given) => {
                let given = given.map_or("none".to_owned(), |g| g.to_string());
                let text = format!("role `{role}`: election id {given} is not the primary's, {primary}");
                Err(Failure::new(Code::PermissionDenied, text))
            }
            (None, _) => Err(Failure::new(
                Code::PermissionDenied,
                format!("role `{role}` has no primary; open a stream and arbitrate with an election id"),
            )),
        }
    }

    /// The notification for each client of a role that is wanted: the primary's is the last.
    fn notes(&self, role: &str, wanted: impl Fn(Client) -> bool) -> Vec<Note> {
        let Some(clients) = self.roles.get(role) else { return Vec::new() };
        let others = clients.live.keys().filter(|c| Some(**c) != clients.primary);
        let all = others.chain(clients.primary.as_ref()).filter(|c| wanted(**c));
        all.map(|client| (*client, self.note(role, clients, *client))).collect()
    }

    fn note(&self, role: &str, clients: &Clients, client: Client) -> MasterArbitrationUpdate {
        let (code, message) = match clients.primary {
            Some(primary) if primary == client => (Code::Ok, "you are the primary"),
            Some(_) => (Code::AlreadyExists, "another client is the primary"),
            None => (Code::NotFound, "there is no primary"),
        };
        let election_id = clients.highest.map(|h| Uint128 { high: (h >> 64) as u64, low: h as u64 });
        let role = (!role.is_empty()).then(|| Role { name: role.to_owned(), ..Role::default() });
        let status =
            Some(rpc::Status { code: code as i32, message: message.to_owned(), ..rpc::Status::default() });
        MasterArbitrationUpdate { device_id: self.device, role, election_id, status }
    }
}
