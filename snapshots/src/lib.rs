//! Golden and differential tests over dropped cases: one folder, one pipeline, one more test on every target.
pub mod bmv2;
pub mod case;
#[cfg(feature = "dpdk")]
pub mod dpdk;
pub mod entries;
pub mod generate;
pub mod judge;
pub mod native;
pub mod objects;
pub mod oracle;
pub mod packet;
pub mod programs;
mod reads;
pub mod run;
pub mod served;
mod source;
pub mod story;
pub mod ways;
pub mod xdp;
