//! The connection of a session: one task that connects, stands for election, reads the stream, and begins anew.

use crate::error::{causes, failed};
use crate::session::{Options, uint128};
use crate::{ClientError, Event, tls};
use p4runtime_proto::p4::v1 as proto;
use p4runtime_proto::p4::v1::p4_runtime_client::P4RuntimeClient;
use proto::stream_message_request::Update as Said;
use proto::stream_message_response::Update as Heard;
use proto::{
    CapabilitiesRequest, MasterArbitrationUpdate, Role, StreamMessageRequest, StreamMessageResponse,
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

/// A failed batch of 1,000 updates has 139 KB of trailers, one of 131,072, which our own server takes at most, 9 MB.
const HEADER_LIST: u32 = 16 << 20;
/// What may be under way before the server must have read it.
const WINDOW: u32 = 8 << 20;

/// How a session stands with its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no connection, and one is being made.
    Connecting {
        /// Tries since the last connection.
        tries: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// This client may read only.
    Backup {
        /// The election id of the one that may write, if there is one.
        primary: Option<u128>,
    },
    /// This client may write.
    Primary,
    /// The server ended the stream with an error that a new try will not mend at once; tries go on.
    Refused {
        /// The status code.
        code: Code,
        /// What the server said.
        message: String,
    },
}

/// The connection as calls see it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) standing: Standing,
    pub(crate) channel: Option<Channel>,
    pub(crate) election_id: u128,
}

impl Default for Link {
    fn default() -> Self {
        let standing = Standing::Connecting { tries: 0, reason: "it was not tried long enough".into() };
        Self { standing, channel: None, election_id: 0 }
    }
}

/// What calls ask of the task.
#[derive(Debug)]
pub(crate) enum Order {
    /// Say that on the stream.
    Say(Said),
    /// Stand with another election id.
    Stand(u128),
}

struct Task {
    options: Options,
    link: watch::Sender<Link>,
    events: broadcast::Sender<Event>,
    /// The server has said something.
    met: AtomicBool,
}

/// Why a connection ended.
enum End {
    /// Nobody holds the session any more.
    Dropped,
    /// A new one may do.
    Broken(String),
    /// The server refused.
    Refused(Status),
}

/// Runs until nobody holds the session.
pub(crate) async fn run(
    options: Options,
    mut orders: mpsc::Receiver<Order>,
    link: watch::Sender<Link>,
    events: broadcast::Sender<Event>,
) {
    link.send_modify(|l| l.election_id = options.election_id);
    let mut task = Task { options, link, events, met: AtomicBool::new(false) };
    let mut tries = 0;
    loop {
        let end = match task.connect().await {
            Ok(channel) => task.hold(channel, &mut orders, &mut tries).await,
            Err(e) => End::Broken(e),
        };
        let end = task.explained(end).await;
        tries += 1;
        let standing = match end {
            End::Dropped => return,
            End::Broken(reason) => Standing::Connecting { tries, reason },
            End::Refused(status) => {
                Standing::Refused { code: status.code(), message: status.message().to_owned() }
            }
        };
        task.stands(standing, None);
        if !task.pause(tries, &mut orders).await {
            return;
        }
    }
}

impl Task {
    fn stands(&self, standing: Standing, channel: Option<Channel>) {
        let changed = self.link.borrow().standing != standing;
        self.link.send_modify(|l| {
            l.standing = standing.clone();
            l.channel = channel;
        });
        if changed {
            // Nobody needs to listen.
            let _ = self.events.send(Event::Standing(standing));
        }
    }

