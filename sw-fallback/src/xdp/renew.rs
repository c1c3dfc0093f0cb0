//! A loaded program with its state as it was when it was loaded: tests tell a story after the other without asking the
//! verifier, which takes most of a load, again.

use super::error::XdpError;
use super::plane::XdpPlane;
use super::sys::RawMap;
use pipeline_ir::entry::WriteError;

impl XdpPlane {
    /// Forgets entries, flows, counts and the program's own variables; what the source has stays. Only for a plane that
    /// was loaded for testing: nothing runs its program meanwhile.
    ///
    /// # Errors
    /// It was not loaded for testing, or the kernel refuses a map access.
    pub fn renew(&mut self) -> Result<(), XdpError> {
        let Some(bench) = &mut self.bench else {
            return Err(XdpError::Object { why: "it was not loaded for testing".into() });
        };
        bench.renew().map_err(XdpError::system("can't clear the program's variables"))?;
        for table in &mut self.tables {
            let name = table.shape.table.name.clone();
            let entry = |error: WriteError| XdpError::Entry { table: name, error: error.to_string() };
            table.clear(&mut self.grace).map_err(entry)?;
        }
        for ring in &mut self.rings {
            ring.pools.clear();
            ring.slots.clear();
        }
        self.flows.iter().for_each(|pages| pages.clear());
        let all = |map: &RawMap| (0..map.info.entries).try_for_each(|i| map.clear(i));
        let mut counts = self.counters.iter().chain(&self.events);
        counts.try_for_each(all).map_err(XdpError::system("can't clear a counter"))
    }
}
