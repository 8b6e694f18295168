//! One call: what its caller wants, how far it has come, how it is given up, and when everybody else has a turn.

mod context;
mod progress;
mod steps;

pub use context::{CallContext, CancelFlag};
pub use progress::{Progress, ProgressPhase, ProgressReport};
pub(crate) use steps::Steps;
