//! The findings of the benchmark: figures with their targets, and tables and curves that explain
//! them.

use serde::Serialize;

use testkit::number::median;

/// The target of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Target {
    /// At least this value.
    AtLeast(f64),
    /// At most this value.
    AtMost(f64),
}

impl Target {
    /// The value.
    pub(super) fn bound(self) -> f64 {
        match self {
            Target::AtLeast(bound) | Target::AtMost(bound) => bound,
        }
    }

    fn met_by(self, value: f64) -> bool {
        match self {
            Target::AtLeast(bound) => value >= bound,
            Target::AtMost(bound) => value <= bound,
        }
    }
}

/// One figure over all rounds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figure {
    /// Chapter of the report.
    pub(super) chapter: &'static str,
    /// Name of the figure.
    pub(super) name: String,
    /// Unit; empty for a ratio.
    pub(super) unit: &'static str,
    /// The rounds' values, in order.
    pub(super) values: Vec<f64>,
    /// The median.
    pub(super) median: f64,
    /// The minimum.
    pub(super) min: f64,
    /// The maximum.
    pub(super) max: f64,
    /// The target, if the figure has one.
    pub(super) target: Option<Target>,
    /// True if the median meets the target.
    pub(super) met: Option<bool>,
}

impl Figure {
    /// A figure without a target; `None` if there is no value.
    pub(super) fn of(
        chapter: &'static str,
        name: impl Into<String>,
        unit: &'static str,
        values: impl IntoIterator<Item = f64>,
    ) -> Option<Figure> {
        let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        let min = values.iter().copied().reduce(f64::min)?;
        let max = values.iter().copied().reduce(f64::max)?;
        let median = median(&values);
        let name = name.into();
        Some(Figure { chapter, name, unit, values, median, min, max, target: None, met: None })
    }

    /// The same figure with a target.
    pub(super) fn with(self, target: Target) -> Figure {
        Figure { target: Some(target), met: Some(target.met_by(self.median)), ..self }
    }
}

/// A table of the report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    /// Title.
    pub(super) title: String,
    /// Column heads; the first is the head of the names.
    pub(super) columns: Vec<String>,
    /// Rows: a name, then a text for each further column.
    pub(super) rows: Vec<Vec<String>>,
    /// Explanation below the table.
    pub(super) note: String,
}

/// CPU seconds by kind of process.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shares {
    /// Name of the measurement.
    pub(super) name: String,
    /// Kinds of processes, each with its seconds per 1000 settled orders.
    pub(super) parts: Vec<(&'static str, f64)>,
}

/// A distribution of times by percentile.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Curve {
    /// Name of the measured time.
    pub(super) name: &'static str,
    /// Number of recorded times.
    pub(super) count: u64,
    /// Percentiles (0 to 100) with milliseconds, ascending.
    pub(super) points: Vec<(f64, f64)>,
}

/// The findings of a part of the benchmark.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Findings {
    pub(super) figures: Vec<Figure>,
    pub(super) tables: Vec<Table>,
    pub(super) shares: Vec<Shares>,
    pub(super) curves: Vec<Curve>,
}

impl Findings {
    /// Adds the findings of another part.
    pub(super) fn add(&mut self, other: Findings) {
        self.figures.extend(other.figures);
        self.tables.extend(other.tables);
        self.shares.extend(other.shares);
        self.curves.extend(other.curves);
    }
}
