//! Wall clocks that jump: a library that is loaded before the C library adds seconds to what the kernel says.

use super::Lab;
use std::os::unix::fs::FileExt as _;
use std::process::Command;

/// What an hour is, in seconds.
pub(crate) const HOUR: i64 = 3_600;

/// The clocks of processes, by name.
pub(crate) struct Clocks {
    library: String,
    folder: std::path::PathBuf,
}

impl Clocks {
    /// Compiles the library.
    pub(crate) fn new(lab: &Lab) -> Self {
        let source = lab.write("clock.c", include_str!("clock.c"));
        let library = lab.file("clock.so").to_str().unwrap().to_owned();
        // Whatever links Rust programs can do this.
        let done =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o", &library, &source]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self { library, folder: lab.path().to_owned() }
    }

    /// Sets a clock ahead, or behind.
    pub(crate) fn set(&self, name: &str, seconds: i64) {
        let path = self.folder.join(name).with_extension("clock");
        // The file is mapped: it is written in place.
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(path).unwrap();
        file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// The variables of a process that goes by this clock.
    pub(crate) fn of(&self, name: &str) -> Vec<(&'static str, String)> {
        let file = self.folder.join(name).with_extension("clock");
        if !file.exists() {
            self.set(name, 0);
        }
        let file = file.to_str().unwrap().to_owned();
        vec![("LD_PRELOAD", self.library.clone()), ("GUIDEWAY_TEST_CLOCK", file)]
    }
}
