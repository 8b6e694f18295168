//! Runs a statement again when pages are missing, or another tab has flushed or merged its rows meanwhile.

use std::collections::HashSet;

use super::database::Database;
use crate::error::{Error, Result};
use crate::retry::Retry;

/// How often a statement runs again because another tab has flushed or merged its rows meanwhile.
const MAX_CATCH_UPS: usize = 20;

impl Database {
    /// Runs `statement` until it has all pages that it needs.
    ///
    /// It may begin again any number of times, so nothing that it does may last before its commit. `may_move` is
    /// whether it may go on from a later commit than it began from.
    ///
    /// # Errors
    /// Those of `statement` that are not about pages; `serialization_failure` if its rows were stored anew meanwhile
    /// and it may not move on.
    pub(crate) async fn with_pages<T>(
        &self,
        may_move: bool,
        mut statement: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let (mut pins, mut asked, mut catch_ups) = (Vec::new(), HashSet::new(), 0);
        loop {
            let error = match statement().await {
                Err(error) if error.retry().is_some() => error,
                result => return result,
            };
            match error.retry() {
                Some(Retry::Pages(pages)) => {
                    // Pages that it was given and misses again are a mistake of ours, which must not become an endless
                    // loop.
                    let new = pages.iter().filter(|page| asked.insert(page.key)).count();
                    if new == 0 && pins.len() > MAX_CATCH_UPS {
                        return Err(Error::internal("a page that was read is missing"));
                    }
                    match self.pages.load(pages).await {
                        Ok(pinned) => pins.push(pinned),
                        Err(error) => self.may_catch_up(error, may_move, &mut catch_ups).await?,
                    }
                }
                Some(Retry::CatchUp) => self.may_catch_up(error, may_move, &mut catch_ups).await?,
                None => return Err(error),
            }
        }
    }

    /// Reads newer commits, if `error` asks for that.
    async fn may_catch_up(&self, error: Error, may_move: bool, catch_ups: &mut usize) -> Result<()> {
        *catch_ups += 1;
        if !matches!(error.retry(), Some(Retry::CatchUp)) || !may_move || *catch_ups > MAX_CATCH_UPS {
            return Err(error);
        }
        self.catch_up().await.map(drop)
    }
}
