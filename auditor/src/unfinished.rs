//! Unfinished orders: pending orders, and orders with an unknown charge. Each is checked again
//! until it ends.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use domain::OrderId;
use time::OffsetDateTime;

/// Largest number of orders in the list. Once half of them have ended, those that found no room are
/// read from the tables again.
pub(crate) const REMEMBERED_MAX: usize = 50_000;

/// The reason why a pending order waits, as far as the tables show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WaitReason {
    /// The broker has not confirmed the payment request.
    InOutbox,
    /// No worker has begun: the payment request is in a queue or lost.
    NotBegun,
    /// The gateway may have been asked, and no verdict is recorded.
    UnknownCharge,
    /// The payment has ended; its result is in a queue or lost.
    NotSettled,
}

impl WaitReason {
    /// Every reason.
    pub(crate) const ALL: [WaitReason; 4] = [
        WaitReason::InOutbox,
        WaitReason::NotBegun,
        WaitReason::UnknownCharge,
        WaitReason::NotSettled,
    ];

    /// The spelling in reports and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            WaitReason::InOutbox => "in_outbox",
            WaitReason::NotBegun => "not_begun",
            WaitReason::UnknownCharge => "unknown_charge",
            WaitReason::NotSettled => "not_settled",
        }
    }
}

/// The reasons why an order or its payment has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Reason to wait and time of placing, if the order is pending.
    pub(crate) pending: Option<(WaitReason, OffsetDateTime)>,
    /// Start of the payment, if the payment has no verdict.
    pub(crate) unknown: Option<OffsetDateTime>,
}

impl Unfinished {
    /// Time of placing of a pending order, else the start of the payment.
    pub(crate) fn since(&self) -> Option<OffsetDateTime> {
        self.pending.map(|(_, since)| since).or(self.unknown)
    }
}

/// The list of unfinished orders, with a bounded length.
#[derive(Debug, Default)]
pub(crate) struct UnfinishedOrders {
    orders: BTreeMap<OrderId, Unfinished>,
    last_checked: Option<OrderId>,
    overflowed: bool,
}

/// Totals of the unfinished orders.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Number of pending orders by reason, in the order of [`WaitReason::ALL`].
    pub(crate) pending: [usize; 4],
    /// Age of the oldest pending order.
    pub(crate) oldest_pending: Duration,
    /// Number of unknown charges.
    pub(crate) unknown: usize,
    /// Age of the oldest unknown charge.
    pub(crate) oldest_unknown: Duration,
}

impl UnfinishedOrders {
    /// Stores the reasons why an order is unfinished, or removes the order if `unfinished` is
    /// `None`. Returns `false` if the list is full.
    pub(crate) fn note(&mut self, id: OrderId, unfinished: Option<Unfinished>) -> bool {
        let Some(unfinished) = unfinished else {
            self.orders.remove(&id);
            return true;
        };
        if self.orders.len() >= REMEMBERED_MAX && !self.orders.contains_key(&id) {
            self.overflowed = true;
            return false;
        }
        self.orders.insert(id, unfinished);
        true
    }

    /// Returns the next orders to check again; every order has its turn.
    pub(crate) fn next(&mut self, limit: usize) -> Vec<OrderId> {
        let after = self.last_checked.map_or(Bound::Unbounded, Bound::Excluded);
        let next: Vec<OrderId> =
            self.orders.range((after, Bound::Unbounded)).take(limit).map(|(id, _)| *id).collect();
        self.last_checked = next.last().copied().filter(|_| next.len() == limit);
        next
    }

    /// Returns `true`, once, if orders had found no room and there is room now.
    pub(crate) fn has_room_again(&mut self) -> bool {
        let again = self.overflowed && self.orders.len() < REMEMBERED_MAX / 2;
        self.overflowed &= !again;
        again
    }

    /// All orders of the list.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (OrderId, &Unfinished)> {
        self.orders.iter().map(|(id, unfinished)| (*id, unfinished))
    }

    /// Counts the list.
    pub(crate) fn totals(&self, now: OffsetDateTime) -> Totals {
        let mut totals = Totals::default();
        for unfinished in self.orders.values() {
            if let Some((reason, since)) = unfinished.pending {
                let place = WaitReason::ALL.iter().position(|r| *r == reason);
                if let Some(count) = place.and_then(|place| totals.pending.get_mut(place)) {
                    *count += 1;
                }
                totals.oldest_pending = totals.oldest_pending.max(age(now, since));
            }
            if let Some(since) = unfinished.unknown {
                totals.unknown += 1;
                totals.oldest_unknown = totals.oldest_unknown.max(age(now, since));
            }
        }
        totals
    }
}

/// Time from `since` to `now`; zero if `since` is later.
pub(crate) fn age(now: OffsetDateTime, since: OffsetDateTime) -> Duration {
    Duration::try_from(now - since).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn pending(reason: WaitReason, age_s: u64) -> Option<Unfinished> {
        let since = NOW - Duration::from_secs(age_s);
        let unknown = (reason == WaitReason::UnknownCharge).then_some(since);
        Some(Unfinished { pending: Some((reason, since)), unknown })
    }

    #[test]
    fn the_totals_count_orders_by_reason_and_have_the_greatest_ages() {
        let ids: Vec<OrderId> = (0..4).map(|_| OrderId::new()).collect();
        let mut unfinished = UnfinishedOrders::default();
        assert_eq!(unfinished.totals(NOW), Totals::default());
        unfinished.note(ids[0], pending(WaitReason::InOutbox, 5));
        unfinished.note(ids[1], pending(WaitReason::UnknownCharge, 70));
        unfinished.note(ids[2], pending(WaitReason::NotBegun, 90));
        unfinished.note(ids[3], pending(WaitReason::NotBegun, 900));
        unfinished.note(ids[3], None);
        let totals = unfinished.totals(NOW);
        assert_eq!(totals.pending, [1, 1, 1, 0]);
        assert_eq!(totals.oldest_pending, Duration::from_secs(90));
        assert_eq!((totals.unknown, totals.oldest_unknown), (1, Duration::from_secs(70)));
    }

    #[test]
    fn each_order_has_its_turn_and_orders_past_the_bound_are_read_again_once_there_is_room() {
        let mut ids: Vec<OrderId> = (0..REMEMBERED_MAX + 1).map(|_| OrderId::new()).collect();
        let mut unfinished = UnfinishedOrders::default();
        let last = ids.pop().unwrap();
        assert!(ids.iter().all(|id| unfinished.note(*id, pending(WaitReason::NotBegun, 1))));
        assert!(!unfinished.note(last, pending(WaitReason::NotBegun, 1)));
        let (first, second) = (unfinished.next(30_000), unfinished.next(30_000));
        assert_eq!([first, second].concat(), ids);
        assert_eq!(unfinished.next(1), [ids[0]]);

        assert!(!unfinished.has_room_again());
        for id in &ids[..REMEMBERED_MAX / 2 + 1] {
            unfinished.note(*id, None);
        }
        assert!(unfinished.has_room_again() && !unfinished.has_room_again());
    }
}
