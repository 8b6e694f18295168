//! What the tables must hold: plain rows in vectors.

use std::collections::BTreeMap;

use kalamdb_core::ErrorKind;

use super::statement::{Action, Conflict, Filter, Set, Statement, USER_TABLE, User, has_key};

pub(crate) type Cells = Vec<i64>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) tables: BTreeMap<&'static str, Table>,
}

#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// As stored; 0 until the commit that gives it is known.
    pub(crate) id: u64,
    /// Names, with the value that rows have which were inserted without one.
    pub(crate) columns: Vec<(String, i64)>,
    /// In no order; deleted rows stay in their places, and so do those that are gone.
    pub(crate) partitions: BTreeMap<User, Vec<Row>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) cells: Cells,
    pub(crate) is_deleted: bool,
    /// Another row of its key was deleted after it.
    pub(crate) is_gone: bool,
    /// The number of its current version; 0 until the commit is known.
    pub(crate) seq: u64,
}

/// What a statement answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Sorted.
    Rows(Vec<Cells>),
    Affected(u64),
    Done,
}

/// A version of a row that a statement has written.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) table: &'static str,
    pub(crate) user: User,
    /// The place of the row.
    pub(crate) row: usize,
    pub(crate) cells: Cells,
    pub(crate) is_deleted: bool,
}

impl Model {
    /// Carries out a statement; nothing changes if it fails.
    pub(crate) fn run(&mut self, user: User, statement: &Statement) -> Result<(Answer, Vec<Version>), ErrorKind> {
        let name = statement.table;
        let whose = user;
        let user = user.filter(|_| name == USER_TABLE);
        match &statement.action {
            Action::Create if self.tables.contains_key(name) => return Err(ErrorKind::DuplicateTable),
            Action::Create => {
                self.tables.insert(name, Table::new(name));
                return Ok((Answer::Done, vec![]));
            }
            _ => {}
        }
        let table = self.tables.get_mut(name).ok_or(ErrorKind::UndefinedTable)?;
        match &statement.action {
            Action::Create => {}
            Action::Drop => drop(self.tables.remove(name)),
            Action::Truncate => {
                table.id = 0;
                table.partitions.clear();
            }
            Action::AddColumn { default } => {
                table.columns.push((statement.column(), *default));
                table.partitions.values_mut().flatten().for_each(|row| row.cells.push(*default));
            }
            Action::Maintain(_) => {}
            Action::Select { filter, with_seq } => {
                let n_columns = if has_key(name) { 3 } else { 2 };
                let rows = table.live(user, *filter).map(|(_, row)| {
                    let mut cells = row.cells[..n_columns].to_vec();
                    cells.extend(with_seq.then_some(row.seq as i64));
                    cells
                });
                return Ok((Answer::rows(rows), vec![]));
            }
            Action::SelectWith(other) => {
                let tables = [name, other].map(|name| (name, self.tables.get(name)));
                let mut rows = Vec::new();
                for (name, table) in tables {
                    let table = table.ok_or(ErrorKind::UndefinedTable)?;
                    let first = usize::from(has_key(name));
                    let user = whose.filter(|_| name == USER_TABLE);
                    rows.extend(table.live(user, Filter::All).map(|(_, row)| row.cells[first..first + 2].to_vec()));
                }
                return Ok((Answer::rows(rows), vec![]));
            }
            Action::Insert { rows, conflict } => return table.insert(name, user, statement.number, rows, *conflict),
            Action::Update { filter, set } => {
                let at = usize::from(has_key(name));
                let change = |row: &mut Row| {
                    row.cells[at] = match set {
                        Set::To(n) => *n,
                        Set::Add(n) => row.cells[at] + n,
                    };
                    row.cells[at + 1] = statement.number;
                };
                return Ok(table.change(name, user, |row| !row.is_deleted && filter.takes(row.cells[0]), change));
            }
            Action::Move { from, to } => return table.move_row(name, user, statement.number, *from, *to),
            Action::Delete(filter) => {
                if has_key(name) {
                    let rows = table.partitions.entry(user).or_default();
                    let keys: Vec<i64> = rows
                        .iter()
                        .filter(|row| !row.is_deleted)
                        .map(|row| row.cells[0])
                        .filter(|key| filter.takes(*key))
                        .collect();
                    rows.iter_mut()
                        .filter(|row| row.is_deleted && keys.contains(&row.cells[0]))
                        .for_each(|row| row.is_gone = true);
                }
                return Ok(table.change(
                    name,
                    user,
                    |row| !row.is_deleted && filter.takes(row.cells[0]),
                    |row| row.is_deleted = true,
                ));
            }
            Action::Undelete(filter) => {
                let is_wanted = |row: &Row| row.is_deleted && !row.is_gone && filter.takes(row.cells[0]);
                let rows = table.partitions.entry(user).or_default();
                let is_live = |key: i64| rows.iter().any(|row| !row.is_deleted && row.cells[0] == key);
                if has_key(name) && rows.iter().any(|row| is_wanted(row) && is_live(row.cells[0])) {
                    return Err(ErrorKind::UniqueViolation);
                }
                return Ok(table.change(name, user, is_wanted, |row| row.is_deleted = false));
            }
        }
        Ok((Answer::Done, vec![]))
    }
}

