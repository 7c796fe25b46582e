//! What is asked of Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Prometheus;

/// A rule, as Prometheus has read it.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    /// The alert's name, or that of what is recorded.
    pub name: String,
    /// Its expression.
    pub query: String,
    /// `alerting` or `recording`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether its last evaluation went well: `ok`, `err` or `unknown`.
    pub health: String,
    /// What an alert carries.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What an alert says, before values are put in.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// The names of all numbers there are, each with the names of its labels.
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

    /// Everything that is wrong as far as it knows, in words: alerts that fire or are about to,
    /// rules that it could not or did not yet evaluate, and whom it gets no numbers from.
    pub async fn wrong(&self) -> Result<Vec<String>> {
        let mut wrong = self.silent().await?;
        let unread = self.rules().await?.into_iter().filter(|rule| rule.health != "ok");
        wrong.extend(unread.map(|rule| format!("{} is {}", rule.name, rule.health)));
        let found: Alerts = self.get("alerts").await?;
        wrong
            .extend(found.alerts.iter().map(|alert| format!("{} {:?}", alert.state, alert.labels)));
        Ok(wrong)
    }

    /// Whom it does not get numbers from, and why.
    pub async fn silent(&self) -> Result<Vec<String>> {
        let found: Targets = self.get("targets?state=active").await?;
        if found.active.is_empty() {
            return Ok(vec!["it knows nobody to ask yet".to_owned()]);
        }
        let silent = found.active.into_iter().filter(|target| target.health != "up");
        Ok(silent.map(|t| format!("{:?}: {} {}", t.labels, t.health, t.error)).collect())
    }

    /// Everything it has numbers of.
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

    /// Whether it has any number that a selector such as `up{job="auditor"}` chooses.
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
