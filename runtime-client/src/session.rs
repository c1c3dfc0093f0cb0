//! A session with one server.

use crate::error::failed;
use crate::link::{Link, Order, Standing, run};
use crate::{ClientError, Event, Events, Profile, Tls};
use p4runtime_proto::p4::v1 as proto;
use p4runtime_proto::p4::v1::p4_runtime_client::P4RuntimeClient;
use proto::stream_message_request::Update as Said;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::BroadcastStream;
use tonic::transport::Channel;

/// Events that wait for a slow reader before the oldest are lost.
const EVENTS: usize = 4096;

/// With whom and as whom a session is held.
///
/// ```
/// use runtime_client::{Options, Profile};
/// let mut options = Options::new("127.0.0.1:9559", Profile::named("bmv2")?);
/// options.election_id = 7;
/// assert_eq!(options.uri(), "http://127.0.0.1:9559");
/// # Ok::<(), runtime_client::ClientError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// `host:port`, `http://host:port`, or `unix:/a/socket`.
    pub address: String,
    /// What the server can do.
    pub profile: Profile,
    /// The device behind the server.
    pub device_id: u64,
    /// The role's name; none has full access.
    pub role: Option<String>,
    /// The highest one of a role may write; above 0.
    pub election_id: u128,
    /// TLS with whom and as whom; without it, all is plain text.
    pub tls: Option<Tls>,
    /// How long the first connection may take, tries and all.
    pub connect_within: Duration,
    /// How long a call waits for a connection that broke, and for its answer.
    pub patience: Duration,
    /// The first pause before a new connection; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause before a new connection.
    pub longest_pause: Duration,
}

impl Options {
    /// A server at an address: device 1, no role, election id 1, 10 s for a connection or an answer, pauses of 50 ms to 5 s.
    #[must_use]
    pub fn new(address: &str, profile: Profile) -> Self {
        Self {
            address: address.to_owned(),
            profile,
            device_id: 1,
            role: None,
            election_id: 1,
            tls: None,
            connect_within: Duration::from_secs(10),
            patience: Duration::from_secs(10),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(5),
        }
    }

    /// The address as a URI.
    #[must_use]
    pub fn uri(&self) -> String {
        match &self.address {
            a if a.contains("://") || a.starts_with("unix:") => a.clone(),
            a if self.tls.is_some() => format!("https://{a}"),
            a => format!("http://{a}"),
        }
    }
}

/// A session: it keeps its connection and its place in the election until the last clone is dropped. When the connection
/// breaks it comes back by itself, and stands for election again.
///
/// ```
/// # client_lab::run(|mut switch| async move {
/// # use runtime_client::{Event, Options, Profile, Session, Standing};
/// # use tokio_stream::StreamExt as _;
/// let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
/// let mut events = session.events();
/// switch.restart().await?;
/// while events.next().await != Some(Event::Standing(Standing::Primary)) {}
/// session.names().await?; // calls wait for the connection meanwhile, as long as `Options::patience`
/// # Ok(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    link: watch::Receiver<Link>,
    orders: mpsc::Sender<Order>,
    events: broadcast::Sender<Event>,
}

impl Session {
    /// Connects and, where the server knows elections, stands for one. It is also there as a backup: see
    /// [`Self::standing`].
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use runtime_client::{ClientError, Options, Profile, Session, Standing};
    /// let mut options = Options::new(&switch.address, Profile::named("guideway")?);
    /// options.election_id = 7;
    /// let first = Session::connect(options.clone()).await?;
    /// assert_eq!(first.standing(), Standing::Primary);
    ///
    /// options.election_id = 5;
    /// let second = Session::connect(options).await?;
    /// assert_eq!(second.standing(), Standing::Backup { primary: Some(7) });
    /// let refused = second.insert([], &second.names().await?).await; // it may read, not write
    /// assert!(matches!(refused, Err(ClientError::NotPrimary { primary: Some(7), own: 5 })));
    ///
    /// second.stand(9).await?;
    /// second.primary().await?;
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// No server answers within the options' patience, or it refuses the session.
    pub async fn connect(options: Options) -> Result<Self, ClientError> {
        let (orders, inbox) = mpsc::channel(64);
        let (events, _) = broadcast::channel(EVENTS);
        let (to, link) = watch::channel(Link::default());
        let shared = Arc::new(Shared { options: options.clone(), link, orders, events: events.clone() });
        tokio::spawn(run(options, inbox, to, events));
        let session = Self { shared };
        session.settled(session.shared.options.connect_within, false).await?;
        Ok(session)
    }