    /// Waits before the next try, longer each time; false once nobody holds the session.
    async fn pause(&mut self, tries: u32, orders: &mut mpsc::Receiver<Order>) -> bool {
        let pause = self.options.first_pause.saturating_mul(1 << (tries - 1).min(16));
        let until = tokio::time::Instant::now() + pause.min(self.options.longest_pause);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return true,
                order = orders.recv() => match order {
                    None => return false,
                    Some(Order::Stand(id)) => self.link.send_modify(|l| l.election_id = id),
                    // What was to be said on a stream that is gone is gone too.
                    Some(Order::Say(_)) => {}
                },
            }
        }
    }

    /// Hears something from a server that is not met by its stream.
    async fn greet(&self, channel: Channel) -> Result<(), String> {
        let asked = CapabilitiesRequest { device_id: self.options.device_id };
        let mut rpc = P4RuntimeClient::new(channel);
        let answer = tokio::time::timeout(self.options.patience, rpc.capabilities(asked)).await;
        match answer {
            // A status that the server did not send.
            Ok(Err(status)) if std::error::Error::source(&status).is_some() => Err(causes(&status)),
            // Servers of before 1.4 refuse the call.
            Ok(_) => {
                self.met.store(true, Relaxed);
                Ok(())
            }
            Err(_) => Err("the server does not answer".into()),
        }
    }

    /// An end, with what helps if no server was met and TLS may be the cause.
    async fn explained(&self, end: End) -> End {
        if self.met.load(Relaxed) || matches!(end, End::Dropped) {
            return end;
        }
        match end {
            _ if self.lacks_tls().await => End::Broken(tls::WANTED.to_owned()),
            End::Broken(reason) => {
                End::Broken(self.options.tls.as_ref().map_or(reason.clone(), |tls| tls.suspect(reason)))
            }
            other => other,
        }
    }

    /// Whether the server wants TLS and gets none.
    async fn lacks_tls(&self) -> bool {
        let Options { address, tls, .. } = &self.options;
        tls.is_none() && !address.starts_with("unix:") && tls::is_spoken(address).await
    }

    async fn connect(&self) -> Result<Channel, String> {
        let endpoint = Endpoint::from_shared(self.options.uri()).map_err(|e| causes(&e))?;
        let endpoint = endpoint
            .connect_timeout(self.options.patience.min(Duration::from_secs(5)))
            .tcp_keepalive(Some(Duration::from_secs(10)))
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .http2_max_header_list_size(HEADER_LIST);
        let endpoint = match &self.options.tls {
            Some(tls) => tls.on(endpoint)?,
            None => endpoint,
        };
        endpoint.connect().await.map_err(|e| causes(&e))
    }

    /// Holds a connection until it ends.
    async fn hold(&self, channel: Channel, orders: &mut mpsc::Receiver<Order>, tries: &mut u32) -> End {
        if !self.options.profile.arbitration {
            if let Err(reason) = self.greet(channel.clone()).await {
                return End::Broken(reason);
            }
            self.stands(Standing::Primary, Some(channel));
            *tries = 0;
            // The channel connects anew by itself; there is nothing else to hold.
            while orders.recv().await.is_some() {}
            return End::Dropped;
        }
        let (to, queue) = mpsc::channel(64);
        if to.send(self.arbitration()).await.is_err() {
            return End::Broken("the stream ended".into());
        }
        let mut rpc = P4RuntimeClient::new(channel.clone())
            .max_decoding_message_size(self.options.profile.message_bytes);
        let asked = rpc.stream_channel(ReceiverStream::new(queue));
        let mut from = match tokio::time::timeout(self.options.patience, asked).await {
            Ok(Ok(answer)) => answer.into_inner(),
            Ok(Err(status)) => return ended(status),
            Err(_) => return End::Broken("no answer to the stream".into()),
        };
        self.converse(&channel, &to, &mut from, orders, tries).await
    }

    async fn converse(
        &self,
        channel: &Channel,
        to: &mpsc::Sender<StreamMessageRequest>,
        from: &mut Streaming<StreamMessageResponse>,
        orders: &mut mpsc::Receiver<Order>,
        tries: &mut u32,
    ) -> End {
        loop {
            tokio::select! {
                heard = from.message() => match heard {
                    Ok(Some(message)) => self.heard(message, channel, tries),
                    Ok(None) => return End::Broken("the server ended the stream".into()),
                    Err(status) => return ended(status),
                },
                order = orders.recv() => {
                    let message = match order {
                        None => return End::Dropped,
                        Some(Order::Say(update)) => StreamMessageRequest { update: Some(update) },
                        Some(Order::Stand(id)) => {
                            self.link.send_modify(|l| l.election_id = id);
                            self.arbitration()
                        }
                    };
                    // A full queue is the server's slowness: the answers are read meanwhile.
                    tokio::select! {
                        sent = to.send(message) => if sent.is_err() {
                            return End::Broken("the server ended the stream".into());
                        },
                        heard = from.message() => match heard {
                            Ok(Some(message)) => self.heard(message, channel, tries),
                            Ok(None) => return End::Broken("the server ended the stream".into()),
                            Err(status) => return ended(status),
                        },
                    }
                }
            }
        }
    }

    fn arbitration(&self) -> StreamMessageRequest {
        let role = self.options.role.clone().map(|name| Role { name, ..Role::default() });
        let update = MasterArbitrationUpdate {
            device_id: self.options.device_id,
            role,
            election_id: Some(uint128(self.link.borrow().election_id)),
            ..MasterArbitrationUpdate::default()
        };
        StreamMessageRequest { update: Some(Said::Arbitration(update)) }
    }

    fn heard(&self, message: StreamMessageResponse, channel: &Channel, tries: &mut u32) {
        let event = match message.update {
            Some(Heard::Arbitration(update)) => {
                *tries = 0;
                self.met.store(true, Relaxed);
                return self.stands(standing(&update), Some(channel.clone()));
            }
            Some(Heard::Packet(packet)) => Event::PacketIn(packet),
            Some(Heard::Digest(list)) => Event::Digest(list),
            Some(Heard::IdleTimeoutNotification(idle)) => Event::Idle(idle.into()),
            Some(Heard::Error(error)) => Event::Error(error),
            Some(Heard::Other(_)) | None => return,
        };
        let _ = self.events.send(event);
    }
}

/// What the answer to arbitration says (specification §5.3): OK to the primary client, else what the others are.
fn standing(update: &MasterArbitrationUpdate) -> Standing {
    let code = update.status.as_ref().map_or(Code::Ok, |s| Code::from_i32(s.code));
    let primary = update.election_id.map(|id| u128::from(id.high) << 64 | u128::from(id.low));
    match code {
        Code::Ok => Standing::Primary,
        Code::NotFound => Standing::Backup { primary: None },
        _ => Standing::Backup { primary },
    }
}

fn ended(status: Status) -> End {
    match failed("StreamChannel", &status) {
        ClientError::Lost { reason, .. } => End::Broken(reason),
        _ => End::Refused(status),
    }
}
