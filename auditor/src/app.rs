//! The life of the auditor: start, audit, stop.

use std::future::ready;
use std::time::{Duration, Instant};

use db::Error;
use service::{Program, Service};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::config::Config;
use crate::metrics::AuditMetrics;
use crate::page;
use crate::report::Report;
use crate::sources::Sources;

/// Pause before a database that did not answer is read again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let mut service = Service::start(Program {
        name: "auditor",
        version: env!("CARGO_PKG_VERSION"),
        process: &config.process,
        trace: None,
        shutdown_delay: Duration::ZERO,
    })?;
    let runtime = service.runtime().clone();
    let sources = Sources::open(&config, &Handle::current())?;
    sources.shop.expose(&runtime.metrics, "shop");
    sources.payments.expose(&runtime.metrics, "payments");
    sources.shop.add_readiness(service.readiness(), "database");
    sources.payments.add_readiness(service.readiness(), "payments");
    let report = watch::Sender::new(Report::default());
    let last = report.subscribe();
    service.readiness().add("audit", move || ready(complete(&last.borrow())));
    service.serve_ops(page::routes(report.subscribe())?)?;
    let audit = Audit::new(sources, config.audit, runtime.metrics.get::<AuditMetrics>());
    runtime.tasks.spawn("audit", audit_until_stopped(audit, config.audit.every, report));
    Ok(service.run().await?)
}

/// Readiness of the audit: the last round was complete.
fn complete(report: &Report) -> Result<(), String> {
    match (&report.as_of, &report.trouble) {
        (None, _) => Err("no round is complete yet".to_owned()),
        (Some(_), Some(_)) => Err("the last round was not complete".to_owned()),
        (Some(_), None) => Ok(()),
    }
}

/// Runs a round every `every`, and steps of the walk over all orders between the rounds.
async fn audit_until_stopped(mut audit: Audit, every: Duration, report: watch::Sender<Report>) {
    loop {
        let round = audit.round().await;
        let next = Instant::now() + every;
        let walked = match round {
            Ok(()) => {
                report.send_replace(Report::new(audit.state()));
                walk(&mut audit, next).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = walked {
            log::warn!("the round is not complete: {error}");
            // The driver's text is in the log only: the report is public to readers of the port.
            report.send_modify(|last| {
                *last = last.with_trouble("a database does not answer".to_owned())
            });
            tokio::time::sleep(RETRY_PAUSE.min(every)).await;
        }
    }
}

async fn walk(audit: &mut Audit, next_round: Instant) -> Result<(), Error> {
    while Instant::now() < next_round {
        match audit.step().await? {
            Some(pause) => tokio::time::sleep(pause).await,
            None => tokio::time::sleep_until(next_round.into()).await,
        }
    }
    Ok(())
}
