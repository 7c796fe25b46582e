//! The crash points of order-management.

service::crash_points! {
    /// **place**: orders wait for their commit.
    PLACE_BEGUN = "place_begun",
    /// Committed; no client has its answer.
    PLACE_COMMITTED = "place_committed",
    /// The client has its `201`.
    PLACE_ANSWERED = "place_answered",
    /// **relay**: committed orders are about to be published, by either path.
    RELAY_BEGUN = "relay_begun",
    /// The request was sent to the broker, and its confirm has not arrived.
    RELAY_SENT = "relay_sent",
    /// Confirmed; the outbox row is still there.
    RELAY_CONFIRMED = "relay_confirmed",
    /// The outbox row is gone.
    RELAY_REMOVED = "relay_removed",
    /// The sweep has leased rows that another process left behind.
    SWEEP_CLAIMED = "sweep_claimed",
    /// **settle**: results wait for their commit.
    SETTLE_BEGUN = "settle_begun",
    /// Committed; the result is not acked.
    SETTLE_COMMITTED = "settle_committed",
}
