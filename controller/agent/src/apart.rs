//! Network namespaces for tests.
#![allow(unsafe_code, reason = "a network namespace for one thread")]

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Runs it in a network namespace of its own, on a thread of its own. Without root it says that it is skipped.
pub(crate) fn apart(test: impl FnOnce() + Send + 'static) {
    let alone = std::thread::spawn(move || {
        // SAFETY: this thread shares nothing that NEWNET takes away from others.
        if let Err(error) = unsafe { unshare_unsafe(UnshareFlags::NEWNET) } {
            assert!(needed::skip("a network namespace", "bpf", Some(error.to_string())));
            return;
        }
        // A child of this thread is where the thread is.
        let up = std::process::Command::new("ip").args(["link", "set", "lo", "up"]).status();
        assert!(up.is_ok_and(|status| status.success()), "lo stays down");
        test();
    });
    if let Err(panic) = alone.join() {
        std::panic::resume_unwind(panic);
    }
}
