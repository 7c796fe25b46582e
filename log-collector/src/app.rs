//! The life of the log collector: start, store and serve, drain, stop.

use std::time::Duration;

use amqp::{BrokerNeed, Consumer, Consumers, add_consumers};
use db::{Db, Migrations, Reads, Settings};
use service::{Program, Service};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::config::Config;
use crate::http;
use crate::store::{LogStore, maintain_days};

/// Largest number of connections for queries. They are separate from those that store: a slow query
/// may take seconds, many at the same time, and lines are stored meanwhile.
const READERS_MAX: usize = 4;

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    // This program does not ship its own lines: each line that is stored would cause the next.
    let mut service = Service::start(Program {
        name: "log-collector",
        version: env!("CARGO_PKG_VERSION"),
        process: &config.process,
        trace: None,
        shutdown_delay: Duration::ZERO,
    })?;
    let runtime = service.runtime().clone();
    let db = Db::new(&config.logs, Handle::current())?;
    db.expose(&runtime.metrics, "logs");
    db.add_readiness(service.readiness(), "database");
    let reader_settings =
        Settings { pool_max: config.logs.pool_max.min(READERS_MAX), ..config.logs.clone() };
    let readers = Reads::from(Db::read_only(&reader_settings, Handle::current())?);
    let consumers = watch::Sender::new(None::<Consumers>);
    let need = BrokerNeed::Required;
    add_consumers(service.readiness(), "feed", consumers.subscribe(), need);
    service.serve_ops(http::routes(readers, &runtime.metrics))?;

    db::migrate_when_there(&config.logs, Migrations::Logs, &runtime.tasks).await?;
    runtime.tasks.spawn("partitions", maintain_days(db.clone(), config.retention_days));
    let store = LogStore::open(&db, config.retention_days, &runtime);
    let route = config.feed.route();
    let consumer =
        Consumer::new(&config.feed.connection, &route, service.drain_timeout(), &runtime);
    let started = log_shipping::subscribe(consumer, &config.feed, store).start();
    consumers.send_replace(Some(started.clone()));
    service.on_stop(started.ended());
    Ok(service.run().await?)
}
