//! The one place that says what a role may do. `cargo xtask roles` writes docs/roles.md from it.
//!
//! Roles are no filter on rows: which partition a statement reaches follows from the principal alone.

use super::level::AccessLevel;
use super::role::Role;

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Reads, and finds it listed.
    Read,
    /// Changes rows.
    Write,
    /// Makes, changes and drops.
    Define,
    /// Changes how rows are stored, and no answer.
    Maintain,
    /// Runs a statement as another.
    ActAs,
}

/// To what a session does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A table's rows and columns. Tables of users and streams are public: each session reaches its own partition.
    Table(AccessLevel),
    /// The definitions of tables, indexes, views and namespaces.
    Definitions,
    /// The segments of all users' rows.
    Segments,
    /// A user other than the session's: its id, how many rows it has, and what it may do.
    OtherUser,
    /// The jobs that maintain the database.
    Jobs,
    /// The settings of the database.
    Settings,
}

impl Action {
    /// Every action.
    #[allow(dead_code, reason = "the tests and the document go through them")]
    pub(crate) const ALL: [Self; 5] = [Action::Read, Action::Write, Action::Define, Action::Maintain, Action::ActAs];
}

impl Target {
    /// Every target.
    #[allow(dead_code, reason = "the tests and the document go through them")]
    pub(crate) const ALL: [Self; 8] = [
        Target::Table(AccessLevel::Public),
        Target::Table(AccessLevel::Restricted),
        Target::Table(AccessLevel::Private),
        Target::Definitions,
        Target::Segments,
        Target::OtherUser,
        Target::Jobs,
        Target::Settings,
    ];
}

/// Whether a role may do an action to a target.
pub(crate) fn allowed(role: Role, action: Action, target: Target) -> bool {
    least(action, target).is_some_and(|least| role >= least)
}

/// The least role that may; `None` where nobody may.
pub(crate) fn least(action: Action, target: Target) -> Option<Role> {
    match (target, action) {
        (Target::Table(AccessLevel::Public), Action::Read | Action::Write) => Some(Role::User),
        (Target::Table(AccessLevel::Restricted), Action::Read) => Some(Role::User),
        (Target::Table(AccessLevel::Restricted), Action::Write) => Some(Role::Service),
        (Target::Table(AccessLevel::Private), Action::Read | Action::Write) => Some(Role::Service),
        // What changes a table's definition or its segments is asked about those.
        (Target::Table(_), Action::Define | Action::Maintain | Action::ActAs) => None,
        (Target::Definitions, Action::Read) => Some(Role::User),
        (Target::Definitions, Action::Define) => Some(Role::Dba),
        (Target::Definitions, Action::Write | Action::Maintain | Action::ActAs) => None,
        (Target::Segments, Action::Maintain) => Some(Role::Dba),
        (Target::Segments, Action::Read | Action::Write | Action::Define | Action::ActAs) => None,
        (Target::OtherUser, Action::Read) => Some(Role::Dba),
        (Target::OtherUser, Action::ActAs) => Some(Role::Service),
        (Target::OtherUser, Action::Write | Action::Define | Action::Maintain) => None,
        (Target::Jobs, Action::Read) => Some(Role::Dba),
        (Target::Jobs, Action::Write | Action::Define | Action::Maintain | Action::ActAs) => None,
        (Target::Settings, Action::Read) => Some(Role::Service),
        (Target::Settings, Action::Write | Action::Define | Action::Maintain | Action::ActAs) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{AccessLevel, Action, Role, Target, allowed};

    /// For each role, from `user` to `system`, whether it may.
    type May = [bool; 4];
    const ALL: May = [true; 4];
    const SERVICE: May = [false, true, true, true];
    const DBA: May = [false, false, true, true];
    const NONE: May = [false; 4];

    #[test]
    fn every_role_may_do_what_the_table_says() {
        // A row for each target: read, write, define, maintain, act as.
        let table: [(Target, [May; 5]); 8] = [
            (Target::Table(AccessLevel::Public), [ALL, ALL, NONE, NONE, NONE]),
            (Target::Table(AccessLevel::Restricted), [ALL, SERVICE, NONE, NONE, NONE]),
            (Target::Table(AccessLevel::Private), [SERVICE, SERVICE, NONE, NONE, NONE]),
            (Target::Definitions, [ALL, NONE, DBA, NONE, NONE]),
            (Target::Segments, [NONE, NONE, NONE, DBA, NONE]),
            (Target::OtherUser, [DBA, NONE, NONE, NONE, SERVICE]),
            (Target::Jobs, [DBA, NONE, NONE, NONE, NONE]),
            (Target::Settings, [SERVICE, NONE, NONE, NONE, NONE]),
        ];
        assert_eq!(table.map(|(target, _)| target), Target::ALL);
        for (target, row) in table {
            for (action, expected) in Action::ALL.into_iter().zip(row) {
                assert_eq!(Role::ALL.map(|role| allowed(role, action, target)), expected, "{action:?} {target:?}");
            }
        }
    }
}
