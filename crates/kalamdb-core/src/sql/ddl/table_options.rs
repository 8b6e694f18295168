//! The options of a table: what each means, and which kind of table it fits.

use crate::access::AccessLevel;
use crate::catalog::{FlushPolicy, TableKind, TableOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{GivenOption, OptionValue, kind_of, seconds};

/// Every option, and the kinds that it fits.
const OPTIONS: [(&str, &[TableKind]); 13] = {
    const ALL: &[TableKind] = &[TableKind::Shared, TableKind::User, TableKind::Stream];
    const ROWS: &[TableKind] = &[TableKind::Shared, TableKind::User];
    const EVENTS: &[TableKind] = &[TableKind::Stream];
    [
        ("type", ALL),
        ("flush_policy", ROWS),
        ("deleted_retention_hours", ROWS),
        ("deleted_retention", ROWS),
        ("ttl_seconds", EVENTS),
        ("ttl", EVENTS),
        ("retention", EVENTS),
        ("max_buffer", EVENTS),
        ("ephemeral", EVENTS),
        ("scope", EVENTS),
        ("access_level", &[TableKind::Shared]),
        ("location", ALL),
        ("storage_id", ALL),
    ]
};

/// The kind of a new table: what the keyword says, or the option TYPE; both agree where both are given.
pub(super) fn kind(keyword: Option<TableKind>, given: &[GivenOption]) -> Result<TableKind> {
    let mut kind = keyword;
    for option in given.iter().filter(|option| option.name == "type") {
        let text = option.value.text();
        let named =
            kind_of(&text.to_lowercase()).ok_or_else(|| invalid("type", &text, "'USER', 'SHARED' or 'STREAM'"))?;
        if kind.is_some_and(|kind| kind != named) {
            let message = format!("TYPE = '{text}' contradicts the rest of the statement");
            return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
        }
        kind = Some(named);
    }
    Ok(kind.unwrap_or(TableKind::Shared))
}

/// Sets the options given on those of a table of a kind.
///
/// # Errors
/// `feature_not_supported` for an unknown option, `invalid_table_definition` for one that does not fit the kind or is
/// given twice, `invalid_parameter_value` for a value that it does not take.
pub(super) fn set(options: &mut TableOptions, kind: TableKind, given: &[GivenOption]) -> Result<()> {
    let mut seen: Vec<&str> = Vec::new();
    for option in given {
        let Some((name, kinds)) = OPTIONS.iter().find(|(name, _)| *name == option.name) else {
            return Err(Error::unsupported(format!("the table option {}", option.name))
                .with_nearest(&option.name, OPTIONS.iter().map(|(name, _)| *name)));
        };
        if !kinds.contains(&kind) {
            let message = format!("the option {} does not fit a {} table", name.to_uppercase(), kind.name());
            return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
        }
        let meaning = match *name {
            "ttl" | "retention" => "ttl_seconds",
            "deleted_retention" => "deleted_retention_hours",
            name => name,
        };
        if seen.contains(&meaning) {
            let message = format!("the option {} is given twice", meaning.to_uppercase());
            return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
        }
        seen.push(meaning);
        set_one(options, name, &option.value)?;
    }
    let is_bounded = options.ttl_seconds.is_some() || options.max_buffer.is_some();
    if kind == TableKind::Stream && !is_bounded {
        return Err(Error::new(
            ErrorKind::InvalidTableDefinition,
            "a stream table needs TTL_SECONDS or MAX_BUFFER, or both",
        )
        .with_hint("for instance WITH (TTL_SECONDS = 3600)"));
    }
    Ok(())
}

fn set_one(options: &mut TableOptions, name: &str, value: &OptionValue) -> Result<()> {
    let text = value.text();
    match name {
        "flush_policy" => options.flush_policy = flush_policy(value)?,
        "deleted_retention_hours" => {
            options.deleted_retention_hours =
                Some(whole(name, &text)?.try_into().map_err(|_| invalid(name, &text, "a number of hours"))?);
        }
        "deleted_retention" => {
            let hours = seconds(&text)?.div_ceil(3600);
            options.deleted_retention_hours =
                Some(hours.try_into().map_err(|_| invalid(name, &text, "a duration such as 14d"))?);
        }
        "ttl_seconds" => options.ttl_seconds = Some(positive(name, whole(name, &text)?)?),
        "ttl" | "retention" => options.ttl_seconds = Some(positive(name, seconds(&text)?)?),
        "max_buffer" => options.max_buffer = Some(positive(name, whole(name, &text)?)?),
        "ephemeral" => {
            options.ephemeral = match text.to_lowercase().as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(invalid(name, &text, "true or false")),
            };
        }
        "scope" => {
            options.per_user = match text.to_lowercase().as_str() {
                "user" => true,
                "shared" => false,
                _ => return Err(invalid(name, &text, "'USER' or 'SHARED'")),
            };
        }
        "access_level" => {
            options.access_level = AccessLevel::ALL
                .into_iter()
                .find(|level| level.name() == text.to_lowercase())
                .ok_or_else(|| invalid(name, &text, "'PUBLIC', 'PRIVATE' or 'RESTRICTED'"))?;
        }
        "location" => options.location = Some(text),
        "storage_id" => {
            if text.to_lowercase() != "local" {
                return Err(invalid(name, &text, "'local', the one storage that there is"));
            }
            options.storage_id = Some("local".to_owned());
        }
        // What kind of table it is has been read by `kind`.
        _ => {}
    }
    Ok(())
}

/// `rows:N`, `interval:S` or both.
fn flush_policy(value: &OptionValue) -> Result<FlushPolicy> {
    let text = match value {
        OptionValue::Flush { rows, interval_secs } => {
            let rows = rows.map(|rows| positive("flush_policy", rows)).transpose()?;
            let interval_secs = interval_secs.map(|secs| positive("flush_policy", secs)).transpose()?;
            return Ok(FlushPolicy { rows, interval_secs });
        }
        other => other.text(),
    };
    let refused = || invalid("flush_policy", &text, "'rows:N', 'interval:S' or 'rows:N,interval:S'");
    let mut policy = FlushPolicy::default();
    for part in text.split(',') {
        let (key, value) = part.split_once(':').ok_or_else(refused)?;
        let value: u64 = value.trim().parse().ok().filter(|value| *value > 0).ok_or_else(refused)?;
        let slot = match key.trim() {
            "rows" => &mut policy.rows,
            "interval" => &mut policy.interval_secs,
            _ => return Err(refused()),
        };
        if slot.replace(value).is_some() {
            return Err(refused());
        }
    }
    Ok(policy)
}

fn whole(name: &str, text: &str) -> Result<u64> {
    text.parse().map_err(|_| invalid(name, text, "a whole number"))
}

fn positive(name: &str, value: u64) -> Result<u64> {
    if value == 0 { Err(invalid(name, "0", "a number above 0")) } else { Ok(value) }
}

fn invalid(name: &str, value: &str, takes: &str) -> Error {
    Error::new(
        ErrorKind::InvalidParameterValue,
        format!("the option {} takes {takes}, not {value:?}", name.to_uppercase()),
    )
}
