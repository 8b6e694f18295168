use std::collections::{HashMap, HashSet};

use kalamdb_core::datafusion::common::config::ConfigOptions;

/// Parts of the names of DataFusion's settings on which the rows of a result depend; others change plans alone.
const DECISIVE: [&str; 5] = ["time_zone", "sql_parser", "information_schema", "null_ordering", "enable_recursive_ctes"];

/// The settings of DataFusion that a file has changed so far. There are none here, so that what depends on one is
/// foreign.
pub(super) struct Settings {
    defaults: HashMap<String, String>,
    changed: HashSet<String>,
}

impl Settings {
    pub(super) fn new() -> Self {
        let entries = ConfigOptions::new().entries().into_iter();
        let defaults = entries.map(|entry| (entry.key, entry.value.unwrap_or_default().to_lowercase())).collect();
        Self { defaults, changed: HashSet::new() }
    }

    /// Notes what a statement changes, if it is SET or RESET.
    pub(super) fn note(&mut self, sql: &str) {
        let sql = sql.trim().trim_end_matches(';').to_lowercase().replace("time zone", "timezone").replace('=', " = ");
        let mut words = sql.split_whitespace();
        let (Some(verb @ ("set" | "reset")), Some(name)) = (words.next(), words.next()) else { return };
        let name = if name == "timezone" { "datafusion.execution.time_zone" } else { name };
        if !DECISIVE.iter().any(|part| name.contains(part)) {
            return;
        }
        let value = words.find(|word| !matches!(*word, "=" | "to")).unwrap_or_default().trim_matches('\'');
        let is_utc = name.ends_with("time_zone") && matches!(value, "utc" | "+00" | "+00:00");
        let is_default = self.defaults.get(name).is_some_and(|default| default == value);
        if verb == "reset" || is_utc || is_default {
            self.changed.remove(name);
        } else {
            self.changed.insert(name.to_owned());
        }
    }

    /// Whether one that decides about rows is not what it is at first.
    pub(super) fn are_changed(&self) -> bool {
        !self.changed.is_empty()
    }
}
