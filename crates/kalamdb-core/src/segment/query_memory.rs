//! The memory of queries: they come before the cache, and get an error before the instance has too little.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};

use super::cache::PageCache;

/// Returns the memory in use by the whole instance, in bytes.
pub type HeapUse = fn() -> usize;

/// What all queries may hold where no limit is given: 1 GiB. An instance has 4 GiB, and what has become too large is
/// noticed after the step that made it; no buffer may be of 2 GiB, and one that grows doubles.
const DEFAULT_LIMIT: usize = 1 << 30;

/// The most memory that an instance may have in use: 3 GiB.
const HEAP_LIMIT: u64 = 3 << 30;

/// What the operators of all queries on a database hold, as DataFusion asks for it: out of one budget with the pages,
/// which give way.
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

/// What the operators of all queries hold where no limit is given: bounded, so that no query takes the instance's last
/// memory.
///
/// Operators are charged for all that a batch holds on to, which may be many times its rows. So the limit holds for
/// what is really in use, where that is known.
#[derive(Debug)]
pub(crate) struct DefaultMemory {
    heap: Option<HeapUse>,
    reserved: AtomicUsize,
    /// The memory in use when nothing was reserved.
    before: AtomicUsize,
}

impl DefaultMemory {
    pub(crate) fn new(heap: Option<HeapUse>) -> Self {
        Self { heap, reserved: AtomicUsize::default(), before: AtomicUsize::default() }
    }

    /// The memory reserved by queries.
    fn in_use(&self) -> usize {
        let reserved = self.reserved.load(Ordering::Relaxed);
        let Some(heap) = self.heap else { return reserved };
        let now = heap();
        if reserved == 0 {
            self.before.store(now, Ordering::Relaxed);
        }
        now.saturating_sub(self.before.load(Ordering::Relaxed))
    }
}

impl fmt::Display for DefaultMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MemoryPool for DefaultMemory {
    fn name(&self) -> &'static str {
        "default_memory"
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.in_use();
        self.reserved.fetch_add(additional, Ordering::Relaxed);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        self.reserved.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let left = DEFAULT_LIMIT.saturating_sub(self.in_use());
        let heap_left = self.heap.map_or(u64::MAX, |heap| HEAP_LIMIT.saturating_sub(heap() as u64));
        if additional > left || additional as u64 > heap_left {
            let name = reservation.consumer().name();
            let left = heap_left.min(left as u64);
            return Err(resources_datafusion_err!(
                "{name} needs {additional} bytes of memory more, {left} of {DEFAULT_LIMIT} are left"
            ));
        }
        self.reserved.fetch_add(additional, Ordering::Relaxed);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }

    /// Scans need not copy what they give: what is in use is measured.
    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Unknown
    }
}
