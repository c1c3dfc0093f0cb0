//! Where values are kept while a packet is under way.
//!
//! An instruction reaches the first 256 bytes of a struct (its offsets have 8 bits, and nothing checks them). Metadata come
//! first; what finds no room there lies in headers of our own that are never sent: `more`, `more_2`, ...

use std::collections::BTreeMap;

/// Bytes of a struct that are used; behind them stands a pad, since SWX reads and writes 8 bytes at a time.
const ROOM: u32 = 240;

/// The fields of metadata and of the headers that take what has no room in them.
#[derive(Debug, Default)]
pub(super) struct Regs {
    files: Vec<Vec<(String, u32)>>,
    known: BTreeMap<String, String>,
    busy: BTreeMap<u32, u32>,
}

impl Regs {
    /// The name of a file: `m`, or a header.
    fn file(number: usize) -> String {
        match number {
            0 => "m".into(),
            1 => "h.more".into(),
            n => format!("h.more_{n}"),
        }
    }

    /// The operand for a value of so many bits; it is made when it is asked for first.
    pub(super) fn get(&mut self, name: &str, bits: u32) -> String {
        if let Some(operand) = self.known.get(name) {
            return operand.clone();
        }
        let used = |file: &Vec<(String, u32)>| file.iter().map(|(_, bits)| bits / 8).sum::<u32>();
        let room = self.files.iter().position(|file| used(file) + bits / 8 <= ROOM);
        let number = room.unwrap_or_else(|| {
            self.files.push(Vec::new());
            self.files.len() - 1
        });
        self.files[number].push((name.to_owned(), bits));
        let operand = format!("{}.{name}", Self::file(number));
        self.known.insert(name.to_owned(), operand.clone());
        operand
    }

    /// A value that lives as long as the statement.
    pub(super) fn temp(&mut self, bits: u32) -> String {
        let number = self.busy.entry(bits).or_default();
        *number += 1;
        let name = format!("t{bits}_{number}");
        self.get(&name, bits)
    }

    /// How far temporaries are taken, to come back to.
    pub(super) fn mark(&self) -> BTreeMap<u32, u32> {
        self.busy.clone()
    }

    /// The temporaries taken since are free.
    pub(super) fn release(&mut self, mark: BTreeMap<u32, u32>) {
        self.busy = mark;
    }

    /// The fields of metadata, then those of each other header with its name.
    pub(super) fn finish(self) -> Vec<(String, Vec<(String, u32)>)> {
        let files = self.files.into_iter().enumerate();
        files.map(|(i, fields)| (Self::file(i).trim_start_matches("h.").to_owned(), fields)).collect()
    }
}
