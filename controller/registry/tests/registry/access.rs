//! TLS, and users of etcd's own.

use crate::authority::{Authority, showing};
use crate::cluster::{Cluster, none_here, options};
use crate::conformance::put;
use control_registry::{Etcd, EtcdOptions, Login, Registry, RegistryError, Revision};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(120);

async fn works(handle: &Etcd) {
    let term = timeout(SOON, handle.lead("a:1")).await.expect("nobody else leads").unwrap();
    let at = handle.load().await.unwrap().revision;
    let at = handle.commit(term, at, vec![put("x", "1")]).await.unwrap();
    assert_eq!(handle.changed(Revision(at.0 - 1)).await.unwrap(), at);
    handle.resign(term).await;
    assert_eq!(handle.leader().await.unwrap(), None);
}

/// Wants a refusal that says one of `says`; at once, unless it is worth trying again.
async fn refused(name: &str, handle: &Etcd, says: &[&str]) {
    let asked = Instant::now();
    let error = handle.load().await.unwrap_err();
    println!("{name}: {error}");
    assert!(says.iter().any(|says| error.to_string().contains(says)), "{name}: {error}");
    if matches!(error, RegistryError::Unusable(_)) {
        assert!(asked.elapsed() < options().patience, "{name}: after {:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_tls_is_used_by_who_shows_a_certificate() {
    if none_here() {
        return;
    }
    let (ours, other) = (Authority::new(), Authority::new());
    let cluster = Cluster::with_tls(1, &ours).await;
    let handle = |tls| {
        let options = EtcdOptions { tls, ..options() };
        Etcd::new(&cluster.addresses(), "/t", &options).unwrap()
    };
    works(&handle(Some(showing(ours.trusted(), &ours.client())))).await;
    let stranger = handle(Some(showing(other.trusted(), &ours.client())));
    refused("another authority trusted", &stranger, &["invalid peer certificate"]).await;
    let stranger = handle(Some(showing(ours.trusted(), &other.client())));
    refused("signed by another authority", &stranger, &["fatal alert"]).await;
    refused("no certificate", &handle(Some(ours.trusted())), &["fatal alert"]).await;
    refused("no TLS", &handle(None), &[&cluster.addresses()[0]]).await;
}

#[test]
fn what_is_no_certificate_is_refused_when_it_is_read() {
    let tls = tonic::transport::ClientTlsConfig::new()
        .identity(tonic::transport::Identity::from_pem("no certificate", "no key"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let error = Etcd::new(&["h:1".into()], "/t", &EtcdOptions { tls: Some(tls), ..options() }).unwrap_err();
    assert!(matches!(error, RegistryError::Unusable(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_users_is_used_by_one_that_may_use_its_prefix() {
    if none_here() {
        return;
    }
    let mut cluster = Cluster::of(1).await;
    let as_user = |cluster: &Cluster, prefix: &str, password: Option<&str>| {
        let login = password.map(|it| Login { user: "controller".into(), password: it.into() });
        Etcd::new(&cluster.addresses(), prefix, &EtcdOptions { login, ..options() }).unwrap()
    };
    // Users may be told before etcd asks for them.
    let early = as_user(&cluster, "/u", Some("secret"));
    works(&early).await;
    for line in [
        "user add root --new-user-password rootpw",
        "user grant-role root root",
        "role add registry",
        "role grant-permission registry readwrite --prefix=true /u/",
        "user add controller --new-user-password secret",
        "user grant-role controller registry",
        "auth enable",
    ] {
        cluster.ctl(&line.split(' ').collect::<Vec<_>>());
    }
    works(&early).await;
    works(&as_user(&cluster, "/u", Some("secret"))).await;
    refused("nobody", &as_user(&cluster, "/u", None), &["user name is empty", "permission denied"]).await;
    refused("wrong password", &as_user(&cluster, "/u", Some("x")), &["invalid user ID or password"]).await;
    refused("another prefix", &as_user(&cluster, "/v", Some("secret")), &["permission denied"]).await;
    // A restarted etcd has forgotten who logged in.
    let term = early.lead("a:1").await.unwrap();
    cluster.kill(0);
    cluster.start(0);
    let at = timeout(SOON, async {
        loop {
            match early.load().await {
                Ok(records) => return records.revision,
                Err(RegistryError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    let at = at.await.expect("it is back");
    match early.commit(term, at, vec![put("x", "2")]).await {
        Ok(_) | Err(RegistryError::Fenced(_)) => {}
        Err(error) => panic!("{error}"),
    }
    early.resign(term).await;
    works(&early).await;
}
