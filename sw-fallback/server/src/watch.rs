//! What the server does without being asked.

use crate::device::Device;
use crate::host::Host;
use crate::session::Sessions;
use p4runtime_proto::p4::v1::stream_message_response::Update;
use std::sync::{Arc, Weak};
use std::time::Instant;
use tokio::sync::Mutex;

/// Tells the primaries of entries that were idle for their time, as long as there is a device.
pub(crate) async fn idle<H: Host>(device: Weak<Mutex<Device<H>>>, sessions: Arc<Sessions>) {
    while let Some(device) = device.upgrade() {
        let (found, pause) = device.lock().await.idle(Instant::now());
        drop(device);
        if let Some(notification) = found {
            // The specification lets them be lost: they come again after another time-out.
            let _lost = sessions.tell_primaries(&Update::IdleTimeoutNotification(notification));
        }
        tokio::time::sleep(pause).await;
    }
}
