//! Times by percentile. Both axes are logarithmic; each step to the right is ten times rarer.

use super::super::figure::Curve;
use testkit::drawing::{drawing, label, stroke};
use testkit::number::{float, shown};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 800.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 320.0;
/// Decades of the horizontal axis: one in ten thousand is the rarest point.
const DECADES: f64 = 4.0;
const PERCENTS: [f64; 6] = [50.0, 90.0, 99.0, 99.9, 99.99, 0.0];
const MILLISECONDS: [f64; 13] =
    [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Range of the vertical axis, in milliseconds.
#[derive(Clone, Copy)]
struct Span {
    least: f64,
    most: f64,
}

impl Span {
    fn of(curves: &[Curve]) -> Span {
        let times = || curves.iter().flat_map(seen).map(|(_, ms)| ms);
        let (least, most) = (times().fold(f64::MAX, f64::min), times().fold(0.0, f64::max));
        let below = MILLISECONDS.iter().copied().filter(|ms| *ms <= least).fold(0.1, f64::max);
        let above = MILLISECONDS.iter().copied().filter(|ms| *ms >= most).fold(f64::MAX, f64::min);
        Span { least: below, most: above.min(most.max(below * 2.0) * 2.0) }
    }

    fn y(self, ms: f64) -> f64 {
        let share = (ms / self.least).log10() / (self.most / self.least).log10();
        BOTTOM - (BOTTOM - TOP) * share
    }
}

/// The points that at least one order reaches.
fn seen(curve: &Curve) -> impl Iterator<Item = (f64, f64)> {
    let rarest = 100.0 / float(curve.count.max(1));
    curve.points.iter().copied().filter(move |(percent, _)| 100.0 - percent >= rarest)
}

fn x(percent: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * (100.0 / (100.0 - percent)).log10().min(DECADES) / DECADES
}

/// Draws all curves.
pub(super) fn of(curves: &[Curve]) -> String {
    let span = Span::of(curves);
    let mut content = axes(span);
    for (number, curve) in curves.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            seen(curve).map(|(percent, ms)| (x(percent), span.y(ms))).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        content +=
            &format!("<polyline class=\"curve line{number}\" points=\"{}\"/>", path.join(" "));
        if let Some((x, y)) = points.last() {
            content += &label(&format!("start text{number}"), x + 8.0, y + 4.0, curve.name);
        }
    }
    drawing(WIDTH, HEIGHT, "Times by percentile, in milliseconds", &content)
}

fn axes(span: Span) -> String {
    let mut content = String::new();
    for percent in PERCENTS {
        content += &stroke("grid", [x(percent), TOP, x(percent), BOTTOM]);
        let text = if percent > 0.0 { format!("{percent} %") } else { "0".to_owned() };
        content += &label("middle faint", x(percent), BOTTOM + 20.0, &text);
    }
    for ms in MILLISECONDS.into_iter().filter(|ms| (span.least..=span.most).contains(ms)) {
        content += &stroke("grid", [LEFT, span.y(ms), RIGHT, span.y(ms)]);
        let text = if ms < 1.0 { shown(ms) } else { format!("{ms:.0}") };
        content += &label("end faint", LEFT - 8.0, span.y(ms) + 4.0, &text);
    }
    content += &label("start faint", 4.0, TOP - 6.0, "ms");
    content
}
