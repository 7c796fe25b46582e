//! The auditor's life: start, look, end.

use std::future::ready;
use std::time::{Duration, Instant};

use common::runtime::ops_server::{self, Readiness};
use common::runtime::{Metrics, Program, Tasks, start_logging};
use db::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::config::Config;
use crate::look::Sources;
use crate::page;
use crate::report::Report;

/// How long the tasks get to let go.
const END: Duration = Duration::from_secs(1);
/// The pause before a database that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    start_logging(config.process.log_format);
    let ops = config.process.listen("OPS_PORT", config.process.ops_port)?;
    let bound = ops.local_addr()?;
    let tasks = Tasks::on(Handle::current());
    tasks.stop_on_signals(Duration::ZERO)?;
    let metrics = Metrics::of(Program::Auditor);
    let numbers = metrics.audit.clone();
    let sources = Sources::open(&config, &Handle::current())?;
    sources.shop.show_in(&metrics, "shop");
    sources.payments.show_in(&metrics, "payments");
    let report = watch::Sender::new(Report::default());
    let readiness = readiness(&sources, report.subscribe(), &tasks);
    let routes = page::routes(report.subscribe());
    let server = ops_server::serve(ops, readiness, metrics, routes)?;
    let ops = server.handle();
    tasks.spawn("ops server", async move {
        if let Err(error) = server.await {
            log::error!("the port for operators is gone: {error}");
        }
    });
    log::info!("auditor {} started: http://{bound}/", env!("CARGO_PKG_VERSION"));
    let audit = Audit::new(sources, config.audit, numbers);
    tasks.spawn("audit", audit_for_ever(audit, config.audit.every, report));

    tasks.stopping().cancelled().await;
    // Nothing is in hand that would have to end.
    ops.stop(false).await;
    let ended = tasks.end(END).await;
    log::info!("auditor stopped");
    ended.map_err(|task| anyhow::anyhow!("the task `{task}` panicked"))
}

/// Ready while both stores answer and the last round was complete.
fn readiness(sources: &Sources, report: watch::Receiver<Report>, tasks: &Tasks) -> Readiness {
    let (payments, stopping) = (sources.payments.clone(), tasks.stopping());
    sources
        .shop
        .report_in(Readiness::default())
        .with("payments", move || {
            let payments = payments.clone();
            async move { payments.ping().await.map_err(|_| "does not answer".to_owned()) }
        })
        .with("audit", move || {
            let report = report.borrow();
            ready(match (&report.as_of, &report.trouble) {
                (None, _) => Err("nothing has been looked at yet".to_owned()),
                (Some(_), Some(_)) => Err("the last round was not complete".to_owned()),
                (Some(_), None) => Ok(()),
            })
        })
        .with("process", move || {
            ready(if stopping.is_cancelled() { Err("stopping".to_owned()) } else { Ok(()) })
        })
}

/// Rounds, and between them steps of the walk over everything.
async fn audit_for_ever(mut audit: Audit, every: Duration, report: watch::Sender<Report>) {
    loop {
        let round = audit.round().await;
        let next = Instant::now() + every;
        let walked = match round {
            Ok(()) => {
                report.send_replace(Report::of(&audit));
                walk(&mut audit, next).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = walked {
            log::warn!("cannot look: {error}");
            // The driver's words stay in the log.
            report
                .send_modify(|last| *last = last.troubled("a database does not answer".to_owned()));
            tokio::time::sleep(AGAIN.min(every)).await;
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
