//! docs/metrics.md as text.

use super::blocks::Label;
use super::declared::Metric;

const HEAD: &str = "\
# Metrics

Every metric of every process, in alphabetical order. Names, labels with values that a program decides, and the
cost of counting are explained in [telemetry.md](telemetry.md#metrics).

The page is made from the declarations: each metric is a line of a `metrics!` block, and its doc comment is the
help text that Prometheus shows. `UPDATE=1 cargo test -p tidy metrics` writes the page anew, and
`cargo test -p tidy` fails if the page differs.

| name | type | labels | help | declared in |
|---|---|---|---|---|
";

pub(super) fn page(metrics: &[Metric]) -> String {
    let rows = metrics.iter().map(|metric| row(metric) + "\n");
    HEAD.to_owned() + &rows.collect::<String>()
}

pub(super) fn row(metric: &Metric) -> String {
    let Metric { name, kind, krate, path, .. } = metric;
    let labels: Vec<String> = metric.labels.iter().map(label).collect();
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join("; ") };
    let help = metric.help.replace('|', "\\|");
    format!("| `{name}` | {kind} | {labels} | {help} | [{krate}](../{path}) |")
}

fn label(label: &Label) -> String {
    let Label { name, help, values } = label;
    let values: Vec<String> = values.iter().map(|(value, help)| described(value, help)).collect();
    let values = values.join(", ");
    match (help.is_empty(), values.is_empty()) {
        (true, true) => format!("`{name}`"),
        (false, true) => format!("`{name}`: {}", lower(help.trim_end_matches('.'))),
        _ => format!("`{name}`: {values}"),
    }
}

/// A value with its doc comment, unless that only repeats the value.
fn described(value: &str, help: &str) -> String {
    let help = lower(help.trim_end_matches('.'));
    let repeats = help.trim_matches('`').to_lowercase() == value;
    if help.is_empty() || repeats { format!("`{value}`") } else { format!("`{value}` ({help})") }
}

/// `text` with a small letter at its beginning, unless it begins with a name such as RabbitMQ.
fn lower(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    let word = rest.split(' ').next().unwrap_or_default();
    if word.chars().any(char::is_uppercase) { text.to_owned() } else { first.to_lowercase() + rest }
}
