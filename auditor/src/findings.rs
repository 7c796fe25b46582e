//! What is wrong. An order that looks wrong is suspected; what is still wrong at a second look, some
//! time later, is found. So an order that moves on between two reads of one look is not reported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use domain::OrderId;
use time::OffsetDateTime;

use crate::judge::{Kind, Seen};

/// How many suspicions are kept. What finds no room is found again by a later walk.
const SUSPECTS_MAX: usize = 10_000;
/// How many findings are kept; all are looked at in every round.
const FOUND_MAX: usize = 1000;

type What = (OrderId, Kind);

/// Something that looked wrong once.
#[derive(Clone, Debug)]
struct Suspect {
    first: Instant,
    since: OffsetDateTime,
    keys: Vec<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// When it was first seen.
    pub(crate) since: OffsetDateTime,
    /// What was seen last.
    pub(crate) seen: Seen,
}

/// What a second look changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Wrong, for certain.
    pub(crate) found: Vec<Kind>,
    /// Not wrong any more.
    pub(crate) gone: Vec<Kind>,
    /// How many findings there was no room for.
    pub(crate) dropped: u64,
}

/// What a look saw of an order, and what is wrong with that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting<'a> {
    pub(crate) id: OrderId,
    pub(crate) seen: &'a Seen,
    pub(crate) kinds: &'a [Kind],
}

/// A moment by both clocks: one to measure with and one to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) instant: Instant,
    pub(crate) at: OffsetDateTime,
}

/// All that is wrong or seems so.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    suspects: BTreeMap<What, Suspect>,
    found: BTreeMap<What, Finding>,
}

impl Findings {
    /// Notes down what looks wrong. Says for how much of it there was no room.
    pub(crate) fn suspect(&mut self, sighting: &Sighting<'_>, now: Moment) -> u64 {
        let Sighting { id, seen, kinds } = *sighting;
        let mut dropped = 0;
        for kind in kinds {
            let what = (id, *kind);
            if self.found.contains_key(&what) || self.suspects.contains_key(&what) {
                continue;
            }
            if self.suspects.len() >= SUSPECTS_MAX {
                dropped += 1;
                continue;
            }
            let keys = seen.captures.iter().map(|capture| capture.key.clone()).collect();
            self.suspects.insert(what, Suspect { first: now.instant, since: now.at, keys });
        }
        dropped
    }

    /// What has to be looked at again: orders, and keys that the gateway took something under.
    pub(crate) fn due(&self, now: Moment, grace: Duration) -> (Vec<OrderId>, Vec<String>) {
        let due = |suspect: &&Suspect| now.instant.duration_since(suspect.first) >= grace;
        let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for ((id, _), suspect) in self.suspects.iter().filter(|(_, suspect)| due(suspect)) {
            ids.insert(*id);
            keys.extend(suspect.keys.iter().cloned());
        }
        for ((id, _), finding) in &self.found {
            ids.insert(*id);
            keys.extend(finding.seen.captures.iter().map(|capture| capture.key.clone()));
        }
        (ids.into_iter().collect(), keys.into_iter().collect())
    }

    /// Takes what a second look at an order saw.
    pub(crate) fn look_again(
        &mut self,
        sighting: &Sighting<'_>,
        now: Moment,
        grace: Duration,
    ) -> Change {
        let Sighting { id, seen, kinds } = *sighting;
        let mut change = Change::default();
        for kind in Kind::ALL {
            let what = (id, kind);
            let wrong = kinds.contains(&kind);
            if let Some(finding) = self.found.get_mut(&what) {
                finding.seen = seen.clone();
                if !wrong {
                    self.found.remove(&what);
                    change.gone.push(kind);
                }
                continue;
            }
            let Some(suspect) = self.suspects.get(&what) else { continue };
            if now.instant.duration_since(suspect.first) < grace {
                continue;
            }
            let since = suspect.since;
            self.suspects.remove(&what);
            if wrong && self.found.len() >= FOUND_MAX {
                change.dropped += 1;
            } else if wrong {
                self.found.insert(what, Finding { since, seen: seen.clone() });
                change.found.push(kind);
            }
        }
        change
    }

    /// Whether anything waits for its second look.
    pub(crate) fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// What is wrong, by order.
    pub(crate) fn found(&self) -> impl Iterator<Item = (OrderId, Kind, &Finding)> {
        self.found.iter().map(|((id, kind), finding)| (*id, *kind, finding))
    }

    /// How many are wrong in this way.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.found.keys().filter(|(_, found)| *found == kind).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    fn at(start: Instant, seconds: u64) -> Moment {
        let instant = start + Duration::from_secs(seconds);
        Moment { instant, at: OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    #[test]
    fn only_what_is_wrong_at_two_looks_some_time_apart_is_found_until_it_is_right_again() {
        let (start, id, seen) = (Instant::now(), OrderId::new(), Seen::default());
        let (wrong, other) = (Kind::AmountDiffers, Kind::CaptureMissing);
        let both = Sighting { id, seen: &seen, kinds: &[wrong, other] };
        let one = Sighting { kinds: &[wrong], ..both };
        let none = Sighting { kinds: &[], ..both };
        let mut findings = Findings::default();
        findings.suspect(&both, at(start, 0));
        assert_eq!(findings.due(at(start, 59), GRACE).0, []);
        assert_eq!(findings.look_again(&one, at(start, 59), GRACE), Change::default());

        assert_eq!(findings.due(at(start, 60), GRACE).0, [id]);
        let second = findings.look_again(&one, at(start, 60), GRACE);
        assert_eq!((second.found, second.gone), (vec![wrong], vec![]));
        let found: Vec<_> = findings.found().map(|(id, kind, f)| (id, kind, f.since)).collect();
        assert_eq!(found, [(id, wrong, OffsetDateTime::UNIX_EPOCH)]);
        assert!(!findings.has_suspects());

        let third = findings.look_again(&none, at(start, 70), GRACE);
        assert_eq!((third.gone, findings.count(wrong)), (vec![wrong], 0));
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (now, seen) = (at(Instant::now(), 0), Seen::default());
        let not_begun = |id| Sighting { id, seen: &seen, kinds: &[Kind::NotBegun] };
        let mut findings = Findings::default();
        let mut dropped = 0;
        for _ in 0..SUSPECTS_MAX + 5 {
            dropped += findings.suspect(&not_begun(OrderId::new()), now);
        }
        assert_eq!(dropped, 5);
        let (ids, _) = findings.due(now, Duration::ZERO);
        let mut again = |id| findings.look_again(&not_begun(id), now, Duration::ZERO).dropped;
        assert_eq!(ids.into_iter().map(&mut again).sum::<u64>(), 9000);
        assert_eq!(findings.count(Kind::NotBegun), FOUND_MAX);
    }
}
