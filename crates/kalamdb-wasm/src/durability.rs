use kalamdb_store::Durability;
use serde::Deserialize;

/// A durability as the TypeScript package names it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DurabilityOption {
    Relaxed,
    Strict,
}

impl From<DurabilityOption> for Durability {
    fn from(option: DurabilityOption) -> Self {
        match option {
            DurabilityOption::Relaxed => Durability::Relaxed,
            DurabilityOption::Strict => Durability::Strict,
        }
    }
}
