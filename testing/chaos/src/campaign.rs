//! One campaign with its verdict.

use anyhow::Result;

use super::checker::{self, Verdict};
use super::plan::Plan;
use super::run::{self, CampaignRun};

/// A campaign and its verdict. `report` renders it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan that was run.
    pub plan: Plan,
    /// The checker's verdict.
    pub verdict: Verdict,
    /// The schedule, the evidence and the logs.
    pub(super) ran: CampaignRun,
}

/// Runs one campaign from the first order to the verdict.
///
/// # Errors
/// If a component can't be started, healed or read. A broken promise is not an error: the report
/// contains it.
pub async fn campaign(plan: Plan) -> Result<Report> {
    let ran = run::run(&plan).await?;
    let verdict = checker::check(&ran.evidence);
    Ok(Report { plan, verdict, ran })
}
