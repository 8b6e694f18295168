//! The body of a manifest: which segments a partition has, and which of their rows count. docs/storage-format.md
//! describes it.

use std::num::NonZeroU64;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::buffer::BooleanBuffer;
use kalamdb_store::LogKey;
use kalamdb_types::SqlType;
use kalamdb_types::page::{decode_page, encode_page};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::segment::{DeletionVector, Segment, SegmentColumn};
use crate::catalog::{ColumnDef, Table};
use crate::error::{Error, ErrorKind, Result};

/// A segment as its partition's manifest describes it.
#[derive(Debug, Clone)]
pub(crate) struct StoredSegment {
    pub(crate) segment: Arc<Segment>,
    pub(crate) marks: DeletionVector,
}

/// A manifest, decoded.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) segments: Vec<StoredSegment>,
    /// The number of the last commit that wrote a row which is in a segment.
    pub(crate) changed_at: u64,
    /// The greatest values that columns which count by themselves have held, by the columns' ids.
    pub(crate) counters: Vec<(u32, i64)>,
    /// The first part of the log whose rows this manifest has taken in; `None` if it has taken in none.
    pub(crate) flushed_from: Option<LogKey>,
    /// Parts of the log up to this one are in the segments, or their rows are gone.
    pub(crate) flushed_through: Option<LogKey>,
    /// The segments that this manifest's segments replace.
    pub(crate) replaced: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flushed_from: Option<(u64, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flushed_through: Option<(u64, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counters: Vec<(u32, i64)>,
    segments: Vec<SegmentHeader>,
}

#[derive(Serialize, Deserialize)]
struct SegmentHeader {
    id: u64,
    n_rows: usize,
    schema_version: u32,
    /// The least and the greatest sequence number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seqs: Option<(u64, u64)>,
    columns: Vec<ColumnHeader>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<NonZeroU64>,
    /// The first and the last key, as stored rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Box<RawValue>>,
    /// How many of the bytes after the header say which rows are tombstones.
    #[serde(default, skip_serializing_if = "is_zero")]
    deleted: usize,
    /// How many of the bytes after those say which rows are current.
    #[serde(default, skip_serializing_if = "is_zero")]
    current: usize,
}

#[derive(Serialize, Deserialize)]
struct ColumnHeader {
    id: u32,
    bytes: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    nulls: usize,
    /// The least and the greatest value, as stored rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bounds: Option<Box<RawValue>>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Turns a manifest into its stored bytes.
pub(crate) fn encode_manifest(table: &Table, contents: &Contents) -> Result<Vec<u8>> {
    let mut bits = Vec::new();
    let mut segments = Vec::with_capacity(contents.segments.len());
    for StoredSegment { segment, marks } in &contents.segments {
        let columns = columns_of(table, segment.schema_version)?;
        let mut headers = Vec::with_capacity(segment.columns.len());
        for column in &segment.columns {
            let sql_type = columns.iter().find(|stored| stored.id == column.id).map(|stored| stored.sql_type);
            let bounds = match (&column.bounds, sql_type) {
                (Some(bounds), Some(sql_type)) => Some(encode_values(std::slice::from_ref(bounds), &[sql_type])?),
                _ => None,
            };
            headers.push(ColumnHeader { id: column.id, bytes: column.n_bytes, nulls: column.n_nulls, bounds });
        }
        let keys = (!segment.key_range.is_empty())
            .then(|| encode_values(&segment.key_range, &key_types(table, columns)?))
            .transpose()?;
        segments.push(SegmentHeader {
            id: segment.id,
            n_rows: segment.n_rows,
            schema_version: segment.schema_version,
            seqs: segment.seqs,
            columns: headers,
            memory: segment.memory,
            keys,
            deleted: append_bits(marks.deleted.as_ref(), &mut bits)?,
            current: append_bits(marks.current.as_ref(), &mut bits)?,
        });
    }
    let part = |key: LogKey| (key.commit, key.part);
    let header = Header {
        flushed_from: contents.flushed_from.map(part),
        flushed_through: contents.flushed_through.map(part),
        replaced: contents.replaced.clone(),
        counters: contents.counters.clone(),
        segments,
    };
    let header = serde_json::to_vec(&header).map_err(|error| Error::internal(error.to_string()))?;
    let length = u32::try_from(header.len()).map_err(|_| Error::internal("a manifest is too long"))?;
    Ok([&contents.changed_at.to_le_bytes()[..], &length.to_le_bytes(), &header, &bits].concat())
}

/// Reads a manifest of a table.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn decode_manifest(table: &Table, body: &[u8]) -> Result<Contents> {
    let damaged = |what: String| {
        Error::new(ErrorKind::DataCorrupted, format!("table {}: a manifest is damaged: {what}", table.full_name()))
    };
    let too_short = || damaged("it is too short".to_owned());
    let (changed_at, rest) = body.split_first_chunk::<8>().ok_or_else(too_short)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(too_short)?;
    let (header, mut bits) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(too_short)?;
    let header: Header = serde_json::from_slice(header).map_err(|error| damaged(error.to_string()))?;
    let mut take_bits = |length: usize, n_rows: usize| -> Result<Option<BooleanBuffer>> {
        if length == 0 {
            return Ok(None);
        }
        let (taken, rest) = bits.split_at_checked(length).ok_or_else(too_short)?;
        bits = rest;
        let marks = decode_page(taken, &SqlType::Boolean, n_rows).map_err(|error| damaged(error.to_string()))?;
        Ok(marks.as_boolean_opt().map(|marks| marks.values().clone()))
    };
    let mut segments = Vec::with_capacity(header.segments.len());
    for stored in header.segments {
        let columns = columns_of(table, stored.schema_version)?;
        let column = |column: ColumnHeader| {
            let sql_type = columns.iter().find(|stored| stored.id == column.id).map(|stored| stored.sql_type);
            let bounds = match (&column.bounds, sql_type) {
                (Some(bounds), Some(sql_type)) => decode_values(bounds, &[sql_type]).map_err(&damaged)?.pop(),
                _ => None,
            };
            Ok(SegmentColumn { id: column.id, n_bytes: column.bytes, n_nulls: column.nulls, bounds })
        };
        let key_range = match &stored.keys {
            Some(keys) => decode_values(keys, &key_types(table, columns)?).map_err(&damaged)?,
            None => Vec::new(),
        };
        let deleted = take_bits(stored.deleted, stored.n_rows)?;
        let current = take_bits(stored.current, stored.n_rows)?;
        let columns = stored.columns.into_iter().map(column).collect::<Result<Vec<_>>>()?;
        let (n_rows, schema_version, seqs) = (stored.n_rows, stored.schema_version, stored.seqs);
        let segment =
            Segment { id: stored.id, n_rows, schema_version, seqs, columns, memory: stored.memory, key_range };
        segments.push(StoredSegment { segment: Arc::new(segment), marks: DeletionVector { deleted, current } });
    }
    Ok(Contents {
        segments,
        changed_at: u64::from_le_bytes(*changed_at),
        counters: header.counters,
        flushed_from: header.flushed_from.map(log_key),
        flushed_through: header.flushed_through.map(log_key),
        replaced: header.replaced,
    })
}

/// What of a manifest is known without the table: the number of the last commit that wrote a row of a segment, and up
/// to where the log is in the segments. Of a manifest that is damaged nothing is.
pub(crate) fn reach(body: &[u8]) -> (u64, Option<LogKey>) {
    #[derive(Deserialize)]
    struct Reach {
        #[serde(default)]
        flushed_through: Option<(u64, u32)>,
    }
    let Some((changed_at, rest)) = body.split_first_chunk::<8>() else { return (0, None) };
    let header = rest
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.split_at_checked(u32::from_le_bytes(*length) as usize));
    let reach = header.and_then(|(header, _)| serde_json::from_slice::<Reach>(header).ok());
    (u64::from_le_bytes(*changed_at), reach.and_then(|reach| reach.flushed_through).map(log_key))
}

