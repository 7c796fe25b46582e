//! The crash points of payment-processor.

service::crash_points! {
    /// **charge**: the payment is recorded as started.
    CHARGE_STARTED = "charge_started",
    /// The gateway is about to be asked.
    CHARGE_ASKING = "charge_asking",
    /// A gateway that was asked before does not know the key, and is about to be asked to charge.
    CHARGE_LOOKED_UP = "charge_looked_up",
    /// The gateway has captured the money, and has not answered.
    CHARGE_CAPTURED = "charge_captured",
    /// The verdict has arrived and is not recorded.
    CHARGE_ANSWERED = "charge_answered",
    /// The verdict is recorded.
    CHARGE_FINISHED = "charge_finished",
    /// **reply**: recorded verdicts are about to be published.
    REPLY_BEGUN = "reply_begun",
    /// The result was sent to the broker, and its confirm has not arrived.
    REPLY_SENT = "reply_sent",
    /// Confirmed; the request is not acked.
    REPLY_CONFIRMED = "reply_confirmed",
}
