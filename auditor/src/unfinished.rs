//! What is not at its end: pending orders and charges without a verdict. Each is looked at again
//! until it ends.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use domain::OrderId;
use time::OffsetDateTime;

use crate::judge::{Reason, Unfinished};

/// How many are remembered. Once half of them have ended, the others are looked for in the tables.
pub(crate) const REMEMBERED_MAX: usize = 50_000;

/// What is not at its end, as far as it is remembered.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    orders: BTreeMap<OrderId, Unfinished>,
    last_looked_at: Option<OrderId>,
    crowded: bool,
}

/// What all of it comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    /// Pending orders by what they wait for, in the order of [`Reason::ALL`].
    pub(crate) pending: [usize; 4],
    /// The age of the oldest of them.
    pub(crate) oldest_pending: Duration,
    /// Charges without a verdict.
    pub(crate) unknown: usize,
    /// The age of the oldest of them.
    pub(crate) oldest_unknown: Duration,
}

impl Standing {
    /// Takes what an order was seen to wait for; `None` if it waits for nothing. `false` if there was
    /// no room.
    pub(crate) fn note(&mut self, id: OrderId, unfinished: Option<Unfinished>) -> bool {
        let Some(unfinished) = unfinished else {
            self.orders.remove(&id);
            return true;
        };
        if self.orders.len() >= REMEMBERED_MAX && !self.orders.contains_key(&id) {
            self.crowded = true;
            return false;
        }
        self.orders.insert(id, unfinished);
        true
    }

    /// The next ones to be looked at again, each in its turn.
    pub(crate) fn next(&mut self, limit: usize) -> Vec<OrderId> {
        let after = self.last_looked_at.map_or(Bound::Unbounded, Bound::Excluded);
        let next: Vec<OrderId> =
            self.orders.range((after, Bound::Unbounded)).take(limit).map(|(id, _)| *id).collect();
        self.last_looked_at = next.last().copied().filter(|_| next.len() == limit);
        next
    }

    /// Whether some had found no room and there is room now: once.
    pub(crate) fn has_room_again(&mut self) -> bool {
        let again = self.crowded && self.orders.len() < REMEMBERED_MAX / 2;
        self.crowded &= !again;
        again
    }

    /// All of them.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (OrderId, &Unfinished)> {
        self.orders.iter().map(|(id, unfinished)| (*id, unfinished))
    }

    /// What it comes to at this moment.
    pub(crate) fn metrics(&self, now: OffsetDateTime) -> Numbers {
        let mut metrics = Numbers::default();
        for unfinished in self.orders.values() {
            if let Some((reason, since)) = unfinished.pending {
                let place = Reason::ALL.iter().position(|r| *r == reason);
                if let Some(count) = place.and_then(|place| metrics.pending.get_mut(place)) {
                    *count += 1;
                }
                metrics.oldest_pending = metrics.oldest_pending.max(age(now, since));
            }
            if let Some(since) = unfinished.unknown {
                metrics.unknown += 1;
                metrics.oldest_unknown = metrics.oldest_unknown.max(age(now, since));
            }
        }
        metrics
    }
}

/// How long ago that was; nothing if it is still to come.
pub(crate) fn age(now: OffsetDateTime, since: OffsetDateTime) -> Duration {
    Duration::try_from(now - since).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn pending(reason: Reason, age_s: u64) -> Option<Unfinished> {
        let since = NOW - Duration::from_secs(age_s);
        let unknown = (reason == Reason::UnknownCharge).then_some(since);
        Some(Unfinished { pending: Some((reason, since)), unknown })
    }

    #[test]
    fn the_numbers_tell_how_many_wait_for_what_and_for_how_long() {
        let ids: Vec<OrderId> = (0..4).map(|_| OrderId::new()).collect();
        let mut standing = Standing::default();
        assert_eq!(standing.metrics(NOW), Numbers::default());
        standing.note(ids[0], pending(Reason::InOutbox, 5));
        standing.note(ids[1], pending(Reason::UnknownCharge, 70));
        standing.note(ids[2], pending(Reason::NotBegun, 90));
        standing.note(ids[3], pending(Reason::NotBegun, 900));
        standing.note(ids[3], None);
        let metrics = standing.metrics(NOW);
        assert_eq!(metrics.pending, [1, 1, 1, 0]);
        assert_eq!(metrics.oldest_pending, Duration::from_secs(90));
        assert_eq!((metrics.unknown, metrics.oldest_unknown), (1, Duration::from_secs(70)));
    }

    #[test]
    fn each_has_its_turn_and_past_the_bound_they_are_refound_once_there_is_room() {
        let mut ids: Vec<OrderId> = (0..REMEMBERED_MAX + 1).map(|_| OrderId::new()).collect();
        let mut standing = Standing::default();
        let last = ids.pop().unwrap();
        assert!(ids.iter().all(|id| standing.note(*id, pending(Reason::NotBegun, 1))));
        assert!(!standing.note(last, pending(Reason::NotBegun, 1)));
        let (first, second) = (standing.next(30_000), standing.next(30_000));
        assert_eq!([first, second].concat(), ids);
        assert_eq!(standing.next(1), [ids[0]]);

        assert!(!standing.has_room_again());
        for id in &ids[..REMEMBERED_MAX / 2 + 1] {
            standing.note(*id, None);
        }
        assert!(standing.has_room_again() && !standing.has_room_again());
    }
}