fn log_key((commit, part): (u64, u32)) -> LogKey {
    LogKey { commit, part }
}

fn columns_of(table: &Table, version: u32) -> Result<&[ColumnDef]> {
    table.columns_of(version).ok_or_else(|| {
        let message = format!(
            "table {}: a segment is of schema version {version}, which the table does not have",
            table.full_name()
        );
        Error::new(ErrorKind::DataCorrupted, message)
    })
}

/// The types of the key's columns in a version of the table's columns; of the hidden row id where there is no key.
fn key_types(table: &Table, stored: &[ColumnDef]) -> Result<Vec<SqlType>> {
    if !table.has_primary_key() {
        return Ok(vec![SqlType::BigInt]);
    }
    let types = table.primary_key.iter().map(|&index| {
        let id = table.columns.get(index)?.id;
        stored.iter().find(|column| column.id == id).map(|column| column.sql_type)
    });
    types.collect::<Option<_>>().ok_or_else(|| Error::internal("a segment has no column of the key"))
}

fn append_bits(marks: Option<&BooleanBuffer>, bits: &mut Vec<u8>) -> Result<usize> {
    let Some(marks) = marks else { return Ok(0) };
    let marks: ArrayRef = Arc::new(BooleanArray::new(marks.clone(), None));
    let page = encode_page(&marks, &SqlType::Boolean).map_err(|error| Error::internal(error.to_string()))?;
    bits.extend_from_slice(&page);
    Ok(page.len())
}

fn encode_values(columns: &[ArrayRef], types: &[SqlType]) -> Result<Box<RawValue>> {
    let mut json = Vec::new();
    let n_rows = columns.first().map_or(0, |column| column.len());
    kalamdb_types::json::encode_rows(columns, types, 0, n_rows, &mut json)
        .map_err(|error| Error::internal(error.to_string()))?;
    let json = String::from_utf8(json).map_err(|error| Error::internal(error.to_string()))?;
    RawValue::from_string(json).map_err(|error| Error::internal(error.to_string()))
}

fn decode_values(json: &RawValue, types: &[SqlType]) -> std::result::Result<Vec<ArrayRef>, String> {
    let columns =
        kalamdb_types::json::decode_rows(json.get().as_bytes(), types, 2).map_err(|error| error.to_string())?;
    if columns.iter().any(|column| column.len() != 2) {
        return Err("bounds are two values".to_owned());
    }
    Ok(columns)
}
