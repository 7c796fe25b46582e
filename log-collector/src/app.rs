//! The log collector's life: start, store and tell, drain, end.

use std::future::ready;
use std::time::Duration;

use common::broker::LogFeed;
use common::runtime::ops_server::{self, Readiness};
use common::runtime::{Metrics, Program, Tasks, count_lines, start_logging};
use db::{Db, Migrations, Settings};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::config::Config;
use crate::http;
use crate::store::{LogStore, keep_for_ever};

/// How many connections those who read hold. They are others than those that store: a slow question may
/// take seconds, asked many times over, and lines go on being stored meanwhile.
const READERS_MAX: usize = 4;

/// How long the last tasks get after the drain to let go.
const END: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    // Its own lines are not shipped: each one that is stored would cause the next.
    start_logging(config.process.log_format, "log-collector");
    let ops = config.process.listen("OPS_PORT", config.process.ops_port)?;
    let bound = ops.local_addr()?;
    let tasks = Tasks::on(Handle::current());
    tasks.stop_on_signals(Duration::ZERO)?;
    let metrics = Metrics::of(Program::LogCollector);
    count_lines(&metrics.telemetry.lines);
    let db = Db::new(&config.logs, Handle::current())?;
    db.show_in(&metrics, "logs");
    let for_readers =
        Settings { pool_max: config.logs.pool_max.min(READERS_MAX), ..config.logs.clone() };
    let readers = Db::read_only(&for_readers, Handle::current())?;
    let feed = watch::Sender::new(None::<LogFeed>);

    let readiness = db.report_in(readiness(feed.subscribe(), &tasks));
    let server =
        ops_server::serve(ops, readiness, metrics.clone(), http::routes(readers, &metrics))?;
    let ops = server.handle();
    tasks.spawn("ops server", async move {
        if let Err(error) = server.await {
            log::error!("the port for operators is gone: {error}");
        }
    });
    log::info!("log-collector {} started: http://{bound}/logs", env!("CARGO_PKG_VERSION"));

    db::migrate_when_there(&config.logs, Migrations::Logs, &tasks).await?;
    tasks.spawn("keeper of days", keep_for_ever(db.clone(), config.retention_days));
    let store = LogStore::open(&db, config.retention_days, (&tasks, &metrics));
    let drain = config.process.drain;
    let mut reading = LogFeed::start((config.feed, drain), store, (&tasks, &metrics));
    feed.send_replace(Some(reading.clone()));

    tasks.stopping().cancelled().await;
    reading.ended(drain).await;
    ops.stop(true).await;
    let ended = tasks.end(END).await;
    log::info!("log-collector stopped");
    ended.map_err(|task| anyhow::anyhow!("the task `{task}` panicked"))
}

/// Ready while lines can be read and stored.
fn readiness(feed: watch::Receiver<Option<LogFeed>>, tasks: &Tasks) -> Readiness {
    let stopping = tasks.stopping();
    Readiness::default()
        .with("feed", move || {
            let status = feed.borrow().as_ref().map(LogFeed::status);
            let starting = || Err("waiting for the database".to_owned());
            ready(status.map_or_else(starting, |status| status.check()))
        })
        .with("process", move || {
            ready(if stopping.is_cancelled() { Err("stopping".to_owned()) } else { Ok(()) })
        })
}
