//! How much is stored, whether all of it is readable, and what is left where it is not.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use kalamdb_store::{Damage, LogRecord, Manifest, PageKey, PartitionId, RecordKey, Tail};
use serde::Serialize;

use super::Database;
use crate::catalog::{self, Catalog, Table};
use crate::error::{Error, Result};
use crate::partition::{RowGroup, Salvage};
use crate::segment::{PageRef, Segment, decode_manifest};

/// What is stored, in bytes and rows, as this instance knows it.
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

/// What a look at every stored record has found.
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
#[derive(Default)]
struct Stored {
    manifest: Option<Manifest>,
    log: Vec<LogRecord>,
}

/// What is stored, and what of it does not decode.
struct Everything {
    catalog: Arc<Catalog>,
    partitions: BTreeMap<PartitionId, Stored>,
    damaged: Vec<DamagedRecord>,
}

impl Database {
    /// How much is stored.
    ///
    /// # Errors
    /// `database_closed`, `data_corrupted` if a manifest does not decode.
    pub fn storage(&self) -> Result<StorageUse> {
        self.check_open()?;
        let partitions: Vec<PartitionId> = self.state.borrow().partitions().map(|(id, _)| id.clone()).collect();
        let mut report = StorageUse { log_bytes: 0, segment_bytes: 0, cache_bytes: self.pages.cache().n_bytes() as u64, tables: Vec::new() };
        for id in partitions {
            let Some(table) = self.catalog().find_id(id.table).cloned() else { continue };
            let (log_rows, log_bytes) = self.state.borrow().existing(&id).map(|partition| partition.log_size()).unwrap_or_default();
            let segments = self.segments_of(&table, &id)?;
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

    /// How many bytes are stored of partitions that this instance has looked at.
    pub(crate) fn known_stored_bytes(&self) -> u64 {
        let log: u64 = self.state.borrow().partitions().map(|(_, partition)| partition.log_size().1).sum();
        let segments = self.looked_at().into_iter().filter_map(|(table, id)| self.segments_of(&table, &id).ok()).flatten();
        log + segments.map(|stored| stored.segment.n_bytes()).sum::<u64>()
    }

    /// Reads every stored record and page, and lists what does not decode. Nothing is changed.
    ///
    /// # Errors
    /// `database_closed`, the store's; `data_corrupted` if the meta record is damaged, without which nothing is known.
    pub async fn check(&self) -> Result<CheckReport> {
        self.check_open()?;
        let tail = self.store.read_since(None).await?;
        let Everything { catalog, partitions, mut damaged } = self.everything(&tail)?;
        let n_catalog = tail.catalog.as_ref().map_or(0, Vec::len);
        let (mut n_pages, mut named) = (0, HashSet::new());
        for (id, Stored { manifest, log }) in &partitions {
            let Some(table) = catalog.find_id(id.table) else { continue };
            for record in log {
                if let Err(error) = RowGroup::decode(record, table) {
                    damaged.push(of_partition(RecordKey::Log(record.key).to_string(), error.message(), table, id));
                }
            }
            let Some(manifest) = manifest else { continue };
            let contents = match decode_manifest(table, &manifest.body) {
                Ok(contents) => contents,
                Err(error) => {
                    damaged.push(of_partition(RecordKey::Manifest(manifest.key).to_string(), error.message(), table, id));
                    continue;
                }
            };
            for segment in contents.segments.iter().map(|stored| &stored.segment) {
                for key in segment.page_keys() {
                    n_pages += 1;
                    named.insert(key);
                    if let Err(what) = self.read_page(segment, table, key).await? {
                        damaged.push(of_partition(RecordKey::Page(key).to_string(), &what, table, id));
                    }
                }
                self.pause().await;
            }
        }
        let keys = self.store.page_keys().await?;
        // What another tab has stored since this began is not an orphan.
        let orphaned = keys.iter().filter(|key| !named.contains(key) && key.segment < tail.meta.next_id).count();
        Ok(CheckReport {
            ok: damaged.is_empty(),
            records: (n_catalog + tail.log.len() + tail.manifests.len()) as u64,
            pages: n_pages,
            damaged,
            orphaned_pages: if self.meta().head == tail.meta.head { orphaned as u64 } else { 0 },
        })
    }

    /// Collects the live rows that are readable, around what is damaged. Nothing is changed.
    ///
    /// Of a segment that lacks a column the column is NULL in its rows; one that lacks its key is left out, as are log records that do not
    /// decode, so that rows may be found in versions before their last.
    ///
    /// # Errors
    /// As [`Database::check`].
    pub async fn salvage(&self) -> Result<SalvageReport> {
        self.check_open()?;
        let tail = self.store.read_since(None).await?;
        let Everything { catalog, partitions, mut damaged } = self.everything(&tail)?;
        let mut tables = Vec::new();
        for (id, Stored { manifest, log }) in partitions {
            let Some(table) = catalog.find_id(id.table) else { continue };
            let mut salvage = Salvage::new(table);
            let contents = manifest.map(|manifest| (RecordKey::Manifest(manifest.key).to_string(), decode_manifest(table, &manifest.body)));
            match contents {
                Some((_, Ok(contents))) => {
                    for stored in contents.segments {
                        let mut columns = BTreeMap::new();
                        for key in stored.segment.page_keys() {
                            match self.read_page(&stored.segment, table, key).await? {
                                Ok(column) => drop(columns.insert(key.column, column)),
                                Err(what) => damaged.push(of_partition(RecordKey::Page(key).to_string(), &what, table, &id)),
                            }
                        }
                        salvage.add_segment(&stored, &columns)?;
                        self.pause().await;
                    }
                }
                Some((key, Err(error))) => damaged.push(of_partition(key, error.message(), table, &id)),
                None => {}
            }
            for record in log {
                match RowGroup::decode(&record, table) {
                    Ok(group) => salvage.add(group)?,
                    Err(error) => damaged.push(of_partition(RecordKey::Log(record.key).to_string(), error.message(), table, &id)),
                }
            }
            let column = |column: &crate::catalog::ColumnDef| SalvagedColumn { name: column.name.clone(), sql_type: column.sql_type.to_string() };
            let rows = String::from_utf8(salvage.rows()?).map_err(|error| Error::internal(error.to_string()))?;
            tables.push(SalvagedTable {
                namespace: table.namespace.clone(),
                table: table.name.clone(),
                kind: table.kind.name(),
                user_id: id.user.clone(),
                columns: table.columns.iter().map(column).collect(),
                rows,
            });
        }
        Ok(SalvageReport { tables, damaged })
    }

    fn everything(&self, tail: &Tail) -> Result<Everything> {
        let catalog = match &tail.catalog {
            Some(records) => Arc::new(catalog::decode(records)),
            None => self.catalog(),
        };
        let damaged = tail.damaged.iter().map(|damage| of_record(damage, &catalog)).collect();
        let mut partitions: BTreeMap<PartitionId, Stored> = BTreeMap::new();
        for manifest in &tail.manifests {
            partitions.entry(manifest.partition.clone()).or_default().manifest = Some(manifest.clone());
        }
        for record in &tail.log {
            partitions.entry(record.partition.clone()).or_default().log.push(record.clone());
        }
        Ok(Everything { catalog, partitions, damaged })
    }

    /// A page, or what is wrong with it.
    async fn read_page(
        &self,
        segment: &Segment,
        table: &Arc<Table>,
        key: PageKey,
    ) -> Result<std::result::Result<datafusion::arrow::array::ArrayRef, String>> {
        let page = match self.store.read_pages(&[key]).await {
            Ok(pages) => pages.into_iter().next().flatten(),
            Err(kalamdb_store::StoreError::Corrupted { what, .. }) => return Ok(Err(what)),
            Err(error) => return Err(error.into()),
        };
        let Some(page) = page else { return Ok(Err("it is missing".to_owned())) };
        let Some(PageRef { sql_type, n_rows, .. }) = segment.page(table, key.column) else { return Ok(Err("its column is not known".to_owned())) };
        Ok(kalamdb_types::page::decode_page(&page.values, &sql_type, n_rows).map_err(|error| error.to_string()))
    }
}

fn of_record(damage: &Damage, catalog: &Catalog) -> DamagedRecord {
    let table = damage.partition.as_ref().and_then(|id| catalog.find_id(id.table)).map(|table| table.full_name().to_string());
    let user_id = damage.partition.as_ref().and_then(|id| id.user.clone());
    DamagedRecord { key: damage.key.clone(), what: damage.what.clone(), table, user_id }
}

fn of_partition(key: String, what: &str, table: &Table, id: &PartitionId) -> DamagedRecord {
    DamagedRecord { key, what: what.to_owned(), table: Some(table.full_name().to_string()), user_id: id.user.clone() }
}
