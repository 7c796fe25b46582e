//! Orders per second over time, with the faults behind the curves.

use super::super::evidence::{Evidence, InjectedFault};
use super::super::fault::Part;
use testkit::drawing::{block, drawing, label, stroke};
use testkit::number::shown;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 132.0;
const RIGHT: f64 = 950.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 240.0;
/// The strips below the curves, one for each part that is broken.
const STRIP: f64 = 12.0;
const STRIPS: [(Part, &str); 5] = [
    (Part::OrderManagement, "order-management"),
    (Part::Workers, "workers"),
    (Part::Broker, "RabbitMQ"),
    (Part::Database, "PostgreSQL, gateway"),
    (Part::Wires, "wires"),
];
/// Points of a curve; more could not be distinguished.
const POINTS: usize = 300;

/// Draws both curves and all faults.
pub(super) fn of(evidence: &Evidence) -> String {
    let ledger = &evidence.ledger;
    let placed: Vec<f64> = ledger.orders.iter().map(|row| row.created_at).collect();
    let settled: Vec<f64> = ledger.moves.iter().map(|moved| moved.at).collect();
    let end = placed.iter().chain(&settled).copied().fold(1.0, f64::max);
    let (placed, settled) = (rates(&placed, end), rates(&settled, end));
    let most = placed.iter().chain(&settled).copied().fold(1.0, f64::max);
    let x = |at: f64| LEFT + (RIGHT - LEFT) * (at / end).clamp(0.0, 1.0);
    let mut content = String::new();
    for injected in &evidence.faults {
        content += &fault(injected, x(injected.began), x(injected.back));
    }
    for share in [0.0, 0.5, 1.0] {
        let y = BOTTOM - (BOTTOM - TOP) * share;
        content += &stroke("grid", [LEFT, y, RIGHT, y]);
        content += &label("end faint", LEFT - 6.0, y + 4.0, &shown(most * share));
    }
    content += &curve("line1", &placed, most);
    content += &curve("line0", &settled, most);
    for (number, (_, name)) in (0_u8..).zip(STRIPS) {
        let y = BOTTOM + 8.0 + STRIP * f64::from(number);
        content += &label("end faint small", LEFT - 6.0, y + 9.0, name);
    }
    for part in 0_u8..=4 {
        let at = end * f64::from(part) / 4.0;
        let class = if part == 4 { "end faint" } else { "middle faint" };
        content += &label(class, x(at), BOTTOM + 86.0, &format!("{at:.0} s"));
    }
    drawing(WIDTH, HEIGHT, "Orders placed and orders final per second, with the faults", &content)
}

fn fault(injected: &InjectedFault, from: f64, until: f64) -> String {
    let part = injected.fault.kind.part();
    let number = STRIPS.iter().position(|(strip, _)| *strip == part).unwrap_or_default();
    let number = u8::try_from(number).unwrap_or_default();
    let width = (until - from).max(1.5);
    let y = BOTTOM + 8.0 + STRIP * f64::from(number);
    let band = block("fault", [from, TOP, width, BOTTOM - TOP]);
    let title = testkit::drawing::escaped(&injected.fault.to_string());
    let strip = block(&format!("kind{number}"), [from, y, width, STRIP - 2.0]);
    format!("<g><title>{title}</title>{band}{strip}</g>")
}

/// Events per second in each of [`POINTS`] equal parts of the time.
fn rates(events: &[f64], end: f64) -> Vec<f64> {
    let points = u16::try_from(POINTS).map_or(1.0, f64::from);
    let mut counts = vec![0.0; POINTS];
    let edges: Vec<f64> = (0_u16..).take(POINTS).map(|i| end * f64::from(i) / points).collect();
    for at in events {
        let place = edges.partition_point(|edge| edge <= at).saturating_sub(1);
        if let Some(count) = counts.get_mut(place) {
            *count += points / end;
        }
    }
    counts
}

fn curve(class: &str, rates: &[f64], most: f64) -> String {
    let points = u16::try_from(rates.len()).map_or(1.0, f64::from);
    let at = |(i, rate): (u16, &f64)| {
        let x = LEFT + (RIGHT - LEFT) * (f64::from(i) + 0.5) / points;
        format!("{x:.1},{:.1}", BOTTOM - (BOTTOM - TOP) * rate / most)
    };
    let path: Vec<String> = (0_u16..).zip(rates).map(at).collect();
    format!("<polyline class=\"curve thin {class}\" points=\"{}\"/>", path.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_events_in_each_part_of_the_time() {
        let rates = rates(&[0.0, 0.5, 99.9, 100.0], 100.0);
        assert_eq!(rates.iter().map(|rate| rate * 100.0 / 300.0).sum::<f64>().round(), 4.0);
        assert!(rates[0] > 0.0 && rates[299] > 0.0);
    }
}
