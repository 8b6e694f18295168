//! Making segments of frozen chunks, column by column.

use std::num::NonZeroU64;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use datafusion::arrow::compute::{interleave, max, min, take};
use datafusion::arrow::datatypes::Int64Type;
use kalamdb_store::{Page, PageKey, PartitionId as StoredId};
use kalamdb_types::SqlType;
use kalamdb_types::page::encode_page;

use crate::call::{CallContext, ProgressPhase};
use crate::catalog::{SystemColumn, Table};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::partition::{Chunk, CompactionInput, CompactionResult, Source};
use crate::retry::PageRef;
use crate::rows::{compact_views, memory_of};
use crate::segment::{ROW_ID, SEGMENT_BYTES, SEGMENT_ROWS, SEQ, Segment, SegmentColumn, UPDATED, bounds_of};

/// New segments, not stored yet: their ids are counted from 0.
#[derive(Debug, Default)]
pub(super) struct BuiltSegments {
    pub(crate) outputs: Vec<CompactionResult>,
    pub(crate) pages: Vec<Page>,
    /// The columns of the pages, for the cache.
    pub(crate) columns: Vec<(PageKey, ArrayRef)>,
}

/// Makes segments of the rows of `inputs` that count, without tombstones written before `keep_deleted_since_us`.
///
/// Everything else that waits has its turn between the pages.
///
/// # Errors
/// Those of reading the inputs; `query_canceled` if the caller has given the call up.
pub(super) async fn build(
    database: &Database,
    table: &Arc<Table>,
    id: &StoredId,
    inputs: &[CompactionInput],
    keep_deleted_since_us: i64,
    call: &CallContext,
) -> Result<BuiltSegments> {
    let sources = sorted_sources(database, table, inputs, keep_deleted_since_us).await?;
    let mut made = BuiltSegments::default();
    for (number, sources) in sources.chunks(rows_of_segment(inputs)).enumerate() {
        let segment = Segment {
            id: number as u64,
            n_rows: sources.len(),
            schema_version: table.schema_version,
            seqs: None,
            columns: Vec::new(),
            memory: None,
            key_range: key_range(database, table, inputs, sources).await?,
        };
        made.outputs.push(CompactionResult { segment: Arc::new(segment), sources: sources.to_vec() });
    }
    let user =
        table.columns.iter().enumerate().map(|(at, column)| (column.id, column.sql_type, SegmentBuilder::User(at)));
    let system = [
        (SEQ, SqlType::BigInt, SegmentBuilder::System(SystemColumn::Seq)),
        (UPDATED, SqlType::Timestamp, SegmentBuilder::System(SystemColumn::Updated)),
    ];
    let row_id = (!table.has_primary_key()).then_some((ROW_ID, SqlType::BigInt, SegmentBuilder::RowId));
    let columns: Vec<_> = user.chain(system).chain(row_id).collect();
    call.progress.expect(ProgressPhase::Storing, sources.len() * columns.len());
    for (column, sql_type, of) in columns {
        // One column of all inputs is in memory at a time.
        let _pins = database.pages().load(&of.pages(inputs)).await?;
        let parts = inputs.iter().map(|input| of.values(&input.chunk)).collect::<Result<Vec<_>>>()?;
        for output in &mut made.outputs {
            let values = gather(inputs, &parts, &output.sources)?;
            let encoded = encode_page(&values, &sql_type).map_err(|error| Error::internal(error.to_string()))?;
            let segment = Arc::get_mut(&mut output.segment)
                .ok_or_else(|| Error::internal("a segment in the making is shared"))?;
            if column == SEQ {
                segment.seqs = values
                    .as_primitive_opt::<Int64Type>()
                    .and_then(|seqs| Some((min(seqs)?.cast_unsigned(), max(seqs)?.cast_unsigned())));
            }
            segment.columns.push(SegmentColumn {
                id: column,
                n_bytes: encoded.len() as u64,
                n_nulls: values.null_count(),
                bounds: bounds_of(&values, &sql_type)?,
            });
            let key = PageKey { segment: segment.id, column };
            let n_rows = u32::try_from(segment.n_rows).map_err(|_| Error::internal("a segment has too many rows"))?;
            let values = compact_views(values);
            let memory = segment.memory.map_or(0, NonZeroU64::get) + memory_of(&values) as u64;
            segment.memory = NonZeroU64::new(memory);
            made.pages.push(Page { key, partition: id.clone(), n_rows, values: encoded });
            made.columns.push((key, values));
            call.progress.advance(output.sources.len());
            database.pause().await;
            call.cancel.check()?;
        }
    }
    Ok(made)
}

/// How many rows a segment gets, so that it takes no more memory than it should.
fn rows_of_segment(inputs: &[CompactionInput]) -> usize {
    let n_rows: usize = inputs.iter().map(|input| input.chunk.n_rows()).sum();
    let n_bytes: usize = inputs.iter().map(|input| input.chunk.n_bytes()).sum();
    let bytes_of_row = n_bytes.checked_div(n_rows).unwrap_or_default().max(1);
    (SEGMENT_BYTES / bytes_of_row).clamp(1, SEGMENT_ROWS)
}

impl BuiltSegments {
    /// Assigns ids to the segments.
    pub(crate) fn number_from(&mut self, first: u64) -> Result<()> {
        for output in &mut self.outputs {
            let segment = Arc::get_mut(&mut output.segment)
                .ok_or_else(|| Error::internal("a segment in the making is shared"))?;
            segment.id += first;
        }
        self.pages.iter_mut().for_each(|page| page.key.segment += first);
        self.columns.iter_mut().for_each(|(key, _)| key.segment += first);
        Ok(())
    }
}

