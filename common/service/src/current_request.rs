//! The request that a task answers.

use domain::{RequestId, TraceParent};

tokio::task_local! {
    pub(crate) static CURRENT: Current;
}

/// The request that a task answers.
pub(crate) struct Current {
    pub(crate) id: RequestId,
    pub(crate) traceparent: Option<TraceParent>,
}

/// The id of the request that this task answers; a new id outside a request.
pub fn request_id() -> RequestId {
    CURRENT.try_with(|current| current.id.clone()).unwrap_or_else(|_| RequestId::made_here())
}

/// The trace of the request that this task answers: the caller's, or one that is recorded here.
pub fn traceparent() -> Option<TraceParent> {
    CURRENT.try_with(|current| current.traceparent).ok().flatten()
}
