//! The emitted Rust of every case, linked in.

use crate::served::Served;
use anyhow::{Context as _, Result};
use pipeline_ir::verify::Verified;
use sw_fallback::native::NativePlane;

macro_rules! cases {
    ($(($module:ident, $name:literal, $pipeline:ident, $file:literal);)*) => {
        $(mod $module {
            include!(concat!(env!("OUT_DIR"), $file));
        })*

        /// A fresh instance of a case's Rust; none if there is no such case. `verified` is the case's pipeline with
        /// the sizes of its stories.
        #[must_use]
        pub fn plane(case: &str, verified: &Verified) -> Option<NativePlane> {
            match case {
                $($name => Some(NativePlane::new(verified, $module::$pipeline::Pipeline::new())),)*
                _ => None,
            }
        }
    };
}
include!(concat!(env!("OUT_DIR"), "/native.rs"));

/// A case's Rust behind a P4Runtime server.
///
/// # Errors
/// There is no such case, or it can't be served.
pub fn serve(case: &str, verified: &Verified) -> Result<Served<NativePlane>> {
    let fresh = {
        let (case, verified) = (case.to_owned(), verified.clone());
        move || plane(&case, &verified).with_context(|| format!("no case {case}"))
    };
    let first = fresh()?;
    Served::start(verified, "native", first, move |plane| {
        *plane = fresh()?;
        Ok(())
    })
}
