//! Tells others whether traffic may come here: a command, a file.

use crate::status::Status;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How often readiness is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(10);

/// Who is told.
#[derive(Clone, Debug, Default)]
pub struct Hook {
    /// Run by `sh -c` with READY=1 or READY=0, at each change and once at the start.
    pub command: Option<String>,
    /// There while it is ready.
    pub file: Option<PathBuf>,
}

impl Hook {
    /// Tells every change, for ever.
    pub async fn run(&self, status: &Status) {
        let mut told = None;
        loop {
            let ready = status.ready();
            if told != Some(ready) {
                self.tell(ready, status).await;
                told = Some(ready);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tells once.
    pub async fn tell(&self, ready: bool, status: &Status) {
        let mut wrong = None;
        if let Some(file) = &self.file {
            let done = match ready {
                true => std::fs::write(file, "ready\n"),
                false => match std::fs::remove_file(file) {
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
                    other => other,
                },
            };
            wrong = done.err().map(|e| format!("{}: {e}", file.display()));
        }
        if let Some(text) = &self.command {
            let mut command = Command::new("sh");
            command.args(["-c", text]).env("READY", if ready { "1" } else { "0" }).stdin(Stdio::null());
            let failed = match tokio::time::timeout(COMMAND, command.kill_on_drop(true).status()).await {
                Ok(Ok(status)) if status.success() => None,
                Ok(Ok(status)) => Some(status.to_string()),
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no end within {COMMAND:?}")),
            };
            wrong = failed.map(|why| format!("`{text}`: {why}")).or(wrong);
        }
        tracing::info!("{}", if ready { "ready: traffic may come" } else { "not ready: no traffic, please" });
        status.alarm("ready hook", wrong);
    }
}