impl Answer {
    pub(crate) fn rows(rows: impl IntoIterator<Item = Cells>) -> Self {
        let mut rows: Vec<Cells> = rows.into_iter().collect();
        rows.sort_unstable();
        Answer::Rows(rows)
    }
}

impl Table {
    fn new(name: &str) -> Self {
        let names: &[&str] = if has_key(name) { &["id", "n", "w"] } else { &["n", "w"] };
        let columns = names.iter().map(|name| ((*name).to_owned(), 0)).collect();
        Self { id: 0, columns, partitions: BTreeMap::new() }
    }

    fn live(&self, user: User, filter: Filter) -> impl Iterator<Item = (usize, &Row)> {
        let rows = self.partitions.get(&user).into_iter().flatten().enumerate();
        rows.filter(move |(_, row)| !row.is_deleted && filter.takes(row.cells[0]))
    }

    fn insert(
        &mut self,
        name: &'static str,
        user: User,
        number: i64,
        rows: &[(i64, i64)],
        conflict: Conflict,
    ) -> Result<(Answer, Vec<Version>), ErrorKind> {
        let n_system = if has_key(name) { 3 } else { 2 };
        let defaults: Cells = self.columns.iter().skip(n_system).map(|(_, default)| *default).collect();
        let partition = self.partitions.entry(user).or_default();
        let mut next = partition.clone();
        let mut versions = Vec::new();
        for &(id, n) in rows {
            let mut cells = if has_key(name) { vec![id, n, number] } else { vec![n, number] };
            cells.extend(&defaults);
            let found =
                if has_key(name) { next.iter().position(|row| row.cells[0] == id && !row.is_deleted) } else { None };
            let row = match found {
                None => {
                    next.push(Row { cells, is_deleted: false, is_gone: false, seq: 0 });
                    next.len() - 1
                }
                Some(at) => match conflict {
                    Conflict::Fails => return Err(ErrorKind::UniqueViolation),
                    Conflict::DoesNothing => continue,
                    Conflict::AddsUp => {
                        next[at].cells[1] += n;
                        next[at].cells[2] = number;
                        at
                    }
                },
            };
            versions.push(Version { table: name, user, row, cells: next[row].cells.clone(), is_deleted: false });
        }
        *partition = next;
        Ok((Answer::Affected(versions.len() as u64), versions))
    }

    fn change(
        &mut self,
        name: &'static str,
        user: User,
        which: impl Fn(&Row) -> bool,
        change: impl Fn(&mut Row),
    ) -> (Answer, Vec<Version>) {
        let mut versions = Vec::new();
        for (at, row) in self.partitions.entry(user).or_default().iter_mut().enumerate().filter(|(_, row)| which(row)) {
            change(row);
            versions.push(Version { table: name, user, row: at, cells: row.cells.clone(), is_deleted: row.is_deleted });
        }
        (Answer::Affected(versions.len() as u64), versions)
    }

    /// Leaves a deleted row under the old key.
    fn move_row(
        &mut self,
        name: &'static str,
        user: User,
        number: i64,
        from: i64,
        to: i64,
    ) -> Result<(Answer, Vec<Version>), ErrorKind> {
        let rows = self.partitions.entry(user).or_default();
        let Some(old) = rows.iter().position(|row| row.cells[0] == from && !row.is_deleted) else {
            return Ok((Answer::Affected(0), vec![]));
        };
        if rows.iter().any(|row| row.cells[0] == to && !row.is_deleted) {
            return Err(ErrorKind::UniqueViolation);
        }
        rows.iter_mut().filter(|row| row.cells[0] == from && row.is_deleted).for_each(|row| row.is_gone = true);
        let mut moved = rows[old].clone();
        moved.cells[0] = to;
        moved.cells[2] = number;
        rows[old].is_deleted = true;
        let left = Version { table: name, user, row: old, cells: rows[old].cells.clone(), is_deleted: true };
        let new = Version { table: name, user, row: rows.len(), cells: moved.cells.clone(), is_deleted: false };
        rows.push(moved);
        Ok((Answer::Affected(1), vec![left, new]))
    }
}
