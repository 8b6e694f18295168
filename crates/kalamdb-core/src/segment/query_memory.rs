use std::fmt;
use std::sync::Arc;

use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};

use super::PageCache;

/// What the operators of all queries on a database hold, as DataFusion asks for it: out of one budget with the pages, which give way.
#[derive(Debug)]
pub(crate) struct QueryMemory {
    cache: Arc<PageCache>,
}

impl QueryMemory {
    pub(crate) fn new(cache: &Arc<PageCache>) -> Self {
        Self { cache: Arc::clone(cache) }
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &'static str {
        "query_memory"
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.cache.reserve(additional);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        self.cache.release(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.cache.try_reserve(additional).map_err(|available| {
            let (name, limit) = (reservation.consumer().name(), self.cache.budget());
            resources_datafusion_err!("{name} needs {additional} bytes of memory more, {available} of {limit} are left")
        })
    }

    fn reserved(&self) -> usize {
        self.cache.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.cache.budget())
    }
}
