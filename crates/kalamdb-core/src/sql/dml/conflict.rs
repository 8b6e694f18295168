//! ON CONFLICT: which rows of an INSERT meet rows that are there, and what becomes of them.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::array::UInt32Array;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ConflictTarget, DoUpdate, Expr, Ident, Insert, OnConflict, OnConflictAction, OnInsert, Query,
    SqliteOnConflict, VisitMut, VisitorMut,
};

use super::assignments::{assigned, read_assignments};
use super::target::{ChangeTarget, RowFilter, Search};
use super::update::planned_values;
use super::write_set::{ReplacedRows, Replacement, WriteSet};
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{RowAddress, snapshot_of, take_rows};
use crate::rows::{Keys, Rows, unique_keys};
use crate::sql::parse::{Parameters, column_name, fold};
use crate::sql::plan::rewrite::assign_each;
use crate::sql::plan::{StatementContext, column, engine_table};
use crate::tables::ADDRESS_COLUMN;

/// What the row proposed for insertion is called.
const EXCLUDED: &str = "excluded";

/// The rows that an INSERT with ON CONFLICT writes.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(crate) written: WriteSet,
    /// Where each row written, replaced ones first, comes in the order of the rows proposed.
    pub(crate) order: UInt32Array,
}

/// What an INSERT does with rows that meet others.
#[derive(Debug)]
pub(super) enum Conflict {
    /// What its ON CONFLICT says, or SQLite's words for it.
    Clause(Box<OnConflict>),
    /// Deletes the others.
    Replace,
}

impl Conflict {
    /// Reads ON CONFLICT, OR IGNORE, OR REPLACE and their like; `None` if there is none, so that a conflict is an
    /// error.
    pub(crate) fn of(insert: &Insert) -> Result<Option<Self>> {
        let ignored =
            || Self::Clause(Box::new(OnConflict { conflict_target: None, action: OnConflictAction::DoNothing }));
        let by_word = match insert.or {
            None | Some(SqliteOnConflict::Abort) if insert.replace_into => Some(Self::Replace),
            None | Some(SqliteOnConflict::Abort) if insert.ignore => Some(ignored()),
            None | Some(SqliteOnConflict::Abort) => None,
            Some(SqliteOnConflict::Replace) => Some(Self::Replace),
            Some(SqliteOnConflict::Ignore) => Some(ignored()),
            Some(other @ (SqliteOnConflict::Fail | SqliteOnConflict::Rollback)) => {
                return Err(
                    Error::unsupported(format!("INSERT {other}")).with_hint("a statement that fails changes nothing")
                );
            }
        };
        match (&insert.on, by_word) {
            (None, by_word) => Ok(by_word),
            (Some(OnInsert::OnConflict(conflict)), None) => Ok(Some(Self::Clause(Box::new(conflict.clone())))),
            (Some(OnInsert::OnConflict(_)), Some(_)) => {
                Err(Error::unsupported("ON CONFLICT together with OR IGNORE or OR REPLACE"))
            }
            (Some(_), _) => Err(Error::unsupported("ON DUPLICATE KEY UPDATE")
                .with_hint("ON CONFLICT (columns) DO UPDATE SET does the same")),
        }
    }
}

/// Rows proposed for insertion into a table, some of whose rows they may meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proposal<'a> {
    pub(super) context: &'a StatementContext<'a>,
    pub(super) target: &'a ChangeTarget,
    pub(super) rows: &'a Rows,
}

