//! Unix sockets.

use crate::common::{TestHost, config, plane};
use p4runtime_server::{Address, Device, ListenError, Options, Server};
use runtime_client::{Options as With, Profile, Session};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};

async fn bind(path: &Path) -> Result<Server, ListenError> {
    let device = Device::new(TestHost(plane("kinds").unwrap(), false, None), config("kinds", None))
        .map_err(|(_, why)| why);
    let device = Arc::new(Mutex::new(device.unwrap()));
    Server::bind(&Address::Unix(path.to_owned()), device, &Options::default()).await
}

async fn tables(path: &Path) -> usize {
    let address = format!("unix:{}", path.display());
    let options = With::new(&address, Profile::named("guideway").unwrap());
    let session = Session::connect(options).await.unwrap();
    session.primary().await.unwrap();
    session.info().await.unwrap().tables.len()
}

#[tokio::test]
async fn a_socket_serves_and_goes_with_its_server() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p4rt");
    let (end, ended) = oneshot::channel::<()>();
    let server = bind(&path).await.unwrap();
    let serving = tokio::spawn(server.serve(async {
        let _dropped = ended.await;
    }));
    assert!(tables(&path).await > 3);
    let taken = bind(&path).await.unwrap_err().to_string();
    assert!(taken.contains("somebody listens there"), "{taken}");
    assert!(tables(&path).await > 3, "it still serves");
    drop(end);
    serving.await.unwrap().unwrap();
    assert!(!path.exists());
}

/// As a killed switch leaves it.
#[tokio::test]
async fn a_socket_that_nobody_listens_to_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p4rt");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = bind(&path).await.unwrap();
    tokio::spawn(server.serve(std::future::pending()));
    assert!(tables(&path).await > 3);
}

#[tokio::test]
async fn other_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p4rt");
    std::fs::write(&path, "mine").unwrap();
    let error = bind(&path).await.unwrap_err().to_string();
    assert!(error.contains("can't listen on unix:") && error.contains("in use"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let nowhere = bind(Path::new("/nowhere/p4rt")).await.unwrap_err().to_string();
    assert!(nowhere.contains("No such file"), "{nowhere}");
}
