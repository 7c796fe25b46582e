//! A worker's life: start, work, drain, end.

use std::time::Duration;

use common::broker::{Consumer, LogShipper, Publisher, readiness};
use common::runtime::ops_server;
use common::runtime::{Metrics, Program, Tasks, count_lines, start_logging};
use common::trace::{self, MessageSpans};
use db::{Db, Migrations};
use tokio::runtime::Handle;

use crate::charge::{ChargeLimits, Charges};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::payment_requests::PaymentRequests;
use crate::reply::Replies;

/// How long the last tasks get after the drain to let go.
const END: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    start_logging(config.process.log_format, "payment-processor");
    let ops = config.process.listen("OPS_PORT", config.process.ops_port)?;
    let bound = ops.local_addr()?;
    let tasks = Tasks::on(Handle::current());
    // Nobody is sent here by a balancer who would have to be told first.
    tasks.stop_on_signals(Duration::ZERO)?;
    let metrics = Metrics::of(Program::PaymentProcessor);
    count_lines(&metrics.telemetry.lines);
    trace::start(&config.trace, "payment-processor", &metrics).map_err(anyhow::Error::msg)?;
    let shipper = LogShipper::start(&config.broker, Handle::current(), &metrics);
    let db = Db::new(&config.payments, Handle::current())?;
    db.show_in(&metrics, "payments");
    let publisher = Publisher::start(config.broker.clone(), &tasks, &metrics);
    let consumer = tokio::sync::watch::Sender::new(None::<Consumer>);

    let readiness = db.report_in(readiness(&publisher, consumer.subscribe(), &tasks));
    let server = ops_server::serve(ops, readiness, metrics.clone(), |_| {})?;
    let ops = server.handle();
    tasks.spawn("ops server", async move {
        if let Err(error) = server.await {
            log::error!("the port for operators is gone: {error}");
        }
    });
    log::info!(ops:% = bound; "payment-processor {} started: {}", env!("CARGO_PKG_VERSION"), config.name.as_str());

    db::migrate_when_there(&config.payments, Migrations::Payments, &tasks).await?;
    let gateway = Gateway::open(&config.gateway, &db, (&tasks, &metrics));
    let limits =
        ChargeLimits { timeout: config.gateway.timeout, orders_max: config.broker.prefetch };
    let charges = Charges::open((&db, &config.name), gateway, limits, (&tasks, &metrics));
    let replies = Replies::open(&config.broker, &publisher, &tasks, &metrics);
    let spans = MessageSpans::of(&config.broker.topology.exchange, &config.broker.receive.name);
    let handler = PaymentRequests::new(charges, replies, tasks.stopping(), spans);
    let drain = config.process.drain;
    let mut consuming =
        Consumer::start((config.broker, drain), publisher.clone(), handler, (&tasks, &metrics));
    consumer.send_replace(Some(consuming.clone()));

    tasks.stopping().cancelled().await;
    consuming.ended(drain).await;
    publisher.close().await;
    trace::finish().await;
    ops.stop(true).await;
    let ended = tasks.end(END).await;
    log::info!("payment-processor stopped");
    shipper.finish().await;
    ended.map_err(|task| anyhow::anyhow!("the task `{task}` panicked"))
}
