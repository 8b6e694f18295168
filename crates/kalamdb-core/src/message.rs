//! Results as one message of bytes, which crosses to JavaScript without being looked at on the way.

use serde::Serialize;

use super::result::{ResultField, StatementResult};
use crate::error::{Error, Result};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    command: &'a str,
    row_count: usize,
    affected_rows: Option<u64>,
    seq: Option<u64>,
    took_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_user: Option<&'a str>,
    fields: &'a [ResultField],
}

/// Encodes results in order: a count and whether the session is in a transaction now, then a JSON header and the rows'
/// wire blocks of each (docs/types.md, "The message of results").
pub fn encode_results(results: &[StatementResult], in_transaction: bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    push_count(&mut out, results.len())?;
    if let Some(flag) = out.get_mut(size_of::<u32>()) {
        *flag = u8::from(in_transaction);
    }
    for result in results {
        let header = Header {
            command: result.command,
            row_count: result.row_count(),
            affected_rows: result.affected_rows,
            seq: result.seq,
            took_ms: result.took_us as f64 / 1000.0,
            as_user: result.as_user.as_deref(),
            fields: &result.fields,
        };
        let header = serde_json::to_vec(&header).map_err(|error| Error::internal(error.to_string()))?;
        push_count(&mut out, header.len())?;
        out.extend_from_slice(&header);
        pad(&mut out);
        push_count(&mut out, result.batches.len())?;
        for batch in &result.batches {
            kalamdb_types::wire::encode_block(batch, &mut out);
        }
    }
    Ok(out)
}

/// A count of 32 bits and as many bits of zero, so that what follows stays aligned to eight bytes.
fn push_count(out: &mut Vec<u8>, count: usize) -> Result<()> {
    let count = u32::try_from(count).map_err(|_| Error::internal("a message is too large"))?;
    out.extend_from_slice(&u64::from(count).to_le_bytes());
    Ok(())
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}
