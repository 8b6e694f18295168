//! The document of what each role may do, which follows from the engine's policy itself.

use std::fmt::Write as _;

use anyhow::Result;
use xshell::Shell;

use crate::access::{AccessLevel, Action, Role, Target, allowed};

/// The document.
const PATH: &str = "docs/roles.md";

/// Writes the document.
pub(crate) fn write(sh: &Shell) -> Result<()> {
    Ok(sh.write_file(PATH, markdown()?)?)
}

/// Finds out whether the document is what [`write`] would write.
pub(crate) fn findings(sh: &Shell, findings: &mut Vec<String>) -> Result<()> {
    if sh.read_file(PATH).ok() != Some(markdown()?) {
        findings.push(format!("{PATH}: not what follows from the policy; run `cargo xtask roles`"));
    }
    Ok(())
}

const HEAD: &str = "\
<!-- Written by `cargo xtask roles` from crates/kalamdb-core/src/access/policy.rs. -->

# Roles

`db` itself has the role `system`. A session has the role that `db.session({ userId, role })` names, `user`
where it names none ([transactions.md](transactions.md)). What a role may not do fails with
`insufficient_privilege`; what it may not see is left out of SHOW and of the schema `system`.

";

const TAIL: &str = "
A role is no key to the rows of others: in a table of kind `USER`, and in a stream with `SCOPE = 'USER'`, a
session of any role reaches the rows of its own user. `EXECUTE AS USER` names another one, and runs with the
role `user`. Such tables and streams are public in the sense of this page: every session uses its part of
them. Views read with the rights of the session that reads them.
";

fn markdown() -> Result<String> {
    let mut out = HEAD.to_owned();
    let names = Role::ALL.map(|role| format!("`{}`", role.name())).join(" | ");
    writeln!(out, "| | {names} |\n|---|{}", "---|".repeat(Role::ALL.len()))?;
    for target in Target::ALL {
        for action in Action::ALL {
            let may = Role::ALL.map(|role| allowed(role, action, target));
            if may.contains(&true) {
                let may = may.map(|may| if may { "yes" } else { "no" }).join(" | ");
                writeln!(out, "| {} | {may} |", words(action, target))?;
            }
        }
    }
    out.push_str(TAIL);
    Ok(out)
}

/// What doing that is called.
fn words(action: Action, target: Target) -> String {
    let verb = match action {
        Action::Read => "see",
        Action::Write => "write to",
        Action::Define => "make, change and drop",
        Action::Maintain => "flush and compact",
        Action::ActAs => "run statements as",
    };
    let object = match target {
        Target::Table(AccessLevel::Public) => "a table, `ACCESS_LEVEL` not given or `'PUBLIC'`",
        Target::Table(AccessLevel::Restricted) => "a table with `ACCESS_LEVEL = 'RESTRICTED'`",
        Target::Table(AccessLevel::Private) => "a table with `ACCESS_LEVEL = 'PRIVATE'`",
        Target::Definitions if action == Action::Read => "namespaces and views; tables and indexes as said above",
        Target::Definitions => "namespaces, tables, views and indexes (`TRUNCATE` too)",
        Target::Segments => "tables (`FLUSH`, `STORAGE COMPACT`)",
        Target::OtherUser if action == Action::ActAs => "another user (`EXECUTE AS USER`)",
        Target::OtherUser => "the other users in `system.users`, and their rows counted in `system.stats`",
        Target::Jobs => "`system.jobs`",
        Target::Settings => "`system.settings`",
    };
    format!("{verb} {object}")
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn the_document_says_what_the_policy_does() {
        let text = markdown().unwrap();
        assert!(text.contains("\n| | `user` | `service` | `dba` | `system` |\n|---|---|---|---|---|\n"), "{text}");
        for row in [
            "| see a table with `ACCESS_LEVEL = 'RESTRICTED'` | yes | yes | yes | yes |",
            "| write to a table with `ACCESS_LEVEL = 'RESTRICTED'` | no | yes | yes | yes |",
            "| make, change and drop namespaces, tables, views and indexes (`TRUNCATE` too) | no | no | yes | yes |",
            "| run statements as another user (`EXECUTE AS USER`) | no | yes | yes | yes |",
        ] {
            assert!(text.lines().any(|line| line == row), "{row}\n{text}");
        }
        assert!(!text.contains("| write to `system.jobs`"), "{text}");
    }
}
