//! Queries to Prometheus's HTTP API.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::prometheus::Prometheus;

/// A rule, as Prometheus has parsed it.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    /// The name of the alert or of the recorded series.
    pub name: String,
    /// Its expression.
    pub query: String,
    /// `alerting` or `recording`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Result of the last evaluation: `ok`, `err` or `unknown`.
    pub health: String,
    /// Labels of the alert.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the alert, before values are inserted.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// The names of all series, each with the names of its labels.
pub type Series = BTreeMap<String, BTreeSet<String>>;

#[derive(Debug, Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Debug, Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
struct Alert {
    labels: BTreeMap<String, String>,
    state: String,
}

#[derive(Debug, Deserialize)]
struct Targets {
    #[serde(rename = "activeTargets")]
    active: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    health: String,
    labels: BTreeMap<String, String>,
    #[serde(rename = "lastError")]
    error: String,
}

impl Prometheus {
    /// All rules, in the order of their files.
    pub async fn rules(&self) -> Result<Vec<Rule>> {
        let found: Groups = self.get("rules").await?;
        Ok(found.groups.into_iter().flat_map(|group| group.rules).collect())
    }

    /// Descriptions of all problems: alerts that are firing or pending, rules whose evaluation
    /// failed or is outstanding, and targets without samples.
    pub async fn wrong(&self) -> Result<Vec<String>> {
        let mut wrong = self.silent().await?;
        let unread = self.rules().await?.into_iter().filter(|rule| rule.health != "ok");
        wrong.extend(unread.map(|rule| format!("{} is {}", rule.name, rule.health)));
        let found: Alerts = self.get("alerts").await?;
        wrong
            .extend(found.alerts.iter().map(|alert| format!("{} {:?}", alert.state, alert.labels)));
        Ok(wrong)
    }

    /// The targets that are not scraped successfully, with the errors.
    pub async fn silent(&self) -> Result<Vec<String>> {
        let found: Targets = self.get("targets?state=active").await?;
        if found.active.is_empty() {
            return Ok(vec!["Prometheus has no targets yet".to_owned()]);
        }
        let silent = found.active.into_iter().filter(|target| target.health != "up");
        Ok(silent.map(|t| format!("{:?}: {} {}", t.labels, t.health, t.error)).collect())
    }

    /// All series.
    pub async fn series(&self) -> Result<Series> {
        let found: Vec<BTreeMap<String, String>> =
            self.get("series?match[]={__name__!=\"\"}").await?;
        let mut series = Series::new();
        for mut labels in found {
            let name = labels.remove("__name__").context("a series without a name")?;
            series.entry(name).or_default().extend(labels.into_keys());
        }
        Ok(series)
    }

    /// True if a selector such as `up{job="auditor"}` matches a series.
    pub async fn has(&self, selector: &str) -> Result<bool> {
        let asked = reqwest::Url::parse_with_params("http://any/series", [("match[]", selector)])?;
        let found: Vec<BTreeMap<String, String>> =
            self.get(&format!("series?{}", asked.query().unwrap_or_default())).await?;
        Ok(!found.is_empty())
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        ask(&self.http, &format!("http://127.0.0.1:{}/api/v1/{path}", self.port)).await
    }
}

async fn ask<T: DeserializeOwned>(http: &Client, url: &str) -> Result<T> {
    let answer: Answer<T> = http.get(url).send().await?.error_for_status()?.json().await?;
    Ok(answer.data)
}
