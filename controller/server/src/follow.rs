//! While another leads: a copy of the records, for readers.

use crate::jobs::Job;
use crate::published::Role;
use crate::{Shared, status};
use control_core::State;
use control_registry::{Registry, RegistryError, Revision, Term};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a registry that failed is left alone.
const PAUSE: Duration = Duration::from_millis(300);
/// How often the leader is asked for when nothing changes.
const LOOK: Duration = Duration::from_secs(1);

/// Follows until this controller is to lead.
pub(crate) async fn follow(shared: &Arc<Shared>, jobs: &mut mpsc::Receiver<Job>) -> Term {
    let lead = async {
        loop {
            match shared.registry.lead(&shared.options.advertise).await {
                Ok(term) => return term,
                Err(error) => {
                    tracing::warn!("can't stand for election: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    let refuse = async {
        while let Some(job) = jobs.recv().await {
            job.refuse(status::unavailable(&shared.published.borrow().role));
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        term = lead => term,
        () = refuse => unreachable_pending().await,
        () = copy(shared) => unreachable_pending().await,
    }
}

/// The futures beside the election never end.
async fn unreachable_pending() -> Term {
    std::future::pending().await
}

/// Keeps a copy up to date.
async fn copy(shared: &Shared) {
    let mut at = None;
    loop {
        if let Err(error) = refresh(shared, &mut at).await {
            tracing::debug!("the registry can't be followed: {error}");
            shared.published.send_modify(|p| p.role = Role::Follows(None));
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn refresh(shared: &Shared, at: &mut Option<Revision>) -> Result<(), RegistryError> {
    let leader = shared.registry.leader().await?;
    let role = Role::Follows(leader);
    shared.published.send_if_modified(|p| std::mem::replace(&mut p.role, role.clone()) != role);
    let wait = async {
        match *at {
            None => Ok(Revision(0)),
            Some(at) => shared.registry.changed(at).await,
        }
    };
    let Ok(news) = tokio::time::timeout(LOOK, wait).await else {
        return Ok(());
    };
    news?;
    let records = shared.registry.load().await?;
    let state = State::load(shared.options.settings.clone(), &records.records)
        .map_err(|e| RegistryError::Unusable(e.to_string()))?;
    *at = Some(records.revision);
    shared.published.send_modify(|p| p.put(Arc::new(state), |_, _| false));
    Ok(())
}

/// All records and the state that they hold, as soon as they can be had.
pub(crate) async fn load(
    registry: &dyn Registry,
    shared: &Shared,
) -> Result<(Revision, State), RegistryError> {
    loop {
        match registry.load().await {
            Err(RegistryError::Unavailable(why)) => {
                tracing::warn!("the registry does not answer: {why}");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
            Ok(records) => {
                let state = State::load(shared.options.settings.clone(), &records.records);
                let state = state.map_err(|e| RegistryError::Unusable(e.to_string()))?;
                return Ok((records.revision, state));
            }
        }
    }
}
