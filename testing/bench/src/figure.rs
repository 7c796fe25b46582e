//! What a benchmark finds: figures against their targets, and what explains them.

use serde::Serialize;

use testkit::number::median;

/// What a figure should come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Target {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl Target {
    /// The bound itself.
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
    /// Which chapter of the report it stands in.
    pub(super) chapter: &'static str,
    /// What it is.
    pub(super) name: String,
    /// What it is counted in; empty for a ratio.
    pub(super) unit: &'static str,
    /// Each round's value, in the order they were measured.
    pub(super) values: Vec<f64>,
    /// The middle one.
    pub(super) median: f64,
    /// The smallest.
    pub(super) min: f64,
    /// The largest.
    pub(super) max: f64,
    /// What it should come to, if anybody said so.
    pub(super) target: Option<Target>,
    /// Whether the median does.
    pub(super) met: Option<bool>,
}

impl Figure {
    /// A figure without a target; nothing if there is no value of it.
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

    /// The same with what it should come to.
    pub(super) fn with(self, target: Target) -> Figure {
        Figure { target: Some(target), met: Some(target.met_by(self.median)), ..self }
    }
}

/// Names and numbers that belong together.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    /// What it shows.
    pub(super) title: String,
    /// The heads of its columns, the names' first.
    pub(super) columns: Vec<String>,
    /// Its rows: a name, then a text for each further column.
    pub(super) rows: Vec<Vec<String>>,
    /// What has to be known to read it.
    pub(super) note: String,
}

/// Seconds of CPU by who spent them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shares {
    /// In which measurement.
    pub(super) name: String,
    /// Who, and seconds for each 1000 settled orders.
    pub(super) parts: Vec<(&'static str, f64)>,
}

/// A distribution of times by percentile.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Curve {
    /// Times of what.
    pub(super) name: &'static str,
    /// How many were recorded.
    pub(super) count: u64,
    /// Percentiles (0 to 100) with milliseconds, ascending.
    pub(super) points: Vec<(f64, f64)>,
}

/// Everything that a part of the benchmark found.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Findings {
    pub(super) figures: Vec<Figure>,
    pub(super) tables: Vec<Table>,
    pub(super) shares: Vec<Shares>,
    pub(super) curves: Vec<Curve>,
}

impl Findings {
    /// Adds what another part found.
    pub(super) fn add(&mut self, other: Findings) {
        self.figures.extend(other.figures);
        self.tables.extend(other.tables);
        self.shares.extend(other.shares);
        self.curves.extend(other.curves);
    }
}
