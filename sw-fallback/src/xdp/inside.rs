//! What benches and tests see of a loaded program: its descriptor, and its maps' bytes by name.

use super::error::XdpError;
use super::image::{map_error, map_name};
use super::plane::XdpPlane;
use super::sys::{Pages, RawMap, map_type};
use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

/// The maps of a loaded program, those of its sections (`.rodata`, `.bss`) too.
#[derive(Debug)]
pub struct Inside {
    maps: BTreeMap<String, RawMap>,
}

impl XdpPlane {
    /// The program, to be called from another one or put on an interface by hand.
    #[must_use]
    pub fn program(&self) -> BorrowedFd<'_> {
        self.program.as_fd()
    }

    /// A second look at the maps; what the plane writes is seen.
    ///
    /// # Errors
    /// The system gives no more descriptors.
    pub fn inside(&self) -> std::result::Result<Inside, XdpError> {
        let again = |(name, map): (&String, &OwnedFd)| {
            let map = map.try_clone().and_then(RawMap::new).map_err(|error| map_error(name, error))?;
            Ok((name.clone(), map))
        };
        Ok(Inside { maps: self.maps.iter().map(again).collect::<std::result::Result<_, XdpError>>()? })
    }
}

impl Inside {
    /// A map by its name, or by that of its section.
    fn map(&self, name: &str) -> Result<&RawMap> {
        let found = self.maps.get(map_name(name));
        found.ok_or_else(|| Error::other(format!("there is no map `{name}`")))
    }

    /// An element's bytes. For per-CPU maps: its 64-bit words, each summed over the CPUs.
    ///
    /// # Errors
    /// There is no such map or element, or it is no array.
    pub fn element(&self, map: &str, index: u32) -> Result<Vec<u8>> {
        let found = self.map(map)?;
        let mut bytes = found.get(&index.to_ne_bytes())?;
        if found.info.kind == map_type::PERCPU_ARRAY {
            let stride = found.info.value.next_multiple_of(8) as usize;
            let rest = bytes.split_off(stride);
            for cpu in rest.chunks_exact(stride) {
                for (sum, word) in bytes.chunks_exact_mut(8).zip(cpu.chunks_exact(8)) {
                    let [a, b] = [&*sum, word].map(|w| u64::from_ne_bytes(w.try_into().unwrap_or_default()));
                    sum.copy_from_slice(&a.wrapping_add(b).to_ne_bytes());
                }
            }
        }
        bytes.truncate(found.info.value as usize);
        Ok(bytes)
    }

    /// Sets every element of a mapped array to zeros.
    ///
    /// # Errors
    /// There is no such map, or it can't be mapped.
    pub fn clear(&self, map: &str) -> Result<()> {
        let pages = Pages::new(self.map(map)?)?;
        for index in 0..pages.len() {
            for word in 0..pages.stride() / 8 {
                pages.word(index, word).store(0, Relaxed);
            }
        }
        Ok(())
    }

    /// Writes an element of a map that is not per CPU.
    ///
    /// # Errors
    /// As [`Inside::element`]; or the map is per CPU or the value has another size.
    pub fn set_element(&self, map: &str, index: u32, value: &[u8]) -> Result<()> {
        self.map(map)?.set(&index.to_ne_bytes(), value)
    }
}
