//! DPDK's environment, where it can't start: a process of its own, for there is one environment in each.
#![cfg(feature = "dpdk")]
#![allow(clippy::unwrap_used)]

use dpdk_switch::{DpdkError, start};

/// More memory than any machine has.
#[test]
fn an_environment_that_cant_start_is_an_error() {
    for megabytes in [u32::MAX, 64] {
        let error = start(megabytes).unwrap_err();
        assert!(matches!(error, DpdkError::Environment(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("can't start") && text.contains("4294967295 MB"), "{text}");
    }
}
