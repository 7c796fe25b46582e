//! What is wrong with an order, from what is seen of it on all sides. Nothing here reads or waits.

use std::time::Duration;

use db::audit::{CaptureRow, OrderRow, PaymentRow, PaymentStatus, Sum};
use domain::{OrderId, OrderStatus};
use time::OffsetDateTime;

use crate::config::Ledger;

/// All that is seen of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// In the shop.
    pub(crate) order: Option<OrderRow>,
    /// With the workers.
    pub(crate) payment: Option<PaymentRow>,
    /// In the gateway's books, under its own key or another one.
    pub(crate) captures: Vec<CaptureRow>,
}

/// What may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Confirmed, and the workers recorded no capture.
    ConfirmedNotCaptured,
    /// Canceled, and the workers recorded no decline.
    CanceledNotDeclined,
    /// Paid for, and the shop has no such order.
    PaymentWithoutOrder,
    /// Two sides name another amount or currency.
    AmountDiffers,
    /// Recorded as captured, and the gateway's books have nothing under its key.
    CaptureMissing,
    /// In the gateway's books, and the workers know of no payment.
    CaptureUnrecorded,
    /// In the gateway's books, and recorded as declined.
    CaptureOfDeclined,
    /// In the gateway's books under its own key and under another one.
    CapturedTwice,
    /// In the gateway's books under a key that is not its own.
    CapturedUnderOtherKey,
    /// Pending for too long: not in the outbox, and no payment was begun.
    NotBegun,
    /// Pending for too long after its payment ended.
    NotSettled,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Kind; 11] = [
        Kind::ConfirmedNotCaptured,
        Kind::CanceledNotDeclined,
        Kind::PaymentWithoutOrder,
        Kind::AmountDiffers,
        Kind::CaptureMissing,
        Kind::CaptureUnrecorded,
        Kind::CaptureOfDeclined,
        Kind::CapturedTwice,
        Kind::CapturedUnderOtherKey,
        Kind::NotBegun,
        Kind::NotSettled,
    ];

    /// As it is spoken.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::ConfirmedNotCaptured => "confirmed_not_captured",
            Kind::CanceledNotDeclined => "canceled_not_declined",
            Kind::PaymentWithoutOrder => "payment_without_order",
            Kind::AmountDiffers => "amount_differs",
            Kind::CaptureMissing => "capture_missing",
            Kind::CaptureUnrecorded => "capture_unrecorded",
            Kind::CaptureOfDeclined => "capture_of_declined",
            Kind::CapturedTwice => "captured_twice",
            Kind::CapturedUnderOtherKey => "captured_under_other_key",
            Kind::NotBegun => "not_begun",
            Kind::NotSettled => "not_settled",
        }
    }
}

/// What a pending order waits for, as far as the tables know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// Its request has not reached the broker.
    InOutbox,
    /// Its request is on its way or lost: no worker has begun.
    NotBegun,
    /// The gateway may have been asked, and has not said how it ended.
    UnknownCharge,
    /// The payment has ended; the result is on its way or lost.
    NotSettled,
}

impl Reason {
    /// Every reason.
    pub(crate) const ALL: [Reason; 4] =
        [Reason::InOutbox, Reason::NotBegun, Reason::UnknownCharge, Reason::NotSettled];

    /// As it is spoken.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::InOutbox => "in_outbox",
            Reason::NotBegun => "not_begun",
            Reason::UnknownCharge => "unknown_charge",
            Reason::NotSettled => "not_settled",
        }
    }
}

/// What is not at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Why the order is pending, and since when, if it is.
    pub(crate) pending: Option<(Reason, OffsetDateTime)>,
    /// When the payment was begun, if it has no verdict.
    pub(crate) unknown: Option<OffsetDateTime>,
}

/// How to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The database's clock.
    pub(crate) now: OffsetDateTime,
    /// How long an order may be pending with nothing that says why.
    pub(crate) overdue: Duration,
    /// Whether the gateway's books are open.
    pub(crate) books: Ledger,
}

