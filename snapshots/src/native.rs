//! The emitted Rust of every case, linked in.

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