/// A column of every chunk.
#[derive(Debug, Clone, Copy)]
enum SegmentBuilder {
    User(usize),
    System(SystemColumn),
    RowId,
}

impl SegmentBuilder {
    fn values(self, chunk: &Chunk) -> Result<ArrayRef> {
        match self {
            SegmentBuilder::User(at) => chunk.column(at),
            SegmentBuilder::System(column) => chunk.system_column(column),
            SegmentBuilder::RowId => {
                Ok(Arc::new(chunk.row_ids()?.ok_or_else(|| Error::internal("a chunk has no row ids"))?))
            }
        }
    }

    /// The pages that the values are in.
    fn pages(self, inputs: &[CompactionInput]) -> Vec<PageRef> {
        let page = |input: &CompactionInput| {
            let columns = input.chunk.segment()?;
            match self {
                SegmentBuilder::User(at) => columns.page_of(at),
                SegmentBuilder::System(SystemColumn::Seq) => columns.segment.page(&columns.table, SEQ),
                SegmentBuilder::System(SystemColumn::Updated) => columns.segment.page(&columns.table, UPDATED),
                SegmentBuilder::System(SystemColumn::Deleted) => None,
                SegmentBuilder::RowId => columns.segment.page(&columns.table, ROW_ID),
            }
        };
        inputs.iter().filter_map(page).collect()
    }
}

/// The rows that count, in the order of their keys.
async fn sorted_sources(
    database: &Database,
    table: &Arc<Table>,
    inputs: &[CompactionInput],
    keep_deleted_since_us: i64,
) -> Result<Vec<Source>> {
    let pages: Vec<PageRef> =
        inputs.iter().filter_map(|input| input.chunk.segment()).flat_map(|columns| columns.key_pages()).collect();
    let pins = database.pages().load(&pages).await?;
    let keys = inputs.iter().map(|input| input.chunk.keys(table)).collect::<Result<Vec<_>>>()?;
    drop(pins);
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let expired = expired(database, &input.chunk, keep_deleted_since_us).await?;
        let counts = |row: &usize| {
            input.chunk.is_current(*row)
                && !(input.chunk.is_deleted(*row) && expired.get(*row).copied().unwrap_or(false))
        };
        rows.extend((0..input.chunk.n_rows()).filter(counts).map(|row| (number, row)));
    }
    let compare = |a: &(usize, usize), b: &(usize, usize)| match (keys.get(a.0), keys.get(b.0)) {
        (Some(left), Some(right)) => left.cmp_at(a.1, right, b.1),
        _ => std::cmp::Ordering::Equal,
    };
    // Rows that count on come in order.
    if !rows.is_sorted_by(|a, b| compare(a, b).is_le()) {
        rows.sort_by(compare);
    }
    let position = |(number, row): (usize, usize)| inputs.get(number).map(|input| (input.at, row));
    Ok(rows.into_iter().filter_map(position).collect())
}

/// Which rows were written before a time; empty if no tombstone is among them.
async fn expired(database: &Database, chunk: &Chunk, since_us: i64) -> Result<Vec<bool>> {
    use datafusion::arrow::datatypes::TimestampMicrosecondType;
    if !(0..chunk.n_rows()).any(|row| chunk.is_deleted(row)) {
        return Ok(Vec::new());
    }
    let pages: Vec<PageRef> =
        chunk.segment().and_then(|columns| columns.segment.page(&columns.table, UPDATED)).into_iter().collect();
    let _pins = database.pages().load(&pages).await?;
    let updated = chunk.system_column(SystemColumn::Updated)?;
    Ok(updated
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .iter()
        .map(|updated_us| *updated_us < since_us)
        .collect())
}

/// The values of a column at the sources, in their order.
fn gather(inputs: &[CompactionInput], parts: &[ArrayRef], sources: &[Source]) -> Result<ArrayRef> {
    if let ([input], [part]) = (inputs, parts) {
        if let Some((_, first)) = sources.first()
            && sources.iter().zip(*first..).all(|((_, row), expected)| *row == expected)
            && input.at == sources.first().map_or(0, |(at, _)| *at)
        {
            return Ok(part.slice(*first, sources.len()));
        }
        let rows: UInt32Array = sources.iter().map(|(_, row)| u32::try_from(*row).ok()).collect();
        return Ok(take(part, &rows, None)?);
    }
    // Few chunks, looked for in order.
    let number = |at: usize| {
        inputs.binary_search_by_key(&at, |input| input.at).map_err(|_| Error::internal("a row comes from nowhere"))
    };
    let places = sources.iter().map(|(at, row)| Ok((number(*at)?, *row))).collect::<Result<Vec<_>>>()?;
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
    Ok(interleave(&parts, &places)?)
}

/// The first and the last key of rows that are in the order of their keys.
async fn key_range(
    database: &Database,
    table: &Arc<Table>,
    inputs: &[CompactionInput],
    sources: &[Source],
) -> Result<Vec<ArrayRef>> {
    let (Some(first), Some(last)) = (sources.first(), sources.last()) else { return Ok(Vec::new()) };
    let ends = [*first, *last];
    let columns: Vec<SegmentBuilder> = if table.has_primary_key() {
        table.primary_key.iter().map(|&at| SegmentBuilder::User(at)).collect()
    } else {
        vec![SegmentBuilder::RowId]
    };
    let mut range = Vec::with_capacity(columns.len());
    for of in columns {
        let _pins = database.pages().load(&of.pages(inputs)).await?;
        let parts = inputs.iter().map(|input| of.values(&input.chunk)).collect::<Result<Vec<_>>>()?;
        range.push(compact_views(gather(inputs, &parts, &ends)?));
    }
    Ok(range)
}
