//! The conformance suite on the store in memory.
#![allow(clippy::expect_used, reason = "tests fail by panicking")]

use async_trait::async_trait;
use futures::executor::block_on;
use kalamdb_store::conformance::Harness;
use kalamdb_store::protocol::WriteTransaction;
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

    fn set_quiet(store: &MemoryStore, is_quiet: bool) {
        store.set_quiet(is_quiet);
    }

    async fn claim(&self) {
        let mut transaction =
            MemoryStore::on_disk(self.disk.clone(), Faults::default()).begin().await.expect("it is open");
        transaction.append(&[]).expect("nothing fails");
        transaction.commit().await.expect("nothing fails");
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
