//! Times at the steady rate, as figures and as curves.

use std::time::Duration;

use anyhow::Result;

use super::super::figure::{Curve, Figure, Findings, Target};
use super::super::load::open::{OpenLoopTimes, Times};
use super::round::Round;
use testkit::number::ms;

pub(super) const CHAPTER: &str = "At 200 orders a second";
/// Percentiles of a curve's points.
const PERCENTILES: [f64; 13] =
    [1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.99];

/// The findings of all rounds; empty if no round measured the latency.
pub(super) fn of(rounds: &[Round]) -> Result<Findings> {
    let all: Vec<&OpenLoopTimes> =
        rounds.iter().filter_map(|round| round.latency.as_ref()).collect();
    let figure = |name: &str, at: &dyn Fn(&OpenLoopTimes) -> f64, most: Option<f64>| {
        let figure = Figure::of(CHAPTER, name, "ms", all.iter().map(|open| at(open)))?;
        Some(match most {
            Some(most) => figure.with(Target::AtMost(most)),
            None => figure,
        })
    };
    let figures = [
        figure("POST → final, p50", &|open| at(&open.settled, 50.0), Some(4.0)),
        figure("POST → final, p99", &|open| at(&open.settled, 99.0), Some(12.0)),
        figure("POST answered, p50", &|open| at(&open.answered, 50.0), None),
        figure("POST answered, p99", &|open| at(&open.answered, 99.0), Some(6.0)),
    ];
    let mut sum = OpenLoopTimes::empty()?;
    for open in &all {
        sum.add(open)?;
    }
    let mut curves = vec![curve("POST answered", &sum.answered)];
    curves.push(curve("POST → final", &sum.settled));
    curves.retain(|curve| curve.count > 0);
    Ok(Findings { figures: figures.into_iter().flatten().collect(), curves, ..Findings::default() })
}

fn curve(name: &'static str, times: &Times) -> Curve {
    let points = PERCENTILES.map(|percentile| (percentile, at(times, percentile)));
    Curve { name, count: times.len(), points: points.into() }
}

fn at(times: &Times, percentile: f64) -> f64 {
    ms(Duration::from_micros(times.value_at_quantile(percentile / 100.0)))
}
