//! The conformance suite on the store in memory.

use async_trait::async_trait;
use futures::executor::block_on;
use kalamdb_store::conformance::Harness;
use kalamdb_store::{Faults, MemoryDisk, MemoryStore, RecordKey, conformance_tests};

struct MemoryHarness {
    disk: MemoryDisk,
    faults: Faults,
}

#[async_trait(?Send)]
impl Harness for MemoryHarness {
    type Store = MemoryStore;

    async fn fresh() -> Self {
        Self { disk: MemoryDisk::default(), faults: Faults::default() }
    }

    async fn connect(&self) -> MemoryStore {
        MemoryStore::on_disk(self.disk.clone(), self.faults.clone())
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    async fn damage(&self, key: &RecordKey) {
        assert!(self.disk.corrupt(key), "there is no {key}");
    }

    async fn set_format(&self, version: u32) {
        self.disk.set_format(version);
    }

    async fn destroy(self) {}
}

conformance_tests!(
    #[test]
    block_on,
    MemoryHarness
);
