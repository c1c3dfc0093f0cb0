//! The pipelines that are compiled into this command, for `--target native`.

use crate::Refused;
use guideway::builtin;
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{CounterKind, Pipeline};
use sw_fallback::native::NativePlane;

/// A pipeline that can run in this process.
pub(crate) struct Program {
    pub(crate) plane: NativePlane,
    /// It changes packets that it passes to the host.
    pub(crate) changes_passed: bool,
}

/// l4lb with the keyed hash.
mod siphash {
    include!(concat!(env!("OUT_DIR"), "/l4lb_siphash.rs"));
}

/// A program that is compiled in: its pipeline's name, the constants that are set, and what makes its plane.
struct Known {
    name: &'static str,
    set: &'static [(&'static str, &'static str)],
    make: fn(&Verified) -> NativePlane,
    changes_passed: bool,
}

const ALL: &[Known] = &[
    Known {
        name: "l4lb",
        set: &[],
        make: |v| NativePlane::new(v, builtin::l4lb::Pipeline::new()),
        changes_passed: false,
    },
    Known {
        name: "l4lb",
        set: &[("HASH", "HalfSipHash")],
        make: |v| NativePlane::new(v, siphash::l4lb::Pipeline::new()),
        changes_passed: false,
    },
    Known {
        name: "decap",
        set: &[],
        make: |v| NativePlane::new(v, builtin::decap::Pipeline::new()),
        changes_passed: true,
    },
];

/// The program of a pipeline: one that was compiled from the very same.
pub(crate) fn find(verified: &Verified) -> Result<Program, Refused> {
    let wanted = verified.pipeline();
    let mut alike = None;
    for Known { name, set, make, changes_passed } in ALL {
        let Some((_, text)) = builtin::ALL.iter().find(|(n, _)| n == name) else { continue };
        let sets: Vec<_> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let own = verify(pipeline_syntax::compile_source(&wanted.file, text, &sets)?)?;
        if own.pipeline() == wanted {
            return Ok(Program { plane: make(verified), changes_passed: *changes_passed });
        }
        if own.pipeline().name == wanted.name {
            alike.get_or_insert_with(|| own.pipeline().clone());
        }
    }
    Err(Refused(refusal(wanted, alike.as_ref())))
}

/// Why it doesn't run here, and what does.
fn refusal(wanted: &Pipeline, alike: Option<&Pipeline>) -> String {
    let name = &wanted.name;
    let parts = |p: &Pipeline| [p.tables.len(), p.flow_tables.len(), p.parser.states.len()];
    let why = match alike {
        Some(own) if parts(own) != parts(wanted) => {
            format!(
                "the built-in `{name}` runs on native whole only: without some of its parts it is another program"
            )
        }
        Some(own) if sizes(own) != sizes(wanted) => format!(
            "the built-in `{name}` runs on native with its own sizes only (HASH may be set): they are compiled in"
        ),
        _ => {
            format!("`{name}` is not compiled into this command: native runs the built-in `l4lb` and `decap`")
        }
    };
    format!(
        "error: {why}\nhelp: run it with `--target xdp`, which compiles it now; or from a crate of your own, whose \
         `main` calls `guideway::switch::<{name}::Pipeline>()` (docs/native.md)"
    )
}

/// What `--set` changes of sizes.
fn sizes(p: &Pipeline) -> (Vec<u32>, Vec<u32>, Vec<(u32, CounterKind)>) {
    (
        p.flow_tables.iter().map(|t| t.entries).collect(),
        p.rings.iter().map(|r| r.slots).collect(),
        p.counters.iter().map(|c| (c.size, c.kind)).collect(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(text: &str, set: &[(&str, &str)]) -> Result<Program, String> {
        let sets: Vec<_> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (parts, sets) = codegen::off::split(&sets);
        let whole = verify(pipeline_syntax::compile_source("x.rs", text, &sets).unwrap()).unwrap();
        find(&codegen::off::set(&whole, &parts).unwrap()).map_err(|Refused(text)| text)
    }

    #[test]
    fn only_the_very_same_pipeline_is_found() {
        let (l4lb, decap) = (builtin::L4LB, builtin::DECAP);
        assert!(!found(l4lb, &[]).unwrap_or_else(|e| panic!("{e}")).changes_passed);
        assert!(found(decap, &[]).unwrap_or_else(|e| panic!("{e}")).changes_passed);
        assert!(found(l4lb, &[("HASH", "HalfSipHash")]).is_ok());
        assert!(found(l4lb, &[("FLOW_ENTRIES", "8388608")]).is_ok(), "the value that it has");
        let other = l4lb.replace("ttl: 64", "ttl: 63");
        assert_ne!(other, l4lb);
        for (text, set, part) in [
            (l4lb, &[("FLOW_ENTRIES", "1024")][..], "with its own sizes only"),
            (l4lb, &[("RING_SLOTS", "257")], "with its own sizes only"),
            (l4lb, &[("ipv6", "off")], "runs on native whole only"),
            (&other, &[], "`l4lb` is not compiled into this command"),
        ] {
            let error = found(text, set).map(|_| ()).unwrap_err();
            assert!(error.contains(part) && error.contains("--target xdp"), "{error}");
        }
    }
}