impl Proposal<'_> {
    /// Every row proposed, but for those that a later one meets, in place of all rows that they meet.
    pub(super) fn displace(&self) -> Result<WriteSet> {
        let Self { target: ChangeTarget { table, rows, .. }, rows: proposed, .. } = self;
        let mut addresses = HashSet::new();
        let mut kept = vec![true; proposed.n_rows];
        let mut held = Vec::new();
        for columns in unique_columns(table) {
            addresses.extend(self.holders(&columns)?.into_iter().flatten());
            held.push((unique_keys(proposed, &columns)?, HashMap::new()));
        }
        for row in 0..proposed.n_rows {
            for (keys, held) in &mut held {
                if let Some(key) = keys.get(row).and_then(Option::as_ref)
                    && let Some(earlier) = held.insert(key.clone(), row)
                    && let Some(kept) = kept.get_mut(earlier)
                {
                    *kept = false;
                }
            }
        }
        let kept: UInt32Array = kept.into_iter().zip(0_u32..).filter(|(kept, _)| *kept).map(|(_, row)| row).collect();
        let inserted = proposed.select(&kept)?;
        let addresses: Vec<RowAddress> = addresses.into_iter().collect();
        let mut tombstones = take_rows(table, rows, &addresses)?;
        if table.has_primary_key() {
            let keys: HashSet<Option<Box<[u8]>>> = unique_keys(&inserted, &table.primary_key)?.into_iter().collect();
            let others = unique_keys(&tombstones, &table.primary_key)?
                .into_iter()
                .zip(0_u32..)
                .filter(|(key, _)| !keys.contains(key));
            tombstones = tombstones.select(&others.map(|(_, row)| row).collect())?;
        }
        Ok(WriteSet {
            inserted: Some(inserted),
            replaced: None,
            displaced: Some(ReplacedRows { addresses, tombstones }),
        })
    }

    /// Decides for each of the rows proposed whether it is inserted, replaces a row, or is left out.
    pub(super) async fn resolve(&self, clause: &OnConflict, parameters: &Parameters) -> Result<Resolved> {
        let arbiters = arbiters(&self.target.table, clause)?;
        let conflicting = self.conflicts(&arbiters)?;
        let is_inserted = |(conflicting, _): &(&ConflictingRow, u32)| matches!(conflicting, ConflictingRow::None);
        let inserted: Vec<u32> = conflicting.iter().zip(0_u32..).filter(is_inserted).map(|(_, row)| row).collect();
        let update = match &clause.action {
            OnConflictAction::DoNothing => None,
            OnConflictAction::DoUpdate(update) => Some(update),
        };
        let (replaced, replacing) = match update {
            None => (None, Vec::new()),
            Some(update) => {
                let (replacement, rows) = self.replace(update, &meeting(&conflicting)?, parameters).await?;
                (Some(replacement), rows)
            }
        };
        let mut order: Vec<(u32, u32)> = replacing.iter().chain(&inserted).copied().zip(0_u32..).collect();
        order.sort_unstable();
        let inserted = Some(self.rows.select(&UInt32Array::from(inserted))?);
        Ok(Resolved {
            written: WriteSet { inserted, replaced, displaced: None },
            order: order.into_iter().map(|(_, at)| at).collect(),
        })
    }

    /// For each of the rows proposed, the row that it conflicts with.
    fn conflicts(&self, arbiters: &[Vec<usize>]) -> Result<Vec<ConflictingRow>> {
        let mut conflicting = vec![ConflictingRow::None; self.rows.n_rows];
        let mut held = Vec::with_capacity(arbiters.len());
        for columns in arbiters {
            let holders = self.holders(columns)?;
            for (conflicting, holder) in conflicting.iter_mut().zip(holders) {
                if let (ConflictingRow::None, Some(address)) = (&*conflicting, holder) {
                    *conflicting = ConflictingRow::Stored(address);
                }
            }
            held.push((unique_keys(self.rows, columns)?, HashSet::new()));
        }
        // A row that is inserted holds its values against the rows after it.
        for (row, conflicting) in conflicting.iter_mut().enumerate() {
            if !matches!(conflicting, ConflictingRow::None) {
                continue;
            }
            let is_held = held
                .iter()
                .any(|(keys, held)| keys.get(row).and_then(Option::as_ref).is_some_and(|key| held.contains(key)));
            if is_held {
                *conflicting = ConflictingRow::Earlier;
                continue;
            }
            for (keys, held) in &mut held {
                held.extend(keys.get(row).cloned().flatten());
            }
        }
        Ok(conflicting)
    }

    /// The live rows that hold the values of those columns.
    fn holders(&self, columns: &[usize]) -> Result<Vec<Option<RowAddress>>> {
        let Self { context, target: ChangeTarget { table, partition, .. }, rows } = self;
        if *columns != table.primary_key {
            return context.view.find_unique(table, partition, columns, &unique_keys(rows, columns)?);
        }
        let keys = Keys::of_columns(table, |index| rows.column(index))?;
        let stored = context.view.find(table, partition, &keys)?;
        Ok(stored
            .into_iter()
            .map(|stored| stored.filter(|stored| !stored.is_deleted).map(|stored| stored.address))
            .collect())
    }

    /// Computes the new versions of the conflicting rows. Gives them, and for each the position of the proposed row
    /// that it conflicts with.
    async fn replace(
        &self,
        update: &DoUpdate,
        meeting: &[(RowAddress, u32)],
        parameters: &Parameters,
    ) -> Result<(Replacement, Vec<u32>)> {
        let Self { context, target: ChangeTarget { table, alias, rows, .. }, .. } = self;
        let each = assign_each(&update.assignments)?;
        let assignments = read_assignments(table, &each)?;
        let mut qualify = Qualify { table, alias, depth: 0 };
        let mut qualified = |expr: &Expr| {
            let mut expr = expr.clone();
            // It never breaks off.
            let _: ControlFlow<()> = expr.visit(&mut qualify);
            expr
        };
        let values: Vec<Expr> = planned_values(table, &assignments).iter().map(&mut qualified).collect();
        let (addresses, proposed): (Vec<RowAddress>, Vec<u32>) = meeting.iter().copied().unzip();
        let old = take_rows(table, rows, &addresses)?;
        let excluded = self.rows.select(&UInt32Array::from(proposed))?;
        // Row n of one meets row n of the other.
        let address = |of: &Ident| Expr::CompoundIdentifier(vec![of.clone(), column(ADDRESS_COLUMN)]);
        let meets = Expr::BinaryOp {
            left: Box::new(address(alias)),
            op: BinaryOperator::Eq,
            right: Box::new(address(&column(EXCLUDED))),
        };
        let selection = match &update.selection {
            Some(selection) => Expr::BinaryOp {
                left: Box::new(meets),
                op: BinaryOperator::And,
                right: Box::new(Expr::Nested(Box::new(qualified(selection)))),
            },
            None => meets,
        };
        let pairs = ChangeTarget { rows: snapshot_of(&old, 0, 0), ..self.target.clone() };
        let relation = crate::sql::plan::Relation {
            name: EXCLUDED,
            table: Arc::clone(table),
            rows: snapshot_of(&excluded, 0, 0),
            with_addresses: true,
        };
        let others = [engine_table(EXCLUDED, &column(EXCLUDED))];
        let search = Search {
            filter: RowFilter::Live,
            values: &values,
            others: &others,
            selection: Some(&selection),
            parameters,
        };
        let found = pairs.find_with(context, search, vec![relation]).await?;
        let chosen: Vec<u32> = found.addresses.iter().filter_map(|address| u32::try_from(address.row()).ok()).collect();
        let last: HashMap<RowAddress, u32> = meeting.iter().copied().collect();
        let pairs: Vec<(RowAddress, u32)> =
            chosen.iter().filter_map(|row| meeting.get(*row as usize).copied()).collect();
        // A row may be met again as long as it has not been changed.
        if pairs.iter().any(|(address, row)| last.get(address) != Some(row)) {
            return Err(met_twice());
        }
        let old = old.select(&UInt32Array::from(chosen))?;
        let new = assigned(context, self.target, &assignments, &old, found.values).await?;
        let (addresses, rows) = pairs.into_iter().unzip();
        Ok((Replacement { addresses, old, new }, rows))
    }
}

