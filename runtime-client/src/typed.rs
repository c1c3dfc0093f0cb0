//! Typed entries: what the bindings of a pipeline's module convert to and from.

use crate::{NameError, Names};
use p4runtime_proto::p4::v1::TableEntry;
use pipeline_ir::entry::Entry;
use std::fmt::Display;

impl Names {
    /// The message of a typed entry.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use runtime_client::Names;
    /// use client_lab::count::host::{Action, Entry, Key};
    /// let names = Names::new(&switch.info)?;
    /// let entry = Entry { key: Key { src: 0x0a00_0001 }, action: Action::Out { port: 3 } };
    /// let message = names.message(entry.clone())?;
    /// assert_eq!(names.show(&message), "host { src = 10.0.0.1 } -> out { port = 3 }");
    /// assert_eq!(names.typed::<Entry>(&message)?, entry);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Self::entry`]: the P4Info is not of the pipeline that the entry is typed by.
    pub fn message(&self, entry: impl Into<Entry>) -> Result<TableEntry, NameError> {
        self.entry(&entry.into())
    }

    /// A message as a typed entry.
    ///
    /// # Errors
    /// It is another table's, or the P4Info is not of the pipeline that `T` is of.
    pub fn typed<T>(&self, message: &TableEntry) -> Result<T, NameError>
    where
        T: for<'a> TryFrom<&'a Entry, Error: Display>,
    {
        let entry = self.named(message)?;
        T::try_from(&entry).map_err(|e| NameError::NotTyped { reason: e.to_string() })
    }
}
