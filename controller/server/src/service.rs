//! `guideway.v1.LBControlPlane`.

use crate::jobs::Job;
use crate::published::Role;
use crate::streams::Answers;
use crate::{Shared, bearer};
use bytes::Bytes;
use control_core::{Command, Reply};
use control_proto::v1::lb_control_plane_server::LbControlPlane;
use control_proto::v1::*;
use prost::Message as _;
use std::sync::{Arc, PoisonError};
use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status, Streaming};

pub(crate) struct Service(pub(crate) Arc<Shared>);

impl Shared {
    /// Has a command done, by whoever leads.
    pub(crate) async fn command(&self, command: Command) -> Result<Reply, Status> {
        let done = self.ask(|answer| Job::Command(Box::new(command), answer)).await;
        self.metrics.command(done.as_ref().err().map(Status::code));
        done
    }

    /// A pool with what checkers and nodes report of it.
    pub(crate) fn snapshot(&self, name: &str) -> Result<PoolSnapshot, Status> {
        let state = self.read()?;
        let missing = || Status::not_found(format!("there is no pool `{}`", name.escape_debug()));
        let mut snapshot = state.pool_snapshot(name).ok_or_else(missing)?;
        for backend in &mut snapshot.backends {
            self.decorate(backend);
        }
        Ok(snapshot)
    }

    /// What is in force, if the registry has been read at all.
    pub(crate) fn read(&self) -> Result<Arc<control_core::State>, Status> {
        let published = self.published.borrow();
        if published.loaded {
            return Ok(Arc::clone(&published.state));
        }
        Err(Status::unavailable("the registry has not been read yet: try again"))
    }

    /// Adds what is not in the registry.
    fn decorate(&self, backend: &mut Backend) {
        let Some(spec) = &backend.spec else { return };
        {
            let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            backend.suspect = health.verdict(&spec.pool, &spec.name).is_some_and(|v| v.suspect);
            backend.reports = health.reports(&spec.pool, &spec.name);
        }
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        backend.active_flows = nodes.flows(backend.id, self.clock.now());
    }

    pub(crate) fn status(&self) -> Status1 {
        let published = self.published.borrow().clone();
        let now = self.clock.now();
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let view = &published.nodes.view;
        let leader = match &published.role {
            Role::Leads(_) => self.options.advertise.clone(),
            Role::Follows(leader) => leader.clone().unwrap_or_default(),
        };
        let mut alarms = published.state.alarms();
        alarms.extend(nodes.alarms(now));
        alarms.extend(self.checkers().alarms(now));
        if published.role.leads() && published.state.is_new() {
            alarms.push("the registry is empty: register pools, or start the agents that hold tables".into());
        }
        Status1 {
            controller: self.options.advertise.clone(),
            leads: published.role.leads(),
            leader,
            version: published.state.version(),
            nodes: nodes.status(view.tables_version, view.version, now),
            alarms,
        }
    }
}

/// The contract's `Status`, which is not gRPC's.
pub(crate) type Status1 = control_proto::v1::Status;

type Answer<T> = Result<Response<T>, Status>;

impl Service {
    async fn change<T>(&self, request: Request<T>, command: fn(T) -> Command) -> Result<Reply, Status> {
        bearer::allow(self.0.options.token.as_ref(), &request)?;
        self.0.command(command(request.into_inner())).await
    }
}

fn backend(reply: Reply, shared: &Shared) -> Answer<Backend> {
    let Reply::Backend(mut backend) = reply else { return Err(strange()) };
    shared.decorate(&mut backend);
    Ok(Response::new(*backend))
}

fn strange() -> Status {
    Status::internal("the command was answered by something else")
}

#[tonic::async_trait]
impl LbControlPlane for Service {
    async fn create_pool(&self, request: Request<CreatePoolRequest>) -> Answer<Pool> {
        match self.change(request, Command::CreatePool).await? {
            Reply::Pool(pool) => Ok(Response::new(*pool)),
            _ => Err(strange()),
        }
    }

    async fn delete_pool(&self, request: Request<DeletePoolRequest>) -> Answer<DeletePoolReply> {
        self.change(request, Command::DeletePool).await?;
        Ok(Response::new(DeletePoolReply {}))
    }

    async fn bind_vip_to_pool(&self, request: Request<BindVipToPoolRequest>) -> Answer<Vip> {
        match self.change(request, Command::BindVip).await? {
            Reply::Vip(vip) => Ok(Response::new(vip)),
            _ => Err(strange()),
        }
    }

