//! A network of the test's own, and the processes in it.

mod backends;
mod client;
mod clock;
mod fleet;
mod operator;
pub(crate) mod plane;
mod process;
mod switch;
mod traffic;

pub(crate) use backends::{Backends, address};
pub(crate) use client::Client;
pub(crate) use clock::{Clocks, HOUR};
pub(crate) use fleet::Controller;
pub(crate) use operator::Operator;
pub(crate) use plane::Plane;
pub(crate) use process::Process;
pub(crate) use switch::Switch;
pub(crate) use traffic::Judged;

use p4runtime_bench::lab::World;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that has to happen, on a machine with much else to do.
pub(crate) const LONG: Duration = Duration::from_secs(150);

/// Where a story takes place. All ends with it.
pub(crate) struct Lab {
    pub(crate) world: World,
    folder: TempDir,
}

impl Lab {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.file(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Can this machine make networks? If not, says so; panics if it must.
fn ready(test: &str) -> bool {
    !needed::skip(test, "bpf", needed::root())
}

/// Runs a story in a network of its own, where no other test's ports and addresses are.
pub(crate) fn story<F>(test: &'static str, story: F)
where
    F: AsyncFnOnce(Lab) + Send + 'static,
{
    if !ready(test) {
        return;
    }
    // The network is the thread's, and that of all that it starts.
    let thread = std::thread::spawn(move || {
        let world = World::make().unwrap();
        let lab = Lab { world, folder: tempfile::tempdir().unwrap() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(story(lab));
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Waits until it is so; what is the case meanwhile is told if it never is.
pub(crate) async fn until<T>(what: &str, mut so: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + LONG;
    loop {
        match so().await {
            Ok(it) => return it,
            Err(why) => assert!(Instant::now() < end, "{what}: not within {LONG:?}: {why}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A page by HTTP: status and body.
pub(crate) fn page(address: &str, path: &str) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
