//! Findings. A violation becomes a suspicion at the first look, and a finding if it is still there
//! at a second look, some time later. An order that moves on between the two reads of one look is
//! thus not reported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use domain::OrderId;
use time::OffsetDateTime;

use crate::records::OrderRecords;
use crate::violation::ViolationKind;

/// Largest number of suspicions. A later walk finds a violation that has no room again.
const SUSPECTS_MAX: usize = 10_000;
/// Largest number of findings. Every round checks all of them.
const FOUND_MAX: usize = 1000;

type Violation = (OrderId, ViolationKind);

/// A violation that was seen once.
#[derive(Clone, Debug)]
struct Suspect {
    first_seen: Instant,
    since: OffsetDateTime,
    keys: Vec<String>,
}

/// A violation that was seen twice.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// Time of the first look.
    pub(crate) since: OffsetDateTime,
    /// The records of the last look.
    pub(crate) records: OrderRecords,
}

/// The changes of a second look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// New findings.
    pub(crate) found: Vec<ViolationKind>,
    /// Findings that are gone.
    pub(crate) gone: Vec<ViolationKind>,
    /// Number of findings that had no room.
    pub(crate) dropped: u64,
}

/// The records of an order at one look, and their violations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assessment<'a> {
    pub(crate) id: OrderId,
    pub(crate) records: &'a OrderRecords,
    pub(crate) violations: &'a [ViolationKind],
}

/// A moment by two clocks: this process's to measure with, the database's to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) instant: Instant,
    pub(crate) at: OffsetDateTime,
}

/// All suspicions and findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    suspects: BTreeMap<Violation, Suspect>,
    found: BTreeMap<Violation, Finding>,
}

impl Findings {
    /// Stores the violations of an order as suspicions. Returns the number of those that had no
    /// room.
    pub(crate) fn suspect(&mut self, assessment: &Assessment<'_>, now: Moment) -> u64 {
        let Assessment { id, records, violations } = *assessment;
        let mut dropped = 0;
        for kind in violations {
            let what = (id, *kind);
            if self.found.contains_key(&what) || self.suspects.contains_key(&what) {
                continue;
            }
            if self.suspects.len() >= SUSPECTS_MAX {
                dropped += 1;
                continue;
            }
            let keys = records.captures.iter().map(|capture| capture.key.clone()).collect();
            self.suspects.insert(what, Suspect { first_seen: now.instant, since: now.at, keys });
        }
        dropped
    }

    /// Returns the orders to check again, and the keys of their captures.
    pub(crate) fn due(&self, now: Moment, grace: Duration) -> (Vec<OrderId>, Vec<String>) {
        let due = |suspect: &&Suspect| now.instant.duration_since(suspect.first_seen) >= grace;
        let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for ((id, _), suspect) in self.suspects.iter().filter(|(_, suspect)| due(suspect)) {
            ids.insert(*id);
            keys.extend(suspect.keys.iter().cloned());
        }
        for ((id, _), finding) in &self.found {
            ids.insert(*id);
            keys.extend(finding.records.captures.iter().map(|capture| capture.key.clone()));
        }
        (ids.into_iter().collect(), keys.into_iter().collect())
    }

    /// Applies a second look at an order.
    pub(crate) fn recheck(
        &mut self,
        assessment: &Assessment<'_>,
        now: Moment,
        grace: Duration,
    ) -> Change {
        let Assessment { id, records, violations } = *assessment;
        let mut change = Change::default();
        for kind in ViolationKind::ALL {
            let what = (id, kind);
            let wrong = violations.contains(&kind);
            if let Some(finding) = self.found.get_mut(&what) {
                finding.records = records.clone();
                if !wrong {
                    self.found.remove(&what);
                    change.gone.push(kind);
                }
                continue;
            }
            let Some(suspect) = self.suspects.get(&what) else { continue };
            if now.instant.duration_since(suspect.first_seen) < grace {
                continue;
            }
            let since = suspect.since;
            self.suspects.remove(&what);
            if wrong && self.found.len() >= FOUND_MAX {
                change.dropped += 1;
            } else if wrong {
                self.found.insert(what, Finding { since, records: records.clone() });
                change.found.push(kind);
            }
        }
        change
    }

    /// Returns `true` if a suspicion waits for its second look.
    pub(crate) fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// All findings, by order.
    pub(crate) fn found(&self) -> impl Iterator<Item = (OrderId, ViolationKind, &Finding)> {
        self.found.iter().map(|((id, kind), finding)| (*id, *kind, finding))
    }

    /// Number of findings of one kind.
    pub(crate) fn count(&self, kind: ViolationKind) -> usize {
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
    fn a_violation_at_two_looks_some_time_apart_is_a_finding_until_it_is_gone() {
        let (start, id, records) = (Instant::now(), OrderId::new(), OrderRecords::default());
        let (wrong, other) = (ViolationKind::AmountDiffers, ViolationKind::CaptureMissing);
        let both = Assessment { id, records: &records, violations: &[wrong, other] };
        let one = Assessment { violations: &[wrong], ..both };
        let none = Assessment { violations: &[], ..both };
        let mut findings = Findings::default();
        findings.suspect(&both, at(start, 0));
        assert_eq!(findings.due(at(start, 59), GRACE).0, []);
        assert_eq!(findings.recheck(&one, at(start, 59), GRACE), Change::default());

        assert_eq!(findings.due(at(start, 60), GRACE).0, [id]);
        let second = findings.recheck(&one, at(start, 60), GRACE);
        assert_eq!((second.found, second.gone), (vec![wrong], vec![]));
        let found: Vec<_> = findings.found().map(|(id, kind, f)| (id, kind, f.since)).collect();
        assert_eq!(found, [(id, wrong, OffsetDateTime::UNIX_EPOCH)]);
        assert!(!findings.has_suspects());

        let third = findings.recheck(&none, at(start, 70), GRACE);
        assert_eq!((third.gone, findings.count(wrong)), (vec![wrong], 0));
    }

    #[test]
    fn violations_without_room_are_counted() {
        let (now, records) = (at(Instant::now(), 0), OrderRecords::default());
        let not_begun =
            |id| Assessment { id, records: &records, violations: &[ViolationKind::NotBegun] };
        let mut findings = Findings::default();
        let mut dropped = 0;
        for _ in 0..SUSPECTS_MAX + 5 {
            dropped += findings.suspect(&not_begun(OrderId::new()), now);
        }
        assert_eq!(dropped, 5);
        let (ids, _) = findings.due(now, Duration::ZERO);
        let mut again = |id| findings.recheck(&not_begun(id), now, Duration::ZERO).dropped;
        assert_eq!(ids.into_iter().map(&mut again).sum::<u64>(), 9000);
        assert_eq!(findings.count(ViolationKind::NotBegun), FOUND_MAX);
    }
}
