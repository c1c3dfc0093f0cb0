//! What is in the file, and its transactions. Everything here blocks.
//!
//! Two tables: the records, and the numbers `format`, `revision` and `term`. Each transaction is durable when it
//! returns: redb syncs the file, and its pages are written beside those that they replace.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, Table, TableDefinition, TableHandle,
    WriteTransaction,
};

use super::error::{explain, is_over};
use crate::{Change, Records, RegistryError, Revision, Term};

const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("guideway.records");
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("guideway.numbers");
/// Raised when older programs can't read the file any more.
const FORMAT: u64 = 1;

/// One open file.
#[derive(Debug)]
pub(super) struct Store {
    /// Where it is opened again after an I/O error; none if it is not a file.
    path: Option<PathBuf>,
    /// None after an I/O error.
    database: RwLock<Option<Database>>,
}

impl Store {
    /// Opens the file or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, RegistryError> {
        let database = open(path)?;
        Ok(Self { path: Some(path.to_owned()), database: RwLock::new(Some(database)) })
    }

    /// In memory only.
    pub(super) fn in_memory() -> Result<Self, RegistryError> {
        Self::over(InMemoryBackend::new())
    }

    /// On something else than a file.
    pub(super) fn over(backend: impl StorageBackend) -> Result<Self, RegistryError> {
        let place = Path::new("memory");
        let database = builder().create_with_backend(backend).map_err(|error| explain(place, error))?;
        prepare(&database).map_err(|error| explain(place, error))??;
        Ok(Self { path: None, database: RwLock::new(Some(database)) })
    }

    /// All records.
    pub(super) fn load(&self) -> Result<Records, RegistryError> {
        self.with(|database| {
            let transaction = database.begin_read()?;
            let revision = Revision(number(&transaction.open_table(NUMBERS)?, "revision")?);
            let mut records = Records { revision, ..Records::default() };
            for entry in transaction.open_table(RECORDS)?.iter()? {
                let (key, value) = entry?;
                records.records.insert(key.value().to_owned(), Bytes::copy_from_slice(value.value()));
            }
            Ok(Ok(records))
        })
    }

    /// A new term, above all that were.
    pub(super) fn raise_term(&self) -> Result<(Term, Revision), RegistryError> {
        self.with(|database| {
            let transaction = database.begin_write()?;
            let raised = {
                let mut numbers = transaction.open_table(NUMBERS)?;
                let term = number(&numbers, "term")? + 1;
                numbers.insert("term", term)?;
                (Term(term), Revision(number(&numbers, "revision")?))
            };
            transaction.commit()?;
            Ok(Ok(raised))
        })
    }

    /// All of `changes`, or none.
    pub(super) fn commit(
        &self,
        term: Term,
        after: Revision,
        changes: &[Change],
    ) -> Result<Revision, RegistryError> {
        self.with(|database| {
            let transaction = database.begin_write()?;
            let revision = match raise_revision(&transaction.open_table(NUMBERS)?, term, after)? {
                Ok(revision) => revision,
                Err(refused) => return Ok(Err(refused)),
            };
            apply(&transaction, revision, changes)?;
            transaction.commit()?;
            Ok(Ok(revision))
        })
    }

    /// Runs `work`. An I/O error closes the file, which the next call opens again.
    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<Result<T, RegistryError>, redb::Error>,
    ) -> Result<T, RegistryError> {
        let guard = self.opened()?;
        let database = guard.as_ref().ok_or_else(|| RegistryError::Unavailable("it was closed".into()))?;
        let error = match work(database) {
            Ok(done) => return done,
            Err(error) => error,
        };
        drop(guard);
        if self.path.is_some() && is_over(&error) {
            self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        }
        Err(explain(self.path.as_deref().unwrap_or(Path::new("memory")), error))
    }

    fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, RegistryError> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let (None, Some(path)) = (guard.as_ref(), &self.path) else { return Ok(guard) };
        drop(guard);
        let mut place = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = Some(open(path)?);
        }
        drop(place);
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    // A file that something else has changed is refused; without this redb may panic over it later.
    builder.set_check_integrity_on_open(true);
    builder
}

fn open(path: &Path) -> Result<Database, RegistryError> {
    let new = !path.exists();
    let database = builder().create(path).map_err(|error| explain(path, error))?;
    prepare(&database).map_err(|error| explain(path, error))??;
    if new {
        // The name of a new file is kept by its folder.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| explain(path, redb::Error::Io(error)))?;
    }
    Ok(database)
}

/// Makes the tables of a new file; refuses one that is not ours.
fn prepare(database: &Database) -> Result<Result<(), RegistryError>, redb::Error> {
    let transaction = database.begin_write()?;
    let names: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if names.iter().any(|name| name == NUMBERS.name()) {
        let format = number(&transaction.open_table(NUMBERS)?, "format")?;
        let known = if format == FORMAT {
            Ok(())
        } else {
            let why = format!("it is of format {format}, this program knows format {FORMAT}");
            Err(RegistryError::Unusable(why))
        };
        transaction.abort()?;
        return Ok(known);
    }
    if let Some(other) = names.first() {
        let why = format!("it is a redb file of another program, with a table {other}");
        transaction.abort()?;
        return Ok(Err(RegistryError::Unusable(why)));
    }
    transaction.open_table(RECORDS)?;
    transaction.open_table(NUMBERS)?.insert("format", FORMAT)?;
    transaction.commit()?;
    Ok(Ok(()))
}

fn number(numbers: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    Ok(numbers.get(name)?.map_or(0, |number| number.value()))
}

/// The revision that a commit makes, unless it must not.
fn raise_revision(
    numbers: &Table<'_, &'static str, u64>,
    term: Term,
    expected: Revision,
) -> Result<Result<Revision, RegistryError>, redb::Error> {
    if number(numbers, "term")? != term.0 {
        return Ok(Err(RegistryError::Fenced(term)));
    }
    let at = Revision(number(numbers, "revision")?);
    if at != expected {
        return Ok(Err(RegistryError::Moved { at, expected }));
    }
    Ok(Ok(Revision(at.0 + 1)))
}

fn apply(transaction: &WriteTransaction, revision: Revision, changes: &[Change]) -> Result<(), redb::Error> {
    let mut records = transaction.open_table(RECORDS)?;
    for change in changes {
        match change {
            Change::Put(key, value) => {
                records.insert(key.as_str(), value.as_ref())?;
            }
            Change::Delete(key) => {
                records.remove(key.as_str())?;
            }
        }
    }
    transaction.open_table(NUMBERS)?.insert("revision", revision.0)?;
    Ok(())
}
