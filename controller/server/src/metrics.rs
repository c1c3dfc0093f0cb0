//! What Prometheus reads. The recorder is this controller's own, so that several can live in one process.

use crate::Shared;
use control_core::health::Intake;
use control_proto::v1::BackendState;
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use std::sync::PoisonError;
use std::time::Duration;
use tonic::Code;

pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self { recorder: PrometheusBuilder::new().build_recorder() }
    }

    /// A command was answered.
    pub(crate) fn command(&self, refused: Option<Code>) {
        let code = refused.map_or_else(|| "Ok".to_owned(), |code| format!("{code:?}"));
        with_local_recorder(&self.recorder, || {
            counter!("guideway_controller_commands_total", "code" => code).increment(1);
        });
    }

    /// A change is kept and in force.
    pub(crate) fn committed(&self, took: Duration) {
        with_local_recorder(&self.recorder, || histogram!("guideway_controller_commit_seconds").record(took));
    }

    /// A checker's message was taken.
    pub(crate) fn reports(&self, intake: &Intake) {
        with_local_recorder(&self.recorder, || {
            for (result, count) in [
                ("taken", intake.taken),
                ("late", intake.late),
                ("unknown", intake.unknown),
                ("malformed", intake.malformed),
            ] {
                counter!("guideway_controller_health_reports_total", "result" => result).increment(count);
            }
        });
    }

    /// All of it as text, with what is so now.
    pub(crate) fn text(&self, shared: &Shared) -> String {
        with_local_recorder(&self.recorder, || now(shared));
        let handle = self.recorder.handle();
        handle.run_upkeep();
        handle.render()
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn now(shared: &Shared) {
    let published = shared.published.borrow().clone();
    let state = &published.state;
    gauge!("guideway_controller_leads").set(f64::from(u8::from(published.role.leads())));
    gauge!("guideway_controller_version").set(state.version() as f64);
    gauge!("guideway_controller_vips").set(state.vips().len() as f64);
    gauge!("guideway_controller_pools").set(state.pools().len() as f64);
    gauge!("guideway_controller_alarms").set(shared.status().alarms.len() as f64);
    gauge!("guideway_controller_queue").set((crate::QUEUE - shared.jobs.capacity()) as f64);
    let checkers = shared.health.lock().unwrap_or_else(PoisonError::into_inner).checkers().len();
    gauge!("guideway_controller_checkers").set(checkers as f64);
    for (name, pool) in state.pools() {
        let told = |value: BackendState| pool.backends.values().filter(|b| b.state() == value).count();
        for value in [
            BackendState::Pending,
            BackendState::Healthy,
            BackendState::NotReady,
            BackendState::Draining,
            BackendState::Unhealthy,
            BackendState::Unknown,
            BackendState::Evicted,
        ] {
            let labels = [("pool", name.clone()), ("state", value.as_str_name().to_owned())];
            gauge!("guideway_pool_backends", &labels).set(told(value) as f64);
        }
        gauge!("guideway_pool_in_ring", "pool" => name.clone()).set(pool.members().len() as f64);
        gauge!("guideway_pool_generation", "pool" => name.clone()).set(pool.generation as f64);
        gauge!("guideway_pool_panics", "pool" => name.clone()).set(f64::from(u8::from(pool.panics())));
    }
}
