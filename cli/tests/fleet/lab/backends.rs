//! Backends: an address each, on which somebody listens as long as it lives.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The address of `b1`, `b2`, and so on.
pub(crate) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 0, number)
}

#[derive(Default)]
pub(crate) struct Backends(BTreeMap<u8, JoinHandle<()>>);

impl Backends {
    /// So many, all alive.
    pub(crate) async fn start(count: u8) -> Self {
        let mut backends = Self::default();
        for number in 1..=count {
            backends.come(number).await;
        }
        backends
    }

    /// Another one.
    pub(crate) async fn come(&mut self, number: u8) {
        let line = format!("ip addr add {}/32 dev lo", address(number));
        let done = std::process::Command::new("sh").args(["-c", &line]).status().unwrap();
        assert!(done.success(), "{line}");
        self.revive(number).await;
    }

    pub(crate) async fn revive(&mut self, number: u8) {
        let listener = TcpListener::bind((address(number), 80)).await.unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        self.0.insert(number, accepting);
    }

    /// Nobody listens there any more.
    pub(crate) async fn kill(&mut self, number: u8) {
        let accepting = self.0.remove(&number).expect("it lives");
        accepting.abort();
        let _aborted = accepting.await;
    }
}

impl Drop for Backends {
    fn drop(&mut self) {
        self.0.values().for_each(JoinHandle::abort);
    }
}
