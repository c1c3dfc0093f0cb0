//! What can be refused before there is an object: compiling takes seconds.

use super::Options;
use super::attach;
use super::elf::Facts;
use super::error::XdpError;
use super::pins::Pins;
use super::probe::{JIFFIES, Kernel};
use super::sys::{MapInfo, map_type};
use pipeline_ir::Pipeline;

/// Would this pipeline's program find what it needs: the kernel, the rights, the interfaces, the BPF file system? Nothing
/// is made or touched. What only the object tells is asked when it is loaded.
///
/// # Errors
/// [`XdpError`], as from [`XdpPlane::load`](super::XdpPlane::load).
pub fn check(pipeline: &Pipeline, options: &Options) -> Result<(), XdpError> {
    let needs = needs(pipeline);
    Kernel::probe(&needs).judge(&needs)?;
    let places = attach::places(&options.ports, u32::MAX)?;
    let dir = options.pin_dir.as_deref().filter(|_| !options.testing);
    let pins = dir.map(Pins::look).transpose()?.flatten();
    attach::check_free(&places, pins.as_ref())
}

/// What every object of this pipeline has, as far as kernels differ in it.
fn needs(p: &Pipeline) -> Facts {
    let mut facts = Facts::default();
    if !p.flow_tables.is_empty() {
        facts.atomics = true;
        facts.helpers.insert(JIFFIES);
    }
    for flow in &p.flow_tables {
        let value = 4 * flow.layout().bytes();
        let (kind, flags) = (map_type::ARRAY, map_type::MMAPABLE);
        facts.maps.insert(flow.name.clone(), MapInfo { kind, key: 4, value, entries: flow.buckets(), flags });
    }
    facts
}
