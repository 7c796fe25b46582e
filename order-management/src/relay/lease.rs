//! The time in which an outbox row belongs to this process.

use std::time::{Duration, Instant};

use db::outbox::LeaseTerms;

/// The time in which an outbox row belongs to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    until: Instant,
    terms: LeaseTerms,
}

impl Lease {
    /// A lease that begins now.
    pub(super) fn of(terms: LeaseTerms) -> Lease {
        Lease { until: Instant::now() + terms.length, terms }
    }

    /// The terms of the lease, as the outbox row notes them.
    pub(crate) fn terms(self) -> LeaseTerms {
        self.terms
    }

    /// The lease ended when it began.
    pub(crate) fn is_empty(self) -> bool {
        self.terms.length == Duration::ZERO
    }

    /// The row belongs to this process at `now`.
    pub(super) fn holds_at(self, now: Instant) -> bool {
        self.until > now
    }
}
