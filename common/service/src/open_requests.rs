//! The requests of a connection that have no whole answer yet.

use std::cell::Cell;
use std::rc::Rc;

/// Number of requests in progress on one connection. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenRequests(Rc<Cell<u32>>);

/// A request in progress, until dropped.
#[derive(Debug)]
pub(crate) struct OpenRequest(OpenRequests);

impl OpenRequests {
    /// Counts one more request.
    pub(crate) fn start(&self) -> OpenRequest {
        self.0.set(self.0.get() + 1);
        OpenRequest(self.clone())
    }

    /// Returns true if a handler works, or its answer is not complete.
    pub(crate) fn any(&self) -> bool {
        self.0.get() > 0
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let OpenRequests(count) = &self.0;
        count.set(count.get().saturating_sub(1));
    }
}