    /// What the session was made with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// How the session stands now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.shared.link.borrow().standing.clone()
    }

    /// Waits until this client is the primary one.
    ///
    /// # Errors
    /// It is not within the options' patience.
    pub async fn primary(&self) -> Result<(), ClientError> {
        let mut link = self.shared.link.clone();
        let wait = link.wait_for(|l| l.standing == Standing::Primary);
        match tokio::time::timeout(self.shared.options.patience, wait).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(self.why_not()),
        }
    }

    /// Stands with another election id.
    ///
    /// # Errors
    /// The session has ended.
    pub async fn stand(&self, election_id: u128) -> Result<(), ClientError> {
        self.order(Order::Stand(election_id)).await
    }

    /// Sends a packet out by way of the server.
    ///
    /// # Errors
    /// The server's kind has no stream, or the session has ended. What the server can't do with it comes as an
    /// [`Event::Error`].
    pub async fn packet_out(&self, packet: proto::PacketOut) -> Result<(), ClientError> {
        if !self.shared.options.profile.arbitration {
            return Err(self.unsupported("packets in and out need the stream"));
        }
        self.link(true).await?;
        self.order(Order::Say(Said::Packet(packet))).await
    }

    /// Tells the server that a digest has come: it sends no other of the same data until then, or for its time.
    ///
    /// # Errors
    /// As [`Self::packet_out`].
    pub async fn acknowledge(&self, digest: &proto::DigestList) -> Result<(), ClientError> {
        if !self.shared.options.profile.arbitration {
            return Err(self.unsupported("digests need the stream"));
        }
        let ack = proto::DigestListAck { digest_id: digest.digest_id, list_id: digest.list_id };
        self.order(Order::Say(Said::DigestAck(ack))).await
    }

    /// All events from now on: packets in, idle entries, digests, errors, changes of standing.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use runtime_client::{Event, Options, Profile, Session, Standing};
    /// use tokio_stream::StreamExt as _;
    /// let options = Options::new(&switch.address, Profile::named("guideway")?);
    /// let session = Session::connect(options.clone()).await?;
    /// let mut events = session.events();
    /// let other = Session::connect(runtime_client::Options { election_id: 2, ..options }).await?;
    /// let event = events.next().await;
    /// assert_eq!(event, Some(Event::Standing(Standing::Backup { primary: Some(2) })));
    /// # drop(other);
    /// # Ok(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn events(&self) -> Events {
        Events { inner: BroadcastStream::new(self.shared.events.subscribe()) }
    }

    /// The P4Runtime version that the server speaks.
    ///
    /// # Errors
    /// The server doesn't say, or can't be reached.
    pub async fn version(&self) -> Result<String, ClientError> {
        let request = proto::CapabilitiesRequest { device_id: self.shared.options.device_id };
        let mut rpc = self.rpc(false).await?;
        let answer = self.timed("Capabilities", rpc.capabilities(request)).await?;
        Ok(answer.p4runtime_api_version)
    }

    async fn order(&self, order: Order) -> Result<(), ClientError> {
        let lost = |_| ClientError::Lost { call: "StreamChannel", reason: "the session has ended".into() };
        self.shared.orders.send(order).await.map_err(lost)
    }

    pub(crate) fn unsupported(&self, what: &str) -> ClientError {
        let profile = self.shared.options.profile.title.clone();
        ClientError::Unsupported { profile, what: what.to_owned() }
    }

    /// A connection that stands; for writing, as the primary client. It waits while a connection is being made.
    pub(crate) async fn link(&self, writes: bool) -> Result<Channel, ClientError> {
        self.settled(self.shared.options.patience, writes).await
    }

    async fn settled(&self, patience: Duration, writes: bool) -> Result<Channel, ClientError> {
        let mut link = self.shared.link.clone();
        let settled = link.wait_for(|l| !matches!(l.standing, Standing::Connecting { .. }));
        let settled = match tokio::time::timeout(patience, settled).await {
            Ok(Ok(link)) => link.clone(),
            _ => return Err(self.why_not()),
        };
        match (&settled.standing, settled.channel) {
            (Standing::Backup { .. } | Standing::Refused { .. }, _) if writes => Err(self.why_not()),
            (Standing::Refused { .. }, _) | (_, None) => Err(self.why_not()),
            (_, Some(channel)) => Ok(channel),
        }
    }

    fn why_not(&self) -> ClientError {
        let Options { address, election_id, .. } = self.shared.options.clone();
        match self.standing() {
            Standing::Backup { primary } => ClientError::NotPrimary { primary, own: election_id },
            Standing::Connecting { reason, .. } => ClientError::Connect { address, reason },
            Standing::Refused { code, message } => {
                ClientError::Refused { call: "StreamChannel", code, message }
            }
            Standing::Primary => ClientError::Connect { address, reason: "it went just now".into() },
        }
    }

    pub(crate) async fn rpc(&self, writes: bool) -> Result<P4RuntimeClient<Channel>, ClientError> {
        let limit = self.shared.options.profile.message_bytes;
        Ok(P4RuntimeClient::new(self.link(writes).await?)
            .max_decoding_message_size(limit)
            .max_encoding_message_size(usize::MAX))
    }

    /// A call's answer within the options' patience.
    pub(crate) async fn timed<T>(
        &self,
        call: &'static str,
        answer: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T, ClientError> {
        let after = self.shared.options.patience;
        match tokio::time::timeout(after, answer).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(failed(call, &status)),
            Err(_) => Err(ClientError::Timeout { call, after }),
        }
    }

    /// The election id as messages have it; none where there is no election.
    pub(crate) fn election(&self) -> Option<proto::Uint128> {
        let id = self.shared.link.borrow().election_id;
        self.shared.options.profile.arbitration.then(|| uint128(id))
    }

    pub(crate) fn role(&self) -> String {
        self.shared.options.role.clone().unwrap_or_default()
    }
}

pub(crate) fn uint128(id: u128) -> proto::Uint128 {
    proto::Uint128 { high: (id >> 64) as u64, low: id as u64 }
}
