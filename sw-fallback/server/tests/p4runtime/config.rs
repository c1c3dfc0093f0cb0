//! Specification §14, §15, §17: which pipeline runs.

use crate::common::entries::{Names, V, delete, insert, modify};
use crate::common::{Client, Lab, Talk, codes, config, entries, id, lab, write};
use p4runtime_proto::p4::v1::get_forwarding_pipeline_config_request::ResponseType;
use p4runtime_proto::p4::v1::set_forwarding_pipeline_config_request::Action;
use p4runtime_proto::p4::v1::{self, ForwardingPipelineConfig};
use sw_fallback::plane::DataPlane as _;
use tonic::Code;

async fn set(client: &mut Client, action: Action, config: Option<ForwardingPipelineConfig>) -> Code {
    let request = v1::SetForwardingPipelineConfigRequest {
        device_id: 1,
        election_id: Some(id(1)),
        action: action as i32,
        config,
        ..v1::SetForwardingPipelineConfigRequest::default()
    };
    client.set_forwarding_pipeline_config(request).await.map_or_else(|s| s.code(), |_| Code::Ok)
}

async fn get(client: &mut Client, what: ResponseType) -> ForwardingPipelineConfig {
    let request = v1::GetForwardingPipelineConfigRequest { device_id: 1, response_type: what as i32 };
    client.get_forwarding_pipeline_config(request).await.unwrap().into_inner().config.unwrap()
}

async fn ready() -> (Lab, Client, Talk, Names) {
    let lab = lab().await;
    let (mut client, talk) = lab.primary().await;
    let names = Names::new(&lab.info);
    let balance = v1::TableEntry {
        action: names.does("balance", &[("pool", 1)]),
        ..names.key("host", &[("src", V::Is(2))])
    };
    let batch = [names.host(1, 1), balance, names.slot(1, 1, 7, 7), names.pool(1, 1)];
    write(&mut client, batch.into_iter().map(insert).collect()).await.unwrap();
    (lab, client, talk, names)
}

#[tokio::test]
async fn s14_verify_changes_nothing() {
    let (_lab, mut client, _talk, _names) = ready().await;
    let before = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(set(&mut client, Action::Verify, Some(config("other", Some(9)))).await, Code::Ok);
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, before);
    assert_eq!(get(&mut client, ResponseType::All).await, config("kinds", None));
}

#[tokio::test]
async fn s14_what_can_not_run_is_refused() {
    let (_lab, mut client, _talk, _names) = ready().await;
    let other = config("other", None);
    let foreign = ForwardingPipelineConfig { p4info: config("kinds", None).p4info, ..other.clone() };
    let mut wide = config("kinds", None);
    wide.p4info.as_mut().unwrap().tables[0].match_fields[0].bitwidth = 33;
    let cases = [
        (Action::Unspecified, Some(other.clone())),
        (Action::Verify, None),
        (Action::VerifyAndCommit, None),
        (Action::ReconcileAndCommit, None),
        (Action::Verify, Some(ForwardingPipelineConfig { p4info: None, ..other.clone() })),
        (
            Action::VerifyAndCommit,
            Some(ForwardingPipelineConfig { p4_device_config: "".into(), ..other.clone() }),
        ),
        (Action::Verify, Some(ForwardingPipelineConfig { p4_device_config: "?".into(), ..other.clone() })),
        (Action::VerifyAndCommit, Some(foreign)),
        (Action::VerifyAndCommit, Some(wide)),
        (Action::Commit, Some(other)),
    ];
    for (action, config) in cases {
        assert_eq!(
            set(&mut client, action, config.clone()).await,
            Code::InvalidArgument,
            "{action:?} {config:?}"
        );
    }
    assert_eq!(set(&mut client, Action::Commit, None).await, Code::NotFound, "nothing is saved");
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await.len(), 6, "all is as it was");
}

#[tokio::test]
async fn s14_verify_and_commit_clears() {
    let (_lab, mut client, _talk, _names) = ready().await;
    assert_eq!(set(&mut client, Action::VerifyAndCommit, Some(config("kinds", Some(3)))).await, Code::Ok);
    let left = entries(&mut client, v1::TableEntry::default()).await;
    assert!(left.len() == 2 && left.iter().all(|e| e.is_const), "only what the source has: {left:?}");
    assert_eq!(set(&mut client, Action::VerifyAndCommit, Some(config("other", Some(4)))).await, Code::Ok);
    let names = Names::new(&config("other", None).p4info.unwrap());
    write(&mut client, vec![insert(names.host(5, 5))]).await.unwrap();
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, [names.host(5, 5)]);
}

/// Specification §14: reads and writes are about the saved config, and COMMIT replays them.
#[tokio::test]
async fn s14_save_write_then_commit() {
    let (lab, mut client, _talk, _) = ready().await;
    let before = entries(&mut client, v1::TableEntry::default()).await;
    let names = Names::new(&config("other", None).p4info.unwrap());
    assert_eq!(set(&mut client, Action::VerifyAndSave, Some(config("other", Some(4)))).await, Code::Ok);
    assert_eq!(get(&mut client, ResponseType::CookieOnly).await.cookie, None, "the old one is in force");
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, [], "nothing was written yet");
    write(&mut client, vec![insert(names.host(5, 5)), insert(names.host(6, 6))]).await.unwrap();
    write(&mut client, vec![modify(names.host(5, 7)), delete(names.host(6, 6))]).await.unwrap();
    let again = write(&mut client, vec![insert(names.host(5, 5))]).await;
    assert_eq!(codes(again), [Code::AlreadyExists]);
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, [names.host(5, 7)]);
    let held = lab.device.lock().await.host.0.table_entries(pipeline_ir::TableId(0)).len();
    assert_eq!(held, 2, "packets meet what they met");
    assert_eq!(set(&mut client, Action::Commit, None).await, Code::Ok);
    assert_eq!(get(&mut client, ResponseType::All).await, config("other", Some(4)));
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, [names.host(5, 7)]);
    assert_eq!(set(&mut client, Action::Commit, None).await, Code::NotFound, "it was committed");
    assert_eq!(set(&mut client, Action::VerifyAndCommit, Some(config("kinds", None))).await, Code::Ok);
    assert!(entries(&mut client, v1::TableEntry::default()).await.len() < before.len());
}

