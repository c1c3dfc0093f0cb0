//! The programs that are measured, loaded.

use super::OURS;
use crate::programs::Floors;
use crate::setup::Setup;
use anyhow::Result;
use std::os::fd::BorrowedFd;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Inside, XdpPlane};

/// Floors of one family and the emitted program with one hash.
pub struct Fixture {
    floors: Floors,
    plane: XdpPlane,
    inside: Inside,
    siphash: bool,
    ipv6: bool,
}

impl Fixture {
    /// Compiles and loads them. Packets come in at `interface`.
    ///
    /// # Errors
    /// No clang, or the kernel refuses.
    pub fn new(siphash: bool, ipv6: bool, interface: &str) -> Result<Self> {
        let sets: &[(&str, &str)] = if siphash { &[("HASH", "HalfSipHash")] } else { &[] };
        let plane = Setup::new(sets)?.load(interface, false)?;
        let inside = plane.inside()?;
        Ok(Self { floors: Floors::new(ipv6)?, plane, inside, siphash, ipv6 })
    }

    /// Is it the one for these?
    #[must_use]
    pub fn is_for(&self, siphash: bool) -> bool {
        self.siphash == siphash
    }

    /// Changes the floors' family.
    ///
    /// # Errors
    /// As [`Fixture::new`].
    pub fn family(&mut self, ipv6: bool) -> Result<()> {
        if self.ipv6 != ipv6 {
            self.floors = Floors::new(ipv6)?;
            self.ipv6 = ipv6;
        }
        Ok(())
    }

    /// The emitted program with its maps.
    pub fn plane(&mut self) -> &mut XdpPlane {
        &mut self.plane
    }

    /// A program by its name.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn program(&self, name: &str) -> Result<BorrowedFd<'_>> {
        if name == OURS { Ok(self.plane.program()) } else { self.floors.program(name) }
    }

    /// Makes a program forget its flows.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn forget(&mut self, name: &str) -> Result<()> {
        match name {
            OURS => {
                self.inside.clear("flows4")?;
                self.inside.clear("flows6")?;
            }
            "lru" => self.floors.forget()?,
            _ => {}
        }
        Ok(())
    }

    /// So many new flows leave no more than one bucket in 400 with room.
    #[must_use]
    pub fn full(&self) -> u32 {
        let table = self.plane.pipeline().flow_tables.first();
        table.map_or(0, |t| t.buckets().saturating_mul(12))
    }
}
