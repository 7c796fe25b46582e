//! The report for a terminal.

use super::super::figure::{Figure, Table, Target};
use super::super::results::Results;
use testkit::number::shown;

/// Width of the names.
const NAME: usize = 58;

pub(super) fn of(results: &Results) -> String {
    let mut text = String::new();
    for chapter in results.chapters() {
        text += &format!("\n{chapter:<NAME$}    median   {:<17} target\n", "spread");
        let of_chapter = |figure: &&Figure| figure.chapter == chapter;
        text += &results.findings.figures.iter().filter(of_chapter).map(line).collect::<String>();
    }
    text += &results.findings.tables.iter().map(table).collect::<String>();
    text += "\n";
    for (name, fact) in &results.facts.0 {
        text += &format!("{name:<20} {fact}\n");
    }
    let ((met, all), minutes) = (results.score(), shown(results.minutes));
    text += &format!("\n{met} of {all} targets met; took {minutes} minutes\n");
    text
}

fn line(figure: &Figure) -> String {
    let Figure { name, unit, .. } = figure;
    let name = if unit.is_empty() { name.clone() } else { format!("{name}, {unit}") };
    let spread = format!("{} – {}", shown(figure.min), shown(figure.max));
    let verdict = figure.target.zip(figure.met).map(|(target, met)| {
        format!("{:<8} {}", wanted(target), if met { "met" } else { "NOT MET" })
    });
    let row = format!(
        "  {name:<NAME$}{:>8}   {spread:<17} {}",
        shown(figure.median),
        verdict.unwrap_or_default()
    );
    row.trim_end().to_owned() + "\n"
}

/// A target, such as `≥ 1.00`.
pub(super) fn wanted(target: Target) -> String {
    match target {
        Target::AtLeast(bound) => format!("≥ {}", shown(bound)),
        Target::AtMost(bound) => format!("≤ {}", shown(bound)),
    }
}

fn table(table: &Table) -> String {
    let mut text = format!("\n{}\n", table.title);
    for row in std::iter::once(&table.columns).chain(&table.rows) {
        for (place, cell) in row.iter().enumerate() {
            text += &if place == 0 { format!("  {cell:<20}") } else { format!("{cell:>22}") };
        }
        text += "\n";
    }
    text + &format!("  {}\n", table.note)
}