    async fn unbind_vip(&self, request: Request<UnbindVipRequest>) -> Answer<UnbindVipReply> {
        self.change(request, Command::UnbindVip).await?;
        Ok(Response::new(UnbindVipReply {}))
    }

    async fn register_backend(&self, request: Request<RegisterBackendRequest>) -> Answer<Backend> {
        backend(self.change(request, Command::Register).await?, &self.0)
    }

    async fn update_backend(&self, request: Request<UpdateBackendRequest>) -> Answer<Backend> {
        backend(self.change(request, Command::Update).await?, &self.0)
    }

    async fn deregister_backend(
        &self,
        request: Request<DeregisterBackendRequest>,
    ) -> Answer<DeregisterBackendReply> {
        self.change(request, Command::Deregister).await?;
        Ok(Response::new(DeregisterBackendReply {}))
    }

    async fn drain_backend(&self, request: Request<DrainBackendRequest>) -> Answer<Backend> {
        backend(self.change(request, Command::Drain).await?, &self.0)
    }

    async fn undrain_backend(&self, request: Request<UndrainBackendRequest>) -> Answer<Backend> {
        backend(self.change(request, Command::Undrain).await?, &self.0)
    }

    async fn get_pool(&self, request: Request<GetPoolRequest>) -> Answer<PoolSnapshot> {
        self.0.snapshot(&request.into_inner().name).map(Response::new)
    }

    async fn list_pools(&self, _: Request<ListPoolsRequest>) -> Answer<ListPoolsReply> {
        let pools = self.0.read()?.pools().values().map(|pool| pool.about.clone()).collect();
        Ok(Response::new(ListPoolsReply { pools }))
    }

    async fn list_vips(&self, request: Request<ListVipsRequest>) -> Answer<ListVipsReply> {
        let pool = request.into_inner().pool;
        let state = self.0.read()?;
        if !pool.is_empty() && !state.pools().contains_key(&pool) {
            return Err(Status::not_found(format!("there is no pool `{}`", pool.escape_debug())));
        }
        let vips = state.vips().values().filter(|vip| pool.is_empty() || vip.pool == pool).cloned().collect();
        Ok(Response::new(ListVipsReply { vips }))
    }

    async fn list_events(&self, request: Request<ListEventsRequest>) -> Answer<ListEventsReply> {
        let ListEventsRequest { after, limit } = request.into_inner();
        Ok(Response::new(ListEventsReply { events: self.0.read()?.events_after(after, limit) }))
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Answer<Status1> {
        Ok(Response::new(self.0.status()))
    }

    type ReportHealthStream = Answers<HealthReply>;

    async fn report_health(
        &self,
        request: Request<Streaming<HealthReports>>,
    ) -> Answer<Self::ReportHealthStream> {
        let from = request.remote_addr();
        self.0.report_health(request.into_inner(), from).map(Response::new)
    }

    type WatchTargetsStream = Answers<ProbeTargets>;

    async fn watch_targets(&self, _: Request<WatchTargetsRequest>) -> Answer<Self::WatchTargetsStream> {
        self.0.watch_targets().map(Response::new)
    }

    type WatchPoolStream = Answers<PoolSnapshot>;

    async fn watch_pool(&self, request: Request<WatchPoolRequest>) -> Answer<Self::WatchPoolStream> {
        self.0.watch_pool(request.into_inner().name).map(Response::new)
    }

    type WatchNodeStream = Answers<NodeSnapshot>;

    /// [`Calls`](crate::calls::Calls) sends the bytes as they are.
    async fn watch_node(&self, _: Request<WatchNodeRequest>) -> Answer<Self::WatchNodeStream> {
        let open = |bytes: Bytes| NodeSnapshot::decode(bytes).map_err(|e| Status::internal(e.to_string()));
        let messages = self.0.watch_node()?.map(move |message| message.and_then(open));
        Ok(Response::new(Box::pin(messages)))
    }

    async fn report_node(&self, request: Request<NodeReport>) -> Answer<NodeReportReply> {
        let report = Box::new(request.into_inner());
        self.0.ask(|answer| Job::Node(report, answer)).await.map(Response::new)
    }

    async fn offer_tables(&self, request: Request<NodeSnapshot>) -> Answer<OfferTablesReply> {
        let offered = Box::new(request.into_inner());
        let adopted = self.0.ask(|answer| Job::Offer(offered, answer)).await?;
        Ok(Response::new(OfferTablesReply { adopted }))
    }
}
