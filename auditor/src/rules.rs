//! The rules that the records of an order have to follow. Nothing here reads or waits.

use std::time::Duration;

use db::audit::{PaymentStatus, Sum};
use domain::{OrderId, OrderStatus};
use time::OffsetDateTime;

use crate::config::Ledger;
use crate::records::OrderRecords;
use crate::unfinished::{Unfinished, WaitReason};
use crate::violation::ViolationKind;

/// The rules, with the time and settings that they depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The present time, by the database's clock.
    pub(crate) now: OffsetDateTime,
    /// Time for which an order may be pending with no reason in the tables.
    pub(crate) overdue: Duration,
    /// The ledger to compare with.
    pub(crate) ledger: Ledger,
}

impl Rules {
    /// Returns the violations of an order. `in_outbox` is `true` if its request may wait in the
    /// outbox.
    pub(crate) fn violations(
        &self,
        id: OrderId,
        records: &OrderRecords,
        in_outbox: bool,
    ) -> Vec<ViolationKind> {
        let (order, payment) = (records.order.as_ref(), records.payment.as_ref());
        let paid = payment.map(|payment| payment.status);
        let mut found = Vec::new();
        match order.map(|order| order.status) {
            Some(OrderStatus::Confirmed) if paid != Some(PaymentStatus::Captured) => {
                found.push(ViolationKind::ConfirmedNotCaptured);
            }
            Some(OrderStatus::Canceled) if paid != Some(PaymentStatus::Declined) => {
                found.push(ViolationKind::CanceledNotDeclined);
            }
            Some(OrderStatus::Pending) => found.extend(self.overdue(records, in_outbox)),
            Some(OrderStatus::Confirmed | OrderStatus::Canceled) => {}
            None if paid.is_some() => found.push(ViolationKind::PaymentWithoutOrder),
            None => {}
        }
        if differs(records) {
            found.push(ViolationKind::AmountDiffers);
        }
        if self.ledger == Ledger::Simulated {
            found.extend(ledger_violations(id, records));
        }
        found
    }

    /// Returns the reasons why an order is unfinished; `None` if the order and its payment have
    /// ended.
    pub(crate) fn unfinished(&self, records: &OrderRecords, in_outbox: bool) -> Option<Unfinished> {
        let started = records.payment.as_ref().filter(|p| p.status == PaymentStatus::Started);
        let unknown = started.map(|payment| payment.started_at);
        let order = records.order.as_ref().filter(|order| order.status == OrderStatus::Pending);
        let pending = order.map(|order| (wait_reason(records, in_outbox), order.placed_at));
        (pending.is_some() || unknown.is_some()).then_some(Unfinished { pending, unknown })
    }

    fn overdue(&self, records: &OrderRecords, in_outbox: bool) -> Option<ViolationKind> {
        let placed_at = records.order.as_ref()?.placed_at;
        match wait_reason(records, in_outbox) {
            WaitReason::InOutbox | WaitReason::UnknownCharge => None,
            WaitReason::NotBegun => {
                (self.now - placed_at > self.overdue).then_some(ViolationKind::NotBegun)
            }
            WaitReason::NotSettled => {
                // A verdict without a time was written by hand.
                let ended = records.payment.as_ref()?.ended.unwrap_or(Duration::MAX);
                (ended > self.overdue).then_some(ViolationKind::NotSettled)
            }
        }
    }
}

fn wait_reason(records: &OrderRecords, in_outbox: bool) -> WaitReason {
    match records.payment.as_ref().map(|payment| payment.status) {
        Some(PaymentStatus::Started) => WaitReason::UnknownCharge,
        Some(PaymentStatus::Captured | PaymentStatus::Declined) => WaitReason::NotSettled,
        None if in_outbox => WaitReason::InOutbox,
        None => WaitReason::NotBegun,
    }
}

fn differs(records: &OrderRecords) -> bool {
    let order = records.order.iter().map(|order| &order.sum);
    let payment = records.payment.iter().map(|payment| &payment.sum);
    let captures = records.captures.iter().map(|capture| &capture.sum);
    let sums: Vec<&Sum> = order.chain(payment).chain(captures).collect();
    sums.windows(2).any(|pair| matches!(pair, [one, other] if one != other))
}

fn ledger_violations(id: OrderId, records: &OrderRecords) -> Vec<ViolationKind> {
    let own_key = id.to_string();
    let own = records.captures.iter().any(|capture| capture.key == own_key);
    let other = records.captures.iter().any(|capture| capture.key != own_key);
    let mut found = Vec::new();
    match records.payment.as_ref().map(|payment| payment.status) {
        Some(PaymentStatus::Captured) if !own => found.push(ViolationKind::CaptureMissing),
        Some(PaymentStatus::Declined) if own => found.push(ViolationKind::CaptureOfDeclined),
        None if own || other => found.push(ViolationKind::CaptureUnrecorded),
        // A capture while the payment has no verdict is an unknown charge, not a violation.
        Some(PaymentStatus::Started | PaymentStatus::Captured | PaymentStatus::Declined) | None => {
        }
    }
    match (own, other) {
        (true, true) => found.push(ViolationKind::CapturedTwice),
        (false, true) => found.push(ViolationKind::CapturedUnderOtherKey),
        (_, false) => {}
    }
    found
}

#[cfg(test)]
mod tests;
