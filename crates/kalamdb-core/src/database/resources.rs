//! How much memory a database may take.

use crate::functions::DEFAULT_VALUE_BYTES;
use crate::segment::HeapUse;

/// How much memory a database may take besides the rows of its log, in bytes.
#[derive(Debug, Clone, Copy)]
pub enum MemoryBudget {
    /// For the columns of segments; queries have a limit of their own, which is far beyond what they need.
    Pages(usize),
    /// For the columns of segments and for what the operators of all queries hold, together.
    All(usize),
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::Pages(256 << 20)
    }
}

/// How much a database may take.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Of memory.
    pub memory: MemoryBudget,
    /// For the largest value that a function or operator makes, in bytes.
    pub value_bytes: usize,
    /// Tells how much memory the whole instance has in use, where that is known.
    pub heap: Option<HeapUse>,
}

impl Default for Resources {
    fn default() -> Self {
        MemoryBudget::default().into()
    }
}

impl From<MemoryBudget> for Resources {
    fn from(memory: MemoryBudget) -> Self {
        Self { memory, value_bytes: DEFAULT_VALUE_BYTES, heap: None }
    }
}
