//! How much is stored, whether all of it is readable, and what is left where it is not.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use kalamdb_store::{
    Damage, LogRecord, Manifest, Owner, PageKey, PartitionId as StoredId, RecordKey, Repair, StoreError, Tail,
};
use serde::Serialize;

use super::database::Database;
use super::owners::Owners;
use crate::call::{CallContext, ProgressPhase};
use crate::catalog;
use crate::catalog::{Catalog, PartitionId, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{RowGroup, Salvage};
use crate::retry::PageRef;
use crate::segment::{Contents, StoredSegment, decode_manifest, reach};

/// How often a partition is read again because another tab has flushed or merged it meanwhile.
const MAX_LOOKS: usize = 50;

/// The stored bytes and rows that this instance knows of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageUse {
    /// Rows in the log, as JSON.
    pub log_bytes: u64,
    /// Rows in segments, as compressed columns.
    pub segment_bytes: u64,
    /// Columns of segments in memory.
    pub cache_bytes: u64,
    /// The same for each partition.
    pub tables: Vec<PartitionUse>,
    /// Tables of which a record is damaged: what is in their segments is not counted.
    pub damaged: Vec<DamagedRecord>,
}

/// What is stored of one table, or of one user's rows of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionUse {
    /// The table's namespace.
    pub namespace: String,
    /// The table's name.
    pub table: String,
    /// The user that the rows belong to, in a table that has rows of users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Row versions in the log.
    pub log_rows: u64,
    /// Their bytes.
    pub log_bytes: u64,
    /// How many segments there are.
    pub segments: u64,
    /// Row versions in them.
    pub segment_rows: u64,
    /// Their bytes.
    pub segment_bytes: u64,
}

/// The result of reading every stored record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Whether nothing is damaged.
    pub ok: bool,
    /// How many records of the catalog, of the log and of manifests were read.
    pub records: u64,
    /// How many columns of segments were read.
    pub pages: u64,
    /// What is damaged.
    pub damaged: Vec<DamagedRecord>,
    /// Columns of segments that no manifest names: nothing reads them, and they are removed in time.
    pub orphaned_pages: u64,
    /// The inconsistencies that were corrected when the database was opened, now or earlier.
    pub repairs: Vec<Repair>,
}

/// A record that is damaged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DamagedRecord {
    /// Its key, as docs/storage-format.md has it.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// The table that lacks rows for it, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The user whose rows they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// All rows that are readable.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SalvageReport {
    /// The rows of each table, or of each user's in it.
    pub tables: Vec<SalvagedTable>,
    /// What is damaged, and so missing.
    pub damaged: Vec<DamagedRecord>,
}

/// The readable rows of one partition.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SalvagedTable {
    /// The table's namespace.
    pub namespace: String,
    /// The table's name.
    pub table: String,
    /// `shared`, `user` or `stream`.
    pub kind: &'static str,
    /// The user that the rows belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The names and types of the columns.
    pub columns: Vec<SalvagedColumn>,
    /// The live rows as JSON: an array of arrays of cells as docs/types.md has them.
    pub rows: String,
}

/// A column of a table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SalvagedColumn {
    /// Its name.
    pub name: String,
    /// Its SQL type.
    #[serde(rename = "type")]
    pub sql_type: String,
}

/// What is stored of one partition.
#[derive(Debug, Default)]
struct Stored {
    manifest: Option<Manifest>,
    log: Vec<LogRecord>,
}

/// What is stored at one moment, but for pages, and what of it does not decode.
struct Moment {
    catalog: Arc<Catalog>,
    owners: Owners,
    partitions: BTreeMap<StoredId, Stored>,
    damaged: Vec<DamagedRecord>,
}

/// One partition at one moment.
struct Look {
    table: Arc<Table>,
    user: Option<String>,
    contents: Option<Contents>,
    log: Vec<LogRecord>,
    /// The columns of the segments, in their order, as far as they are readable.
    columns: Vec<BTreeMap<u32, ArrayRef>>,
    n_pages: u64,
    named: Vec<PageKey>,
    damaged: Vec<DamagedRecord>,
}

