//! Times until orders became final again, by kind of fault.

use std::collections::BTreeMap;

use serde::Serialize;

use super::evidence::{Evidence, InjectedFault};
use super::fault::Kind;
use testkit::number::median;

/// Time after a fault in which a standstill counts as its effect.
const AFTER_SECONDS: f64 = 5.0;

/// Times after one kind of fault, in seconds. Only faults without an overlapping fault count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Recovery {
    /// Number of faults.
    pub(super) times: usize,
    /// From the end of the fault to the next order that became final.
    pub(super) first_settle: Spread,
    /// The longest time in which no order became final.
    pub(super) standstill: Spread,
    /// From the begin of the fault until the last payment that was in progress then was recorded.
    pub(super) in_work: Spread,
}

/// Median and maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Spread {
    /// The median.
    pub(super) median: f64,
    /// The maximum.
    pub(super) worst: f64,
}

/// A fault and the begin of the next one.
#[derive(Clone, Copy)]
struct Window<'a> {
    injected: &'a InjectedFault,
    next: f64,
}

impl Spread {
    fn new(values: impl Iterator<Item = f64>) -> Spread {
        let values: Vec<f64> = values.collect();
        let worst = values.iter().copied().fold(0.0, f64::max);
        Spread { median: median(&values), worst }
    }
}

/// The times by kind of fault.
pub(super) fn by_kind(evidence: &Evidence) -> BTreeMap<Kind, Recovery> {
    let mut settled: Vec<f64> = evidence.ledger.moves.iter().map(|moved| moved.at).collect();
    settled.sort_by(f64::total_cmp);
    let mut faults: BTreeMap<Kind, Vec<Window<'_>>> = BTreeMap::new();
    for (number, injected) in
        evidence.faults.iter().enumerate().filter(|(_, injected)| injected.alone)
    {
        // Events after the next fault are not an effect of this one.
        let next = evidence.faults.get(number + 1).map_or(f64::INFINITY, |next| next.began);
        if next >= injected.back {
            faults.entry(injected.fault.kind).or_default().push(Window { injected, next });
        }
    }
    let recovery = |faults: &[Window<'_>]| Recovery {
        times: faults.len(),
        first_settle: Spread::new(
            faults.iter().filter_map(|window| first_after(&settled, window.injected.back)),
        ),
        standstill: Spread::new(faults.iter().map(|window| longest_gap(&settled, window))),
        in_work: Spread::new(faults.iter().map(|window| in_work(evidence, window.injected))),
    };
    faults.into_iter().map(|(kind, faults)| (kind, recovery(&faults))).collect()
}

fn first_after(settled: &[f64], back: f64) -> Option<f64> {
    let next = settled.partition_point(|at| *at < back);
    settled.get(next).map(|at| at - back)
}

fn longest_gap(settled: &[f64], window: &Window<'_>) -> f64 {
    let Window { injected, next } = *window;
    let from = settled.partition_point(|at| *at < injected.began).saturating_sub(1);
    let until = settled.partition_point(|at| *at < next.min(injected.back + AFTER_SECONDS));
    let around = settled.get(from..(until + 1).min(settled.len())).unwrap_or_default();
    let gaps = around.iter().zip(around.iter().skip(1)).map(|(a, b)| b.min(next) - a);
    gaps.fold(0.0, f64::max)
}

/// Time until the last payment that was started in the second before the fault was recorded. Cards
/// that the gateway answers late or never are left out, because their time does not depend on the
/// fault.
fn in_work(evidence: &Evidence, injected: &InjectedFault) -> f64 {
    let silent: std::collections::HashSet<_> = evidence
        .history
        .placements
        .iter()
        .filter(|placement| placement.card.is_slow())
        .filter_map(super::history::Placement::accepted)
        .collect();
    let during = evidence.ledger.payments.iter().filter(|payment| {
        let fresh = (injected.began - 1.0..injected.began).contains(&payment.started_at);
        fresh && !silent.contains(&payment.order_id)
    });
    let ended = during.filter_map(|payment| payment.finished_at);
    ended.map(|at| at - injected.began).fold(0.0, f64::max)
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
        let injected = InjectedFault { fault, began: 2.05, back: 4.0, alone: true };
        let window = Window { injected: &injected, next: f64::INFINITY };
        assert!((longest_gap(&settled, &window) - 23.9).abs() < 1e-9);
    }
}
