//! How long it took to go on after each kind of fault.

use std::collections::BTreeMap;

use serde::Serialize;

use super::evidence::{Evidence, Mark};
use super::fault::Kind;
use testkit::number::median;

/// How long after a fault its effects are looked for.
const AFTER_SECONDS: f64 = 5.0;

/// Times after one kind of fault, in seconds. Only faults that no other one overlapped with count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Recovery {
    /// How many.
    pub(super) times: usize,
    /// From the moment it was whole again to the next order that became final.
    pub(super) first_settle: Spread,
    /// The longest time in which no order became final.
    pub(super) standstill: Spread,
    /// The oldest charge that was in work when it began: until its payment was recorded.
    pub(super) in_work: Spread,
}

/// The middle and the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Spread {
    /// The middle one.
    pub(super) median: f64,
    /// The worst one.
    pub(super) worst: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Spread {
        let values: Vec<f64> = values.collect();
        let worst = values.iter().copied().fold(0.0, f64::max);
        Spread { median: median(&values), worst }
    }
}

/// By kind of fault.
pub(super) fn by_kind(evidence: &Evidence) -> BTreeMap<Kind, Recovery> {
    let mut settled: Vec<f64> = evidence.books.moves.iter().map(|moved| moved.at).collect();
    settled.sort_by(f64::total_cmp);
    let mut marks: BTreeMap<Kind, Vec<(&Mark, f64)>> = BTreeMap::new();
    for (number, mark) in evidence.marks.iter().enumerate().filter(|(_, mark)| mark.alone) {
        // What happens after the next fault is not this one's doing.
        let next = evidence.marks.get(number + 1).map_or(f64::INFINITY, |next| next.began);
        if next >= mark.back {
            marks.entry(mark.fault.kind).or_default().push((mark, next));
        }
    }
    let recovery = |marks: &[(&Mark, f64)]| Recovery {
        times: marks.len(),
        first_settle: Spread::of(marks.iter().filter_map(|m| first_after(&settled, m.0.back))),
        standstill: Spread::of(marks.iter().map(|m| longest_gap(&settled, *m))),
        in_work: Spread::of(marks.iter().map(|m| in_work(evidence, m.0))),
    };
    marks.into_iter().map(|(kind, marks)| (kind, recovery(&marks))).collect()
}

fn first_after(settled: &[f64], back: f64) -> Option<f64> {
    let next = settled.partition_point(|at| *at < back);
    settled.get(next).map(|at| at - back)
}

fn longest_gap(settled: &[f64], (mark, next): (&Mark, f64)) -> f64 {
    let from = settled.partition_point(|at| *at < mark.began).saturating_sub(1);
    let until = settled.partition_point(|at| *at < next.min(mark.back + AFTER_SECONDS));
    let around = settled.get(from..(until + 1).min(settled.len())).unwrap_or_default();
    let gaps = around.iter().zip(around.iter().skip(1)).map(|(a, b)| b.min(next) - a);
    gaps.fold(0.0, f64::max)
}

/// Payments that were started in the second before the fault and not finished when it began. Those
/// that the gateway does not answer take as long as they take, fault or not.
fn in_work(evidence: &Evidence, mark: &Mark) -> f64 {
    let silent: std::collections::HashSet<_> = evidence
        .history
        .placings
        .iter()
        .filter(|placing| placing.card.is_slow())
        .filter_map(super::history::Placing::accepted)
        .collect();
    let during = evidence.books.payments.iter().filter(|payment| {
        let fresh = (mark.began - 1.0..mark.began).contains(&payment.started_at);
        fresh && !silent.contains(&payment.order_id)
    });
    let ended = during.filter_map(|payment| payment.finished_at);
    ended.map(|at| at - mark.began).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_first_settles_are_those_around_the_fault() {
        let settled = [1.0, 2.0, 2.1, 6.0, 6.1, 30.0];
        assert_eq!(first_after(&settled, 3.0), Some(3.0));
        assert_eq!(first_after(&settled, 31.0), None);
        let fault = super::super::fault::tests::fault(Kind::KillBroker);
        let mark = Mark { fault, began: 2.05, back: 4.0, alone: true };
        assert!((longest_gap(&settled, (&mark, f64::INFINITY)) - 23.9).abs() < 1e-9);
    }
}