/// The row that a proposed row conflicts with.
#[derive(Debug, Clone, Copy)]
enum ConflictingRow {
    None,
    /// A stored row.
    Stored(RowAddress),
    /// An earlier row of the same statement.
    Earlier,
}

/// The columns of the primary key and of every unique constraint and index.
fn unique_columns(table: &Table) -> Vec<Vec<usize>> {
    let primary = Some(&table.primary_key).filter(|key| !key.is_empty());
    primary
        .into_iter()
        .chain(table.indexes.iter().filter(|index| index.unique).map(|index| &index.columns))
        .cloned()
        .collect()
}

/// The primary key or unique columns that a conflict is looked for in.
fn arbiters(table: &Table, clause: &OnConflict) -> Result<Vec<Vec<usize>>> {
    let all = unique_columns(table);
    match &clause.conflict_target {
        None if matches!(clause.action, OnConflictAction::DoNothing) => Ok(all),
        None => Err(Error::new(ErrorKind::SyntaxError, "ON CONFLICT DO UPDATE needs the columns that conflict")
            .with_hint("write ON CONFLICT (columns) DO UPDATE")),
        Some(ConflictTarget::Columns(names)) => {
            let wanted =
                names.iter().map(|name| table.require_column(&fold(name))).collect::<Result<HashSet<usize>>>()?;
            let fits = |columns: &&Vec<usize>| columns.iter().copied().collect::<HashSet<usize>>() == wanted;
            let fitting = all.iter().find(fits).cloned();
            Ok(vec![fitting.ok_or_else(|| {
                let names: Vec<String> = names.iter().map(fold).collect();
                let message = format!(
                    "table {} has no primary key and no unique constraint over ({})",
                    table.full_name(),
                    names.join(", ")
                );
                Error::new(ErrorKind::InvalidQuery, message).with_hint("ON CONFLICT names the columns of one")
            })?])
        }
        Some(ConflictTarget::OnConstraint(name)) => {
            let name = column_name(name)?;
            if table.has_primary_key() && name == table.primary_key_name() {
                return Ok(vec![table.primary_key.clone()]);
            }
            let index = table.indexes.iter().find(|index| index.unique && index.name == name);
            let index = index.ok_or_else(|| {
                Error::new(
                    ErrorKind::UndefinedObject,
                    format!("table {} has no unique constraint {name}", table.full_name()),
                )
            })?;
            Ok(vec![index.columns.clone()])
        }
    }
}

