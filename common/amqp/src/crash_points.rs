//! The crash points of consuming and publishing.

service::crash_points! {
    /// A message was delivered.
    RECEIVED = "received",
    /// A message is about to be copied to a retry queue.
    RETRY_BEGUN = "retry_begun",
    /// The copy was sent to the broker, and its confirm has not arrived.
    RETRY_SENT = "retry_sent",
    /// The copy is confirmed; the original is not acked.
    RETRY_CONFIRMED = "retry_confirmed",
    /// A message is about to be copied to the dead-letter queue.
    DEAD_LETTER_BEGUN = "dead_letter_begun",
    /// The copy was sent to the broker, and its confirm has not arrived.
    DEAD_LETTER_SENT = "dead_letter_sent",
    /// The copy is confirmed; the original is not acked.
    DEAD_LETTER_CONFIRMED = "dead_letter_confirmed",
    /// An ack was sent to the broker.
    ACKED = "acked",
    /// A process that stops is about to requeue its unacked messages.
    REQUEUE_BEGUN = "requeue_begun",
    /// The messages are requeued; the connection is about to close.
    REQUEUED = "requeued",
}