impl Database {
    /// How much is stored.
    ///
    /// # Errors
    /// `database_closed`.
    pub fn storage(&self) -> Result<StorageUse> {
        self.check_open()?;
        let partitions: Vec<PartitionId> = self.state.borrow().partitions().map(|(id, _)| id.clone()).collect();
        let mut report = StorageUse {
            log_bytes: 0,
            segment_bytes: 0,
            cache_bytes: self.pages.cache().n_bytes() as u64,
            tables: Vec::new(),
            damaged: self.known_damage(),
        };
        for id in partitions {
            let Some(table) = self.catalog().find_id(id.table).cloned() else { continue };
            let (log_rows, log_bytes) =
                self.state.borrow().existing(&id).map(|partition| partition.log_size()).unwrap_or_default();
            let segments = match self.segments_of(&table, &id) {
                Ok(segments) => segments,
                Err(error) if error.kind() == ErrorKind::DataCorrupted => {
                    let state = self.state.borrow();
                    if let (None, Some(manifest)) =
                        (state.damage_of(&id), state.existing(&id).and_then(|partition| partition.manifest()))
                    {
                        let key = RecordKey::Manifest(manifest).to_string();
                        report.damaged.push(of_partition(key, error.message(), &table, id.user.as_deref()));
                    }
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            let used = PartitionUse {
                namespace: table.namespace.clone(),
                table: table.name.clone(),
                user_id: id.user,
                log_rows,
                log_bytes,
                segments: segments.len() as u64,
                segment_rows: segments.iter().map(|stored| stored.segment.n_rows as u64).sum(),
                segment_bytes: segments.iter().map(|stored| stored.segment.n_bytes()).sum(),
            };
            report.log_bytes += used.log_bytes;
            report.segment_bytes += used.segment_bytes;
            report.tables.push(used);
        }
        report.tables.sort_by(|a, b| (&a.namespace, &a.table, &a.user_id).cmp(&(&b.namespace, &b.table, &b.user_id)));
        Ok(report)
    }

    /// The damaged records that this instance has read.
    fn known_damage(&self) -> Vec<DamagedRecord> {
        let state = self.state.borrow();
        state.damaged().iter().map(|damage| of_record(damage, &state.catalog, &state.owners)).collect()
    }

    /// The bytes of the log, and of the segments that this instance knows.
    pub(crate) fn known_stored_bytes(&self) -> u64 {
        let log: u64 = self.state.borrow().partitions().map(|(_, partition)| partition.log_size().1).sum();
        let segments = self
            .partitions_with_loaded_segments()
            .into_iter()
            .filter_map(|(table, id)| self.segments_of(&table, &id).ok())
            .flatten();
        log + segments.map(|stored| stored.segment.n_bytes()).sum::<u64>()
    }

    /// Reads every stored record and page, and lists what does not decode. Nothing is changed.
    ///
    /// Each partition is looked at as of one moment, also while others write.
    ///
    /// # Errors
    /// `database_closed`, `query_canceled`, the store's; `serialization_failure` if a partition is stored anew again
    /// and again.
    pub async fn check(&self, call: &CallContext) -> Result<CheckReport> {
        self.check_open()?;
        let tail = self.store.read_since(None).await?;
        let n_catalog = tail.catalog.as_ref().map_or(0, Vec::len);
        let records = (n_catalog + tail.entries.len() + tail.manifests.len()) as u64;
        let (head, next_id) = (tail.meta.head, tail.meta.next_id);
        let Moment { partitions, catalog, owners, mut damaged } = moment(tail);
        let (mut pages, mut named) = (0, HashSet::new());
        for (id, stored) in partitions {
            let Some(look) = self.look(&id, stored, &catalog, &owners, false, call).await? else { continue };
            pages += look.n_pages;
            named.extend(look.named);
            damaged.extend(look.damaged);
        }
        let keys = self.store.page_keys().await?;
        // What another tab has stored since this began is not an orphan.
        let orphaned = keys.iter().filter(|key| !named.contains(key) && key.segment < next_id).count();
        let has_moved = self.store.read_since(None).await?.meta.head != head;
        Ok(CheckReport {
            ok: damaged.is_empty(),
            records,
            pages,
            damaged,
            orphaned_pages: if has_moved { 0 } else { orphaned as u64 },
            repairs: self.store.repairs().await?,
        })
    }

    /// Collects the live rows that are readable, around what is damaged. Nothing is changed. Each partition is as of
    /// one moment.
    ///
    /// Of a segment that lacks a column the column is NULL in its rows; one that lacks its key is left out, as are log
    /// records that do not decode, so that rows may be found in versions before their last.
    ///
    /// # Errors
    /// As [`Database::check`].
    pub async fn salvage(&self, call: &CallContext) -> Result<SalvageReport> {
        self.check_open()?;
        let Moment { partitions, catalog, owners, mut damaged } = moment(self.store.read_since(None).await?);
        let mut tables = Vec::new();
        for (id, stored) in partitions {
            let Some(look) = self.look(&id, stored, &catalog, &owners, true, call).await? else { continue };
            let table = &look.table;
            let mut salvage = Salvage::new(table);
            for (stored, columns) in look.contents.iter().flat_map(|contents| &contents.segments).zip(&look.columns) {
                salvage.add_segment(stored, columns)?;
                self.pause().await;
            }
            for record in &look.log {
                // What does not decode is listed.
                if let Ok(group) = RowGroup::decode(record, table) {
                    salvage.add(group)?;
                }
            }
            damaged.extend(look.damaged);
            let column = |column: &catalog::ColumnDef| SalvagedColumn {
                name: column.name.clone(),
                sql_type: column.sql_type.to_string(),
            };
            let rows = String::from_utf8(salvage.rows()?).map_err(|error| Error::internal(error.to_string()))?;
            tables.push(SalvagedTable {
                namespace: table.namespace.clone(),
                table: table.name.clone(),
                kind: table.kind.name(),
                user_id: look.user,
                columns: table.columns.iter().map(column).collect(),
                rows,
            });
        }
        Ok(SalvageReport { tables, damaged })
    }

    /// Looks at all of a partition as of one moment: that at which its manifest was the one that `stored` has, or a
    /// later one. `None` if its table is gone by then.
    async fn look(
        &self,
        id: &StoredId,
        stored: Stored,
        catalog: &Arc<Catalog>,
        owners: &Owners,
        keep: bool,
        call: &CallContext,
    ) -> Result<Option<Look>> {
        let (mut stored, mut catalog, mut owners) = (stored, Arc::clone(catalog), owners.clone());
        for _ in 0..MAX_LOOKS {
            let Some(table) = catalog.find_id(id.table).cloned() else { return Ok(None) };
            let unknown = |owner: &Owner| format!("(unknown: {})", owner.0);
            let user = id
                .owner
                .as_ref()
                .map(|owner| owners.known(id).and_then(|id| id.user).unwrap_or_else(|| unknown(owner)));
            if let Some(look) = self.look_once(table, user, stored, keep, call).await? {
                return Ok(Some(look));
            }
            // Somebody has stored it anew. What is now stored of it is read at one moment again.
            let now = moment(self.store.read_since(None).await?);
            (catalog, owners) = (now.catalog, now.owners);
            let mut partitions = now.partitions;
            let Some(found) = partitions.remove(id) else { return Ok(None) };
            stored = found;
        }
        Err(Error::new(ErrorKind::SerializationFailure, "rows are stored anew again and again")
            .with_hint("try again later"))
    }

    /// The same, or `None` if it was stored anew meanwhile.
    async fn look_once(
        &self,
        table: Arc<Table>,
        user: Option<String>,
        stored: Stored,
        keep: bool,
        call: &CallContext,
    ) -> Result<Option<Look>> {
        let Stored { manifest, log } = stored;
        let mut look = Look {
            table,
            user,
            contents: None,
            log,
            columns: Vec::new(),
            n_pages: 0,
            named: Vec::new(),
            damaged: Vec::new(),
        };
        if let Some(manifest) = &manifest {
            match decode_manifest(&look.table, &manifest.body) {
                Ok(contents) => look.contents = Some(contents),
                Err(error) => look.add_damaged(RecordKey::Manifest(manifest.key), error.message()),
            }
        }
        let segments: Vec<StoredSegment> =
            look.contents.iter().flat_map(|contents| contents.segments.clone()).collect();
        let n_pages = segments.iter().map(|stored| stored.segment.page_keys().count()).sum();
        call.progress.expect(ProgressPhase::Checking, n_pages);
        for stored in &segments {
            let mut columns = BTreeMap::new();
            for key in stored.segment.page_keys() {
                let Some(manifest) = &manifest else { continue };
                let Some(read) = self.store.read_pages_of(manifest.key, &[key]).await? else { return Ok(None) };
                look.n_pages += 1;
                call.progress.advance(1);
                look.named.push(key);
                let page = match read.into_iter().next() {
                    Some(Ok(Some(page))) => page,
                    Some(Err(StoreError::Corrupted { what, .. })) => {
                        look.add_damaged(RecordKey::Page(key), &what);
                        continue;
                    }
                    Some(Err(error)) => return Err(error.into()),
                    Some(Ok(None)) | None => {
                        look.add_damaged(RecordKey::Page(key), "it is missing");
                        continue;
                    }
                };
                let Some(PageRef { sql_type, n_rows, .. }) = stored.segment.page(&look.table, key.column) else {
                    look.add_damaged(RecordKey::Page(key), "its column is not known");
                    continue;
                };
                match kalamdb_types::page::decode_page(&page.values, &sql_type, n_rows) {
                    Ok(column) if keep => drop(columns.insert(key.column, column)),
                    Ok(_) => {}
                    Err(error) => look.add_damaged(RecordKey::Page(key), &error.to_string()),
                }
            }
            look.columns.push(columns);
            self.pause().await;
            call.cancel.check()?;
        }
        for record in &look.log {
            if let Err(error) = RowGroup::decode(record, &look.table) {
                let damage = of_partition(
                    RecordKey::Log(record.key.commit).to_string(),
                    error.message(),
                    &look.table,
                    look.user.as_deref(),
                );
                look.damaged.push(damage);
            }
        }
        Ok(Some(look))
    }
}

impl Look {
    fn add_damaged(&mut self, key: RecordKey, what: &str) {
        self.damaged.push(of_partition(key.to_string(), what, &self.table, self.user.as_deref()));
    }
}

/// Takes what was read at one moment apart.
fn moment(tail: Tail) -> Moment {
    let records = tail.catalog.unwrap_or_default();
    let (catalog, owners) = (Arc::new(catalog::decode(&records)), Owners::of_catalog(&records));
    let damaged = tail.damaged.iter().map(|damage| of_record(damage, &catalog, &owners)).collect();
    let mut partitions: BTreeMap<StoredId, Stored> = BTreeMap::new();
    for manifest in tail.manifests {
        // Of two, the newer one counts.
        let id = manifest.partition.clone();
        partitions.entry(id).or_default().manifest = Some(manifest);
    }
    for record in tail.log {
        let stored = partitions.entry(record.partition.clone()).or_default();
        let flushed_through = stored.manifest.as_ref().and_then(|manifest| reach(&manifest.body).1);
        if flushed_through.is_none_or(|through| record.key > through) {
            stored.log.push(record);
        }
    }
    Moment { catalog, owners, partitions, damaged }
}

fn of_record(damage: &Damage, catalog: &Catalog, owners: &Owners) -> DamagedRecord {
    let table =
        damage.partition.as_ref().and_then(|id| catalog.find_id(id.table)).map(|table| table.full_name().to_string());
    let user_id = damage.partition.as_ref().and_then(|id| owners.known(id)).and_then(|id| id.user);
    DamagedRecord { key: damage.key.clone(), what: damage.what.clone(), table, user_id }
}

fn of_partition(key: String, what: &str, table: &Table, user: Option<&str>) -> DamagedRecord {
    DamagedRecord {
        key,
        what: what.to_owned(),
        table: Some(table.full_name().to_string()),
        user_id: user.map(str::to_owned),
    }
}