fn met_twice() -> Error {
    Error::new(ErrorKind::CardinalityViolation, "ON CONFLICT DO UPDATE cannot change a row a second time")
        .with_hint("two of the rows to be inserted have the same key")
}

/// The rows that may be updated, each with the position of the proposed row that meets it. A row that the statement has
/// inserted cannot be.
fn meeting(conflicting: &[ConflictingRow]) -> Result<Vec<(RowAddress, u32)>> {
    let mut meeting = Vec::new();
    for (conflicting, row) in conflicting.iter().zip(0_u32..) {
        match conflicting {
            ConflictingRow::None => {}
            ConflictingRow::Stored(address) => meeting.push((*address, row)),
            ConflictingRow::Earlier => return Err(met_twice()),
        }
    }
    Ok(meeting)
}

/// Makes a plain column of the table mean the row that is there, and not be ambiguous with the row proposed.
struct Qualify<'a> {
    table: &'a Table,
    alias: &'a Ident,
    /// In subqueries names are looked up there first.
    depth: usize,
}

impl VisitorMut for Qualify<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(ident) = expr
            && self.depth == 0
            && self.table.column_index(&fold(ident)).is_some()
        {
            *expr = Expr::CompoundIdentifier(vec![self.alias.clone(), ident.clone()]);
        }
        ControlFlow::Continue(())
    }
}
