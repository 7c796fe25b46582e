/// Kinds of violations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ViolationKind {
    /// The order is confirmed, and the workers recorded no capture.
    ConfirmedNotCaptured,
    /// The order is canceled, and the workers recorded no decline.
    CanceledNotDeclined,
    /// A payment exists, and the shop has no such order.
    PaymentWithoutOrder,
    /// Two sides have different amounts or currencies.
    AmountDiffers,
    /// The payment is recorded as captured, and the ledger has no capture under its key.
    CaptureMissing,
    /// The ledger has a capture, and the workers have no payment.
    CaptureUnrecorded,
    /// The ledger has a capture, and the payment is recorded as declined.
    CaptureOfDeclined,
    /// The ledger has captures under the order's own key and under another one.
    CapturedTwice,
    /// The ledger has a capture under another key only.
    CapturedUnderOtherKey,
    /// The order is pending for too long, is not in the outbox, and has no payment.
    NotBegun,
    /// The order is still pending too long after its payment ended.
    NotSettled,
}

impl ViolationKind {
    /// Every kind.
    pub(crate) const ALL: [ViolationKind; 11] = [
        ViolationKind::ConfirmedNotCaptured,
        ViolationKind::CanceledNotDeclined,
        ViolationKind::PaymentWithoutOrder,
        ViolationKind::AmountDiffers,
        ViolationKind::CaptureMissing,
        ViolationKind::CaptureUnrecorded,
        ViolationKind::CaptureOfDeclined,
        ViolationKind::CapturedTwice,
        ViolationKind::CapturedUnderOtherKey,
        ViolationKind::NotBegun,
        ViolationKind::NotSettled,
    ];

    /// The spelling in reports, logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ViolationKind::ConfirmedNotCaptured => "confirmed_not_captured",
            ViolationKind::CanceledNotDeclined => "canceled_not_declined",
            ViolationKind::PaymentWithoutOrder => "payment_without_order",
            ViolationKind::AmountDiffers => "amount_differs",
            ViolationKind::CaptureMissing => "capture_missing",
            ViolationKind::CaptureUnrecorded => "capture_unrecorded",
            ViolationKind::CaptureOfDeclined => "capture_of_declined",
            ViolationKind::CapturedTwice => "captured_twice",
            ViolationKind::CapturedUnderOtherKey => "captured_under_other_key",
            ViolationKind::NotBegun => "not_begun",
            ViolationKind::NotSettled => "not_settled",
        }
    }
}
