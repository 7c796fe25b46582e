//! Bars: figures relative to their targets, and rates side by side.

use super::super::figure::{Figure, Target};
use super::screen::wanted;
use testkit::drawing::{block, drawing, label, spread, stroke};
use testkit::number::shown;

const WIDTH: f64 = 960.0;
const ROW: f64 = 30.0;
const BAR: f64 = 16.0;
/// Position and longest length of the bars.
const LEFT: f64 = 390.0;
const LENGTH: f64 = 330.0;
/// Largest ratio to the target that a bar shows.
const RATIO_MAX: f64 = 2.0;

/// A bar for each figure with a target, as a share of the target, which is the line in the middle.
/// If more is better the bar should cross the line, if less is better it should not reach it.
pub(super) fn against_targets(figures: &[Figure]) -> String {
    let with_target: Vec<(&Figure, Target)> =
        figures.iter().filter_map(|figure| Some((figure, figure.target?))).collect();
    let (mut content, mut y) = (String::new(), 24.0);
    let line = LEFT + LENGTH / RATIO_MAX;
    for (figure, target) in &with_target {
        let x = |value: f64| LEFT + LENGTH * (value / target.bound()).min(RATIO_MAX) / RATIO_MAX;
        let class = if figure.met == Some(true) { "met" } else { "missed" };
        let middle = y + BAR / 2.0;
        content += &label("end", LEFT - 12.0, y + 13.0, &figure.name);
        content += &block(class, [LEFT, y, x(figure.median) - LEFT, BAR]);
        content += &spread(x(figure.min), x(figure.max), middle);
        let verdict = if figure.met == Some(true) { "met" } else { "not met" };
        let text = format!("{} {}", shown(figure.median), figure.unit);
        let text = format!("{}  ({}), {verdict}", text.trim(), wanted(*target));
        content += &label("start", LEFT + LENGTH + 14.0, y + 13.0, &text);
        y += ROW;
    }
    content += &stroke("target", [line, 18.0, line, y]);
    content += &label("middle faint", line, 12.0, "target");
    drawing(WIDTH, y + 6.0, "Figures in shares of their targets", &content)
}

/// A bar for each figure, on a common scale.
pub(super) fn side_by_side(figures: &[&Figure], about: &str) -> String {
    let most = figures.iter().map(|figure| figure.max).fold(1.0, f64::max);
    let (mut content, mut y) = (String::new(), 8.0);
    for figure in figures {
        let x = |value: f64| LEFT + LENGTH * value / most;
        let class = if figure.name.starts_with(['S', 'B']) { "baseline" } else { "plain" };
        content += &label("end", LEFT - 12.0, y + 13.0, &figure.name);
        content += &block(class, [LEFT, y, x(figure.median) - LEFT, BAR]);
        content += &spread(x(figure.min), x(figure.max), y + BAR / 2.0);
        let text = format!("{} {}", shown(figure.median), figure.unit);
        content += &label("start", LEFT + LENGTH + 14.0, y + 13.0, &text);
        y += ROW;
    }
    drawing(WIDTH, y, about, &content)
}
