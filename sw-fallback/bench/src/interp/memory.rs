//! The memory that a program sees: packet, stack, context, map elements. Every access is checked.

use super::Fault;
use super::object::MapFacts;
use std::collections::BTreeMap;

/// Where map elements come from.
pub trait Maps {
    /// An element's bytes, or none if the map has no such element.
    fn element(&self, map: &str, index: u32) -> Option<Vec<u8>>;
}

/// First byte of each region. The packet's fit 32 bits, as the context's fields do.
pub(super) const PACKET: u64 = 0x1000_0000;
pub(super) const STACK: u64 = 0x2000_0000;
pub(super) const CONTEXT: u64 = 0x3000_0000;
const HANDLES: u64 = 0x4000_0000;
const MAPS: u64 = 1 << 44;

/// Bytes of a page of the kernel, which is where a test run puts the frame.
const PAGE: usize = 4096;
/// `XDP_PACKET_HEADROOM`.
const HEADROOM: usize = 256;
/// What the kernel keeps for itself behind the frame (`skb_shared_info`) and before it (`xdp_frame`).
const TAILROOM: usize = 320;
const KEPT_HEADROOM: usize = 40;
const STACK_BYTES: usize = 512;
/// Calls below each other.
pub(super) const FRAMES: usize = 8;
/// Least length that the helpers leave (`ETH_HLEN`).
const LEAST: usize = 14;

/// What the program is handed for a map.
pub(super) fn handle(map: usize) -> u64 {
    HANDLES + 16 * map as u64
}

/// The map of a handle.
pub(super) fn map_of(handle: u64) -> Option<usize> {
    (HANDLES..HANDLES + (1 << 20)).contains(&handle).then(|| (handle - HANDLES) as usize / 16)
}

/// Address of a map's first element.
pub(super) fn value_base(map: usize) -> u64 {
    (map as u64 + 1) * MAPS
}

/// All of it.
pub(super) struct Memory<'a> {
    maps: &'a [MapFacts],
    source: &'a dyn Maps,
    /// Elements that were touched since the last [`Memory::forget`].
    pub(super) touched: BTreeMap<(usize, u32), Vec<u8>>,
    page: Vec<u8>,
    stack: Vec<u8>,
    pub(super) context: [u8; 24],
    pub(super) data: usize,
    pub(super) data_end: usize,
}

impl<'a> Memory<'a> {
    pub(super) fn new(maps: &'a [MapFacts], source: &'a dyn Maps) -> Self {
        let (page, stack) = (vec![0; PAGE], vec![0; STACK_BYTES * FRAMES]);
        Self { maps, source, touched: BTreeMap::new(), page, stack, context: [0; 24], data: 0, data_end: 0 }
    }

    /// Puts a frame into the page, with 0xff all around.
    pub(super) fn put_frame(&mut self, frame: &[u8], ingress_index: u32) -> Result<(), Fault> {
        if frame.len() > PAGE - HEADROOM - TAILROOM {
            return Err(Fault::Object(format!("a frame of {} bytes", frame.len())));
        }
        self.page.fill(0xff);
        self.stack.fill(0xff);
        (self.data, self.data_end) = (HEADROOM, HEADROOM + frame.len());
        self.page[self.data..self.data_end].copy_from_slice(frame);
        self.context = [0; 24];
        self.context[12..16].copy_from_slice(&ingress_index.to_le_bytes());
        self.show_frame();
        Ok(())
    }

    pub(super) fn frame(&self) -> &[u8] {
        &self.page[self.data..self.data_end]
    }

    fn show_frame(&mut self) {
        for (at, value) in [(0, self.data), (4, self.data_end), (8, self.data)] {
            let address = PACKET as u32 + value as u32;
            self.context[at..at + 4].copy_from_slice(&address.to_le_bytes());
        }
    }

    /// Moves the frame's start; false where the kernel refuses.
    pub(super) fn adjust_head(&mut self, delta: i64) -> bool {
        let start = self.data as i64 + delta;
        if start < KEPT_HEADROOM as i64 || start > (self.data_end - LEAST) as i64 {
            return false;
        }
        self.data = start as usize;
        self.show_frame();
        true
    }

    /// Moves the frame's end; false where the kernel refuses. What is new is 0.
    pub(super) fn adjust_tail(&mut self, delta: i64) -> bool {
        let end = self.data_end as i64 + delta;
        if end > (PAGE - TAILROOM) as i64 || end < (self.data + LEAST) as i64 {
            return false;
        }
        let end = end as usize;
        if end > self.data_end {
            self.page[self.data_end..end].fill(0);
        }
        self.data_end = end;
        self.show_frame();
        true
    }

    /// Forgets the elements, so that the maps are asked again.
    pub(super) fn forget(&mut self) {
        self.touched.clear();
    }

    /// Bytes from one element of a map to the next.
    fn stride(&self, map: usize) -> u64 {
        u64::from(self.maps[map].value.next_multiple_of(8).max(8))
    }

    /// The address of an array's element; none beyond its end.
    pub(super) fn element_address(&self, map: usize, index: u32) -> Option<u64> {
        (index < self.maps[map].entries).then(|| value_base(map) + self.stride(map) * u64::from(index))
    }

    /// Has the map this element?
    pub(super) fn has(&self, map: usize, index: u32) -> bool {
        self.source.element(&self.maps[map].name, index).is_some()
    }

    /// A place of `bytes` bytes.
    pub(super) fn at(&mut self, pc: usize, address: u64, bytes: usize) -> Result<&mut [u8], Fault> {
        let fault = Fault::Address { pc, address, bytes };
        let (region, offset) = if address >= MAPS {
            let map = (address / MAPS) as usize - 1;
            let offset = address % MAPS;
            if map >= self.maps.len() {
                return Err(fault);
            }
            let stride = self.stride(map);
            let index = u32::try_from(offset / stride).map_err(|_| fault.clone())?;
            (self.element(map, index)?, (offset % stride) as usize)
        } else if address >= CONTEXT {
            (&mut self.context[..], (address - CONTEXT) as usize)
        } else if address >= STACK {
            (&mut self.stack[..], (address - STACK) as usize)
        } else {
            let offset = address.wrapping_sub(PACKET) as usize;
            if offset < self.data || offset.saturating_add(bytes) > self.data_end {
                return Err(fault);
            }
            (&mut self.page[..], offset)
        };
        region.get_mut(offset..offset.saturating_add(bytes)).ok_or(fault)
    }

    fn element(&mut self, map: usize, index: u32) -> Result<&mut [u8], Fault> {
        let facts = &self.maps[map];
        let refused =
            |why: &str| Fault::Map { map: facts.name.clone(), why: format!("element {index}: {why}") };
        match self.touched.entry((map, index)) {
            std::collections::btree_map::Entry::Occupied(there) => Ok(there.into_mut()),
            std::collections::btree_map::Entry::Vacant(new) => {
                let bytes =
                    self.source.element(&facts.name, index).ok_or_else(|| refused("it is not there"))?;
                if bytes.len() != facts.value as usize {
                    return Err(refused("its size is not the map's"));
                }
                Ok(new.insert(bytes))
            }
        }
    }

    /// The stack pointer of a call's depth.
    pub(super) fn stack_end(depth: usize) -> u64 {
        STACK + (STACK_BYTES * (FRAMES - depth)) as u64
    }
}
