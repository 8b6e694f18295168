//! What the stored commits say, read from their records.

use std::collections::{BTreeMap, HashMap};

use kalamdb_store::{Commit, Owner, RowState};

use super::model::Cells;
use super::statement::has_key;

/// One commit.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) number: u64,
    /// In the order of their numbers.
    pub(crate) versions: Vec<StoredVersion>,
    pub(crate) changes_catalog: bool,
    /// The tables afterwards: ids and columns by name.
    pub(crate) tables: BTreeMap<String, (u64, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredVersion {
    pub(crate) seq: u64,
    pub(crate) table: String,
    pub(crate) user: Option<String>,
    pub(crate) cells: Cells,
    pub(crate) is_deleted: bool,
}

/// Reads commits one after another.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    tables: HashMap<String, (u64, String, Vec<String>)>,
    users: HashMap<Owner, String>,
    last_seq: u64,
}

impl Reader {
    /// Reads the next commit.
    pub(crate) fn read(&mut self, commit: &Commit) -> Result<Written, String> {
        for key in &commit.drop_catalog {
            self.tables.remove(key);
        }
        for record in commit.put_catalog.iter().filter(|record| record.key.starts_with("table/")) {
            self.tables.insert(record.key.clone(), read_table(&record.value)?);
        }
        self.users.extend(commit.put_catalog.iter().filter_map(Owner::of_record));
        let mut versions = Vec::new();
        for record in &commit.log {
            let id = record.partition.table;
            let (_, table, _) = self
                .tables
                .get(&format!("table/{id}"))
                .ok_or_else(|| format!("rows of table {id}, which does not exist"))?;
            let rows: Vec<Cells> = serde_json::from_slice(&record.rows).map_err(|error| error.to_string())?;
            if rows.len() != record.n_rows as usize {
                return Err(format!("record {:?} has {} rows, it says {}", record.key, rows.len(), record.n_rows));
            }
            for (mut cells, seq) in rows.into_iter().zip(record.first_seq..) {
                if !has_key(table) {
                    cells.remove(0);
                }
                let user =
                    record.partition.owner.as_ref().map(|owner| self.users.get(owner).cloned().unwrap_or_default());
                let is_deleted = record.state == RowState::Deleted;
                versions.push(StoredVersion { seq, table: table.clone(), user, cells, is_deleted });
            }
        }
        versions.sort_by_key(|version| version.seq);
        for version in &versions {
            if version.seq <= self.last_seq {
                return Err(format!(
                    "commit {}: number {} comes after {}",
                    commit.meta.head, version.seq, self.last_seq
                ));
            }
            self.last_seq = version.seq;
        }
        if commit.meta.next_seq <= self.last_seq {
            return Err(format!(
                "commit {}: the next number is {}, {} is used",
                commit.meta.head, commit.meta.next_seq, self.last_seq
            ));
        }
        let tables = self.tables.values().map(|(id, name, columns)| (name.clone(), (*id, columns.clone()))).collect();
        let changes_catalog = !commit.drop_catalog.is_empty()
            || commit.put_catalog.iter().any(|record| Owner::of_record(record).is_none());
        Ok(Written { number: commit.meta.head, versions, changes_catalog, tables })
    }
}

fn read_table(json: &[u8]) -> Result<(u64, String, Vec<String>), String> {
    let table: serde_json::Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let columns =
        table["schemas"].as_array().and_then(|schemas| schemas.last()).and_then(|schema| schema["columns"].as_array());
    let columns = columns.into_iter().flatten().map(|column| text(&column["name"])).collect();
    Ok((table["id"].as_u64().unwrap_or_default(), text(&table["name"]), columns))
}
