//! Which source line an instruction comes from, by the object's `.BTF.ext`.
//!
//! Layout: `Documentation/bpf/btf.rst` of Linux. A header gives the place of the line records; they stand in groups,
//! one for each section, and name file and text by offsets into the strings of `.BTF`.

use object::{Object as _, ObjectSection as _};
use std::collections::BTreeMap;

/// A line of the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) text: String,
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn word(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.0.get(at..at + 4)?.try_into().ok()?))
    }

    fn from(&self, at: usize) -> Option<Bytes<'a>> {
        Some(Bytes(self.0.get(at..)?))
    }

    fn string(&self, at: u32) -> String {
        let bytes = self.0.get(at as usize..).unwrap_or_default();
        let text: Vec<u8> = bytes.iter().take_while(|b| **b != 0).copied().collect();
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Every line, by its first instruction. An object without debug information has none.
pub(super) fn lines(file: &object::File<'_>, sections: &BTreeMap<&str, usize>) -> BTreeMap<usize, Line> {
    let data = |name| file.section_by_name(name).and_then(|s| s.data().ok()).unwrap_or_default();
    let mut found = BTreeMap::new();
    // What is cut short has no more lines to give.
    let _cut = read(&Bytes(data(".BTF")), &Bytes(data(".BTF.ext")), sections, &mut found);
    found
}

fn read(
    btf: &Bytes<'_>,
    ext: &Bytes<'_>,
    sections: &BTreeMap<&str, usize>,
    found: &mut BTreeMap<usize, Line>,
) -> Option<()> {
    let header = btf.word(4)?;
    let strings = btf.from((header + btf.word(16)?) as usize)?;
    let start = (ext.word(4)? + ext.word(16)?) as usize;
    let end = start + ext.word(20)? as usize;
    let record = ext.word(start)? as usize;
    let mut at = start + 4;
    while at < end {
        let (name, count) = (strings.string(ext.word(at)?), ext.word(at + 4)? as usize);
        at += 8;
        for _ in 0..count {
            if let Some(first) = sections.get(name.as_str()) {
                let line = Line {
                    file: strings.string(ext.word(at + 4)?),
                    number: ext.word(at + 12)? >> 10,
                    text: strings.string(ext.word(at + 8)?).trim().to_owned(),
                };
                found.insert(first + ext.word(at)? as usize / 8, line);
            }
            at += record;
        }
    }
    Some(())
}
