//! The documents that follow from the engine's one list of error codes.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use xshell::Shell;

/// The list itself.
const SOURCE: &str = "crates/kalamdb-core/src/error/kind.rs";

/// One kind of failure.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    code: String,
    sql_state: String,
    when: String,
    remedy: String,
    is_retryable: bool,
}

/// Writes what follows from the list.
pub(crate) fn write(sh: &Shell) -> Result<()> {
    for (path, text) in generated(sh)? {
        sh.write_file(path, text)?;
    }
    Ok(())
}

/// The files that are not what [`write`] would write.
pub(crate) fn findings(sh: &Shell, findings: &mut Vec<String>) -> Result<()> {
    for (path, text) in generated(sh)? {
        if sh.read_file(path).ok().as_ref() != Some(&text) {
            findings.push(format!("{path}: not what follows from {SOURCE}; run `cargo xtask errors`"));
        }
    }
    Ok(())
}

fn generated(sh: &Shell) -> Result<[(&'static str, String); 2]> {
    let kinds = parse(&sh.read_file(SOURCE)?)?;
    Ok([("docs/errors.md", markdown(&kinds)?), ("ts/errors/error-codes.ts", typescript(&kinds)?)])
}

/// Reads the list: comments of two paragraphs, each before a line `Variant "code" "SQLSTATE",`.
fn parse(source: &str) -> Result<Vec<Kind>> {
    let (_, list) = source.split_once("\nerror_kinds! {\n").context("there is no list of error kinds")?;
    let (list, rest) = list.split_once("\n}\n").context("the list of error kinds has no end")?;
    let (_, retryable) = rest.split_once("fn is_retryable").context("there is no is_retryable")?;
    let retryable: Vec<&str> = retryable.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let mut kinds = Vec::new();
    let mut paragraphs = vec![String::new()];
    for line in list.lines().map(str::trim) {
        match line.strip_prefix("///").map(str::trim) {
            Some("") => paragraphs.push(String::new()),
            Some(words) => {
                let paragraph = paragraphs.last_mut().context("a comment has no paragraph")?;
                paragraph.push_str(if paragraph.is_empty() { "" } else { " " });
                paragraph.push_str(words);
            }
            None => {
                let parts: Vec<&str> = line.split('"').collect();
                let [variant, code, _, sql_state, _] = parts.as_slice() else {
                    anyhow::bail!("this is no error kind: {line}")
                };
                let [when, remedy] = std::mem::replace(&mut paragraphs, vec![String::new()])
                    .try_into()
                    .ok()
                    .with_context(|| format!("{code}: the comment has two paragraphs, when and what to do"))?;
                ensure!(!when.is_empty() && !remedy.is_empty(), "{code}: a paragraph of the comment is empty");
                let is_retryable = retryable.contains(&variant.trim());
                kinds.push(Kind {
                    code: (*code).to_owned(),
                    sql_state: (*sql_state).to_owned(),
                    when,
                    remedy,
                    is_retryable,
                });
            }
        }
    }
    Ok(kinds)
}

const MARKDOWN_HEAD: &str = "\
<!-- Written by `cargo xtask errors` from crates/kalamdb-core/src/error/kind.rs. -->

# Errors

Everything that goes wrong in the database rejects with a `KalamDBError`; a `TypeError` says that an
argument has the wrong shape. `isKalamDBError(error)` tells the two apart, also when two copies of the
package are on a page. Branch on `code`, never on the message.

| field | holds |
|---|---|
| `code` | one of the codes below; the list is closed |
| `sqlState` | its SQLSTATE: PostgreSQL's where it has one, class Z otherwise |
| `message` | what happened, and to which object |
| `hint` | what to do about it, where the engine knows more than this table |
| `detail` | more about the values involved |
| `retryable` | whether the same call may succeed when it is made again |
| `position`, `line`, `column` | where in the SQL text; `position` counts UTF-16 units from 0, the other two count from 1 |
| `cause` | the browser's exception behind it |

A statement that fails has changed nothing. After `engine_crashed` it is unknown whether a write that was
under way was kept.

| code | SQLSTATE | when | retryable | what to do |
|---|---|---|---|---|
";

fn markdown(kinds: &[Kind]) -> Result<String> {
    let mut out = MARKDOWN_HEAD.to_owned();
    for Kind { code, sql_state, when, remedy, is_retryable } in kinds {
        let retryable = if *is_retryable { "yes" } else { "no" };
        ensure!(!when.contains('|') && !remedy.contains('|'), "{code}: a table's cell cannot hold a bar");
        writeln!(out, "| `{code}` | {sql_state} | {when} | {retryable} | {remedy} |")?;
    }
    Ok(out)
}

const TYPESCRIPT_HEAD: &str = "\
/**
 * Every code a {@link KalamDBError} can carry, with its SQLSTATE.
 *
 * The list is closed. Written by `cargo xtask errors` from the engine's (crates/kalamdb-core/src/error/kind.rs).
 */
export const SQL_STATES = {
";

const TYPESCRIPT_TAIL: &str = "\
} as const;

/** What went wrong, as one word of a closed list. */
export type ErrorCode = keyof typeof SQL_STATES;
";

fn typescript(kinds: &[Kind]) -> Result<String> {
    let mut out = TYPESCRIPT_HEAD.to_owned();
    for Kind { code, sql_state, .. } in kinds {
        writeln!(out, "  {code}: '{sql_state}',")?;
    }
    out.push_str(TYPESCRIPT_TAIL);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{Kind, markdown, parse, typescript};

    const LIST: &str = "// before\nerror_kinds! {\n    /// It is full\n    /// up.\n    ///\n    /// Empty it.\n    DiskFull \"disk_full\" \"53100\",\n}\n\
        impl E { fn is_retryable(self) -> bool { matches!(self, E::DiskFull) } }";

    #[test]
    fn a_list_becomes_a_table_and_an_object() {
        let kinds = parse(LIST).unwrap();
        let expected = Kind {
            code: "disk_full".to_owned(),
            sql_state: "53100".to_owned(),
            when: "It is full up.".to_owned(),
            remedy: "Empty it.".to_owned(),
            is_retryable: true,
        };
        assert_eq!(kinds, [expected]);
        assert!(markdown(&kinds).unwrap().ends_with("|\n| `disk_full` | 53100 | It is full up. | yes | Empty it. |\n"));
        assert!(typescript(&kinds).unwrap().contains("{\n  disk_full: '53100',\n} as const;"));
    }

    #[test]
    fn a_kind_must_say_what_to_do() {
        let error = parse(&LIST.replace("    ///\n    /// Empty it.\n", "")).unwrap_err();
        assert!(error.to_string().contains("disk_full"), "{error}");
    }
}