impl Rules {
    /// What is wrong with an order. `in_outbox`: whether its request waits in the outbox.
    pub(crate) fn violations(&self, id: OrderId, seen: &Seen, in_outbox: bool) -> Vec<Kind> {
        let (order, payment) = (seen.order.as_ref(), seen.payment.as_ref());
        let paid = payment.map(|payment| payment.status);
        let mut found = Vec::new();
        match order.map(|order| order.status) {
            Some(OrderStatus::Confirmed) if paid != Some(PaymentStatus::Captured) => {
                found.push(Kind::ConfirmedNotCaptured);
            }
            Some(OrderStatus::Canceled) if paid != Some(PaymentStatus::Declined) => {
                found.push(Kind::CanceledNotDeclined);
            }
            Some(OrderStatus::Pending) => found.extend(self.overdue(seen, in_outbox)),
            Some(OrderStatus::Confirmed | OrderStatus::Canceled) => {}
            None if paid.is_some() => found.push(Kind::PaymentWithoutOrder),
            None => {}
        }
        if differs(seen) {
            found.push(Kind::AmountDiffers);
        }
        if self.books == Ledger::Simulated {
            found.extend(in_books(id, seen));
        }
        found
    }

    /// What has not ended, and what it waits for.
    pub(crate) fn unfinished(&self, seen: &Seen, in_outbox: bool) -> Option<Unfinished> {
        let started = seen.payment.as_ref().filter(|p| p.status == PaymentStatus::Started);
        let unknown = started.map(|payment| payment.started_at);
        let order = seen.order.as_ref().filter(|order| order.status == OrderStatus::Pending);
        let pending = order.map(|order| (reason(seen, in_outbox), order.placed_at));
        (pending.is_some() || unknown.is_some()).then_some(Unfinished { pending, unknown })
    }

    fn overdue(&self, seen: &Seen, in_outbox: bool) -> Option<Kind> {
        let placed_at = seen.order.as_ref()?.placed_at;
        match reason(seen, in_outbox) {
            Reason::InOutbox | Reason::UnknownCharge => None,
            Reason::NotBegun => (self.now - placed_at > self.overdue).then_some(Kind::NotBegun),
            Reason::NotSettled => {
                // One that ended at no time was ended by hand.
                let ended = seen.payment.as_ref()?.ended.unwrap_or(Duration::MAX);
                (ended > self.overdue).then_some(Kind::NotSettled)
            }
        }
    }
}

fn reason(seen: &Seen, in_outbox: bool) -> Reason {
    match seen.payment.as_ref().map(|payment| payment.status) {
        Some(PaymentStatus::Started) => Reason::UnknownCharge,
        Some(PaymentStatus::Captured | PaymentStatus::Declined) => Reason::NotSettled,
        None if in_outbox => Reason::InOutbox,
        None => Reason::NotBegun,
    }
}

fn differs(seen: &Seen) -> bool {
    let order = seen.order.iter().map(|order| &order.sum);
    let payment = seen.payment.iter().map(|payment| &payment.sum);
    let captures = seen.captures.iter().map(|capture| &capture.sum);
    let sums: Vec<&Sum> = order.chain(payment).chain(captures).collect();
    sums.windows(2).any(|pair| matches!(pair, [one, other] if one != other))
}

fn in_books(id: OrderId, seen: &Seen) -> Vec<Kind> {
    let own_key = id.to_string();
    let own = seen.captures.iter().any(|capture| capture.key == own_key);
    let other = seen.captures.iter().any(|capture| capture.key != own_key);
    let mut found = Vec::new();
    match seen.payment.as_ref().map(|payment| payment.status) {
        Some(PaymentStatus::Captured) if !own => found.push(Kind::CaptureMissing),
        Some(PaymentStatus::Declined) if own => found.push(Kind::CaptureOfDeclined),
        None if own || other => found.push(Kind::CaptureUnrecorded),
        // A capture whose payment has no verdict yet is what "unknown" means.
        Some(PaymentStatus::Started | PaymentStatus::Captured | PaymentStatus::Declined) | None => {
        }
    }
    match (own, other) {
        (true, true) => found.push(Kind::CapturedTwice),
        (false, true) => found.push(Kind::CapturedUnderOtherKey),
        (_, false) => {}
    }
    found
}

#[cfg(test)]
mod tests;
