//! Watches partitions: what each commit has done to them, whichever way it came.

use super::database::Database;
use crate::access::{Action, Principal};
use crate::catalog::{PartitionId, TableName};
use crate::error::Result;
use crate::feed::{CommitChanges, PartitionChange, Watch};
use crate::retry::Retry;

impl Database {
    /// Adds to a watch the rows of a table that belong to a principal, from the newest commit on.
    ///
    /// # Errors
    /// `undefined_table`, `insufficient_privilege`, `database_closed`; the store's.
    pub async fn watch(
        &self,
        watch: &mut Watch,
        namespace: &str,
        table: &str,
        principal: &Principal,
    ) -> Result<PartitionId> {
        self.refresh().await?;
        let mut state = self.state.borrow_mut();
        let name = TableName { namespace: namespace.to_owned(), table: table.to_owned() };
        let table = state.catalog.require_table(&name)?;
        table.check_access(principal, Action::Read)?;
        let id = table.partition(principal);
        let since = state.meta.head;
        let tap = state.partition_for_rows(id.clone()).watch(since);
        watch.add(id.clone(), tap);
        Ok(id)
    }

    /// What the next commit has done to the partitions of a watch: each commit that has changed any of them once, in
    /// the order of their numbers. `None` if there is none yet.
    ///
    /// # Errors
    /// `data_corrupted`, `database_closed`; the store's. The same commit comes with the next call then.
    pub async fn next_changes(&self, watch: &mut Watch) -> Result<Option<CommitChanges>> {
        self.refresh().await?;
        // At one moment, so that nothing more of the commits up to it will be reported.
        self.with_pages(true, async || self.take_in(watch)).await?;
        let Some((commit, reports)) = watch.first() else { return Ok(None) };
        let mut partitions = Vec::with_capacity(reports.len());
        for (id, reports) in reports {
            let change = match self.with_pages(false, async || PartitionChange::of(&reports)).await {
                // The segments that held the rows before are no more.
                Err(error) if matches!(error.retry(), Some(Retry::CatchUp)) => PartitionChange::Reset,
                change => change?,
            };
            partitions.push((id, change));
        }
        watch.pass(commit);
        for (id, _) in partitions.iter().filter(|(_, change)| !matches!(change, PartitionChange::Rows(_))) {
            watch.remove(id);
        }
        Ok(Some(CommitChanges { commit, partitions }))
    }

    /// Looks at all that is committed of the partitions of a watch.
    fn take_in(&self, watch: &Watch) -> Result<()> {
        let mut state = self.state.borrow_mut();
        for id in watch.partitions() {
            let Some(table) = state.catalog.find_id(id.table).cloned() else { continue };
            state.partition(&table, id)?.snapshot(&table)?;
        }
        Ok(())
    }
}
