//! `auditor check`: checks the orders once, prints the report, and ends.

use std::process::ExitCode;
use std::time::Duration;

use telemetry::metrics::Metrics;
use telemetry::start_logging;
use tokio::runtime::Handle;

use crate::audit::Audit;
use crate::config::Config;
use crate::report::Report;
use crate::sources::Sources;

/// Age of the orders that a check of recent orders goes back to.
const RECENT: Duration = Duration::from_secs(3600);

/// The orders to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The orders of the last hour, and the overdue ones.
    Recent,
    /// All orders, and the whole ledger.
    All,
}

/// Checks the orders, suspicions a second time after the grace time, and prints the report.
pub(crate) async fn run(config: Config, extent: Extent) -> anyhow::Result<ExitCode> {
    start_logging(config.process.log_format, "auditor");
    let sources = Sources::open(&config, &Handle::current())?;
    let mut audit = Audit::new(sources, config.audit, Metrics::new("auditor").get());
    let ago = (extent == Extent::Recent).then_some(RECENT);
    audit.check_back(ago).await?;
    if audit.state().findings.has_suspects() {
        let grace = config.audit.grace;
        log::info!("found possible violations; checking again in {} s", grace.as_secs_f32());
        tokio::time::sleep(grace).await;
        audit.recheck().await?;
    }
    let report = Report::new(audit.state());
    print(&report);
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the report is the command's output")]
fn print(report: &Report) {
    for violation in &report.violations {
        println!("{:<24} {}", violation.kind, violation.order_id);
        println!("{:<24} shop     {}", "", violation.order);
        println!("{:<24} workers  {}", "", violation.payment);
        println!("{:<24} gateway  {}", "", violation.gateway);
    }
    for waiting in &report.waiting {
        let oldest = waiting.oldest_seconds.map(|seconds| format!(", the oldest for {seconds} s"));
        println!("{:<36} {}{}", waiting.what, waiting.count, oldest.unwrap_or_default());
    }
    for open in &report.unfinished {
        println!("{}  {:>7} s  {}", open.order_id, open.seconds, open.why);
    }
    match report.violations.len() {
        0 => println!("no violations"),
        wrong => println!("{wrong} violations"),
    }
}