/// Every kind of table and a ring go by way of the saved config.
#[tokio::test]
async fn s14_what_is_written_to_the_saved_config_is_what_a_data_plane_would_hold() {
    let (lab, mut client, _talk, names) = ready().await;
    let held = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(set(&mut client, Action::VerifyAndSave, Some(config("kinds", Some(5)))).await, Code::Ok);
    let own: Vec<_> = held.iter().filter(|e| !e.is_const).cloned().collect();
    write(&mut client, own.into_iter().map(insert).collect()).await.unwrap();
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, held);
    let more: Vec<_> = (100..130).map(|src| insert(names.host(src, 1))).collect();
    let full = codes(write(&mut client, more).await);
    assert_eq!(
        full.iter().filter(|c| **c == Code::ResourceExhausted).count(),
        30 - 14,
        "of 16, two are there"
    );
    let held = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(set(&mut client, Action::Commit, None).await, Code::Ok);
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, held);
    drop(lab);
}

/// What fails leaves all as it was, the saved config too.
#[tokio::test]
async fn s14_a_commit_that_fails_changes_nothing() {
    let (lab, mut client, _talk, names) = ready().await;
    let before = entries(&mut client, v1::TableEntry::default()).await;
    lab.device.lock().await.host.1 = true;
    for action in [Action::VerifyAndCommit, Action::ReconcileAndCommit] {
        assert_eq!(set(&mut client, action, Some(config("other", None))).await, Code::Internal);
        assert_eq!(entries(&mut client, v1::TableEntry::default()).await, before, "{action:?}");
        assert_eq!(get(&mut client, ResponseType::All).await, config("kinds", None));
    }
    assert_eq!(set(&mut client, Action::VerifyAndSave, Some(config("other", Some(4)))).await, Code::Ok);
    write(&mut client, vec![insert(names.host(5, 5))]).await.unwrap();
    assert_eq!(set(&mut client, Action::Commit, None).await, Code::Internal);
    assert_eq!(get(&mut client, ResponseType::All).await, config("kinds", None));
    lab.device.lock().await.host.1 = false;
    assert_eq!(set(&mut client, Action::Commit, None).await, Code::Ok, "it is still saved");
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, [names.host(5, 5)]);
}

#[tokio::test]
async fn s14_reconcile_keeps_what_is_still_legal() {
    let (_lab, mut client, _talk, names) = ready().await;
    let before = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(set(&mut client, Action::ReconcileAndCommit, Some(config("kinds", None))).await, Code::Ok);
    assert_eq!(entries(&mut client, v1::TableEntry::default()).await, before, "all of it, ring and pool too");
    assert_eq!(set(&mut client, Action::ReconcileAndCommit, Some(config("other", None))).await, Code::Ok);
    let kept = entries(&mut client, v1::TableEntry::default()).await;
    assert_eq!(kept, [names.host(1, 1)], "there is no `balance`, no ring");
}

#[tokio::test]
async fn s14_only_the_primary_sets() {
    let (lab, mut client, mut talk, _names) = ready().await;
    talk.arbitrate("", Some(0)).await;
    talk.standing().await;
    assert_eq!(set(&mut client, Action::Verify, Some(config("kinds", None))).await, Code::PermissionDenied);
    let mut wrong = lab.client().await;
    let request = v1::GetForwardingPipelineConfigRequest { device_id: 2, ..Default::default() };
    assert_eq!(wrong.get_forwarding_pipeline_config(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn s15_the_four_forms() {
    let (_lab, mut client, _talk, _names) = ready().await;
    let all = config("kinds", Some(77));
    assert_eq!(set(&mut client, Action::VerifyAndCommit, Some(all.clone())).await, Code::Ok);
    let empty = ForwardingPipelineConfig { cookie: all.cookie, ..Default::default() };
    let cases = [
        (ResponseType::All, all.clone()),
        (ResponseType::CookieOnly, empty.clone()),
        (
            ResponseType::P4infoAndCookie,
            ForwardingPipelineConfig { p4info: all.p4info.clone(), ..empty.clone() },
        ),
        (
            ResponseType::DeviceConfigAndCookie,
            ForwardingPipelineConfig { p4_device_config: all.p4_device_config, ..empty },
        ),
    ];
    for (what, expected) in cases {
        assert_eq!(get(&mut client, what).await, expected, "{what:?}");
    }
}

#[tokio::test]
async fn s17_capabilities() {
    let lab = lab().await;
    let mut client = lab.client().await;
    for (device_id, expected) in [(0, Ok("1.5.0")), (1, Ok("1.5.0")), (2, Err(Code::NotFound))] {
        let answer = client.capabilities(v1::CapabilitiesRequest { device_id }).await;
        let version = answer.map(|a| a.into_inner().p4runtime_api_version).map_err(|s| s.code());
        assert_eq!(version, expected.map(str::to_owned), "device {device_id}");
    }
}
