//! Reads pages for a scan.

use std::fmt;
use std::rc::Rc;

use send_wrapper::SendWrapper;

use crate::error::Result;
use crate::retry::PageRef;
use crate::segment::{Pages, Pins};

/// Reads pages for a scan. DataFusion wants what it runs to be `Send`; the engine has one thread, and its store belongs
/// to that.
#[derive(Clone)]
pub(crate) struct PageLoader(SendWrapper<Rc<Pages>>);

impl fmt::Debug for PageLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageLoader").finish_non_exhaustive()
    }
}

impl PageLoader {
    pub(crate) fn new(pages: &Rc<Pages>) -> Self {
        Self(SendWrapper::new(Rc::clone(pages)))
    }

    /// As [`Pages::load`].
    pub(crate) async fn load(&self, wanted: Vec<PageRef>) -> Result<Pins> {
        let pages = Rc::clone(&self.0);
        SendWrapper::new(async move { pages.load(&wanted).await }).await
    }
}
