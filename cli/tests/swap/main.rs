//! Whole rings take each other's place by P4Runtime while packets go on: none is lost, and none goes anywhere but to a backend
//! that a ring in force named.
#![allow(clippy::unwrap_used)]

use p4runtime_bench::lab::{Switch, World};
use p4runtime_bench::swap::{Effort, swaps};
use p4runtime_bench::traffic::Load;
use std::path::Path;

/// Rings of 65,537 slots, and frames of 100 flows that go on beside as many that are new.
const EFFORT: Effort = Effort { swaps: 4, load: Load { pace: 2000, lasting: 100 } };

/// Can this machine? If not, says so; panics if it must.
fn ready(test: &str) -> bool {
    !needed::skip(test, "bpf", needed::bpf(sw_fallback::xdp::clang::find().is_some()))
}

fn nothing_is_lost(target: &'static str) {
    if !ready(target) {
        return;
    }
    // The network is the thread's, and that of all that it starts.
    let thread = std::thread::spawn(move || {
        let world = World::make().unwrap();
        let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let switch = Switch::start(Path::new(env!("CARGO_BIN_EXE_guideway")), &world, target, &[]).unwrap();
        rt.block_on(swaps(&switch, EFFORT)).unwrap()
    });
    let swapped = thread.join().unwrap();
    let frames = swapped.frames;
    assert_eq!((frames.lost, frames.misdirected, frames.strange), (0, 0, 0), "{swapped:?}");
    assert_eq!(swapped.times.len(), usize::from(EFFORT.swaps));
    assert!(frames.sent > 200, "{swapped:?}");
}

#[test]
fn no_packet_is_lost_or_misdirected_on_xdp() {
    nothing_is_lost("xdp");
}

#[test]
fn no_packet_is_lost_or_misdirected_on_native() {
    nothing_is_lost("native");
}
