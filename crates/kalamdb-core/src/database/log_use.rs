//! Which parts of the log are still needed, and which records may go or shrink.

use std::collections::BTreeMap;

use kalamdb_store::LogKey;

/// Dead bytes of a record from which on its dead parts are removed, while other parts are still needed.
const SHRINK_BYTES: usize = 64 << 10;

/// Which records of the log are still needed, and for which of their parts.
///
/// A part is dead once its rows are in a segment, are over, or belong to a table that is gone. A record of which all
/// parts are dead can be removed, by whoever commits something anyway.
#[derive(Debug, Default)]
pub(super) struct LogUse {
    records: BTreeMap<u64, RecordUse>,
}

#[derive(Debug, Default)]
struct RecordUse {
    live: Vec<(u32, usize)>,
    dead_bytes: usize,
}

/// A part that dies with a commit: its position and its bytes.
pub(crate) type Dying = (LogKey, usize);

/// The changes of the log when parts die.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    /// Records that are no longer needed.
    pub(crate) drop: Vec<u64>,
    /// Records that are large and mostly dead, with the parts that stay.
    pub(crate) shrink: Vec<(u64, Vec<u32>)>,
}

impl LogUse {
    /// Takes note of a record, which may have no parts.
    pub(super) fn add_entry(&mut self, number: u64) {
        self.records.entry(number).or_default();
    }

    pub(super) fn add(&mut self, key: LogKey, n_bytes: usize) {
        self.records.entry(key.commit).or_default().live.push((key.part, n_bytes));
    }

    /// Counts a record with unknown content as a part that never dies, so that the record stays.
    pub(super) fn keep(&mut self, number: u64) {
        self.records.entry(number).or_default().live.push((u32::MAX, 0));
    }

    /// Takes note of a part that was dead when it was read.
    pub(super) fn add_dead(&mut self, number: u64, n_bytes: usize) {
        self.records.entry(number).or_default().dead_bytes += n_bytes;
    }

    pub(super) fn die(&mut self, (key, n_bytes): Dying) {
        if let Some(record) = self.records.get_mut(&key.commit) {
            record.live.retain(|(part, _)| *part != key.part);
            record.dead_bytes += n_bytes;
        }
    }

    /// Applies the changes of a commit to the log.
    pub(super) fn left(&mut self, leaving: &Leaving) {
        for number in &leaving.drop {
            self.records.remove(number);
        }
        for (number, _) in &leaving.shrink {
            if let Some(record) = self.records.get_mut(number) {
                record.dead_bytes = 0;
            }
        }
    }

    /// What becomes of the log when those parts die, and with it what was dead before.
    pub(super) fn leaving(&self, dying: &[Dying]) -> Leaving {
        let mut leaving = Leaving { drop: self.unneeded().collect(), shrink: Vec::new() };
        let mut by_record: BTreeMap<u64, Vec<(u32, usize)>> = BTreeMap::new();
        for (key, n_bytes) in dying {
            by_record.entry(key.commit).or_default().push((key.part, *n_bytes));
        }
        for (number, dying) in by_record {
            let Some(record) = self.records.get(&number) else { continue };
            let stay: Vec<u32> = record
                .live
                .iter()
                .map(|(part, _)| *part)
                .filter(|part| dying.iter().all(|(dead, _)| dead != part))
                .collect();
            let dead_bytes = record.dead_bytes + dying.iter().map(|(_, n_bytes)| n_bytes).sum::<usize>();
            match stay.is_empty() {
                true if record.live.is_empty() => {}
                true => leaving.drop.push(number),
                // Of what is not known nothing is taken out.
                false if dead_bytes >= SHRINK_BYTES && !stay.contains(&u32::MAX) => leaving.shrink.push((number, stay)),
                false => {}
            }
        }
        leaving
    }

    /// The records that are no longer needed.
    pub(super) fn unneeded(&self) -> impl Iterator<Item = u64> {
        self.records.iter().filter(|(_, record)| record.live.is_empty()).map(|(number, _)| *number)
    }

    /// The bytes and the number of the records that are no longer needed.
    pub(super) fn waste(&self) -> (usize, usize) {
        let unneeded = || self.records.values().filter(|record| record.live.is_empty());
        (unneeded().map(|record| record.dead_bytes).sum(), unneeded().count())
    }
}
