//! Order management's life: start, work, drain, end.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use common::broker::{Consumer, LogShipper, Publisher, readiness};
use common::runtime::ops_server::{self, HEAD_PATIENCE, KEEP_ALIVE, Readiness};
use common::runtime::{Metrics, Program, Tasks, count_lines, count_requests, start_logging};
use common::trace::{self, MessageSpans};
use db::{Db, Migrations};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::api;
use crate::config::Config;
use crate::dead_letters::DeadLetters;
use crate::orders::{Intake, Settlements, Timelines, show_backlog, survey};
use crate::payment_results::PaymentResults;
use crate::reconcile::Reconciler;
use crate::relay::Relay;

/// How long the last tasks get after the drain to let go.
const END: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// If it cannot start, or a task of it panicked.
pub async fn run(config: Config) -> anyhow::Result<()> {
    start_logging(config.process.log_format, "order-management");
    let ops = config.process.listen("OPS_PORT", config.process.ops_port)?;
    let listener = config.process.listen("PORT", config.port)?;
    let tasks = Tasks::on(Handle::current());
    tasks.stop_on_signals(config.shutdown_delay)?;
    let metrics = Metrics::of(Program::OrderManagement);
    count_lines(&metrics.telemetry.lines);
    trace::start(&config.trace, "order-management", &metrics).map_err(anyhow::Error::msg)?;
    let shipper = LogShipper::start(&config.broker, Handle::current(), &metrics);
    let db = Db::new(&config.shop, Handle::current())?;
    db.show_in(&metrics, "shop");
    let publisher = Publisher::start(config.broker.clone(), &tasks, &metrics);
    let consumer = watch::Sender::new(None::<Consumer>);
    let readiness = db.report_in(readiness(&publisher, consumer.subscribe(), &tasks));

    let letters = Data::new(DeadLetters::new(&db, &config.broker));
    let ops = ops_server::serve(ops, readiness.clone(), metrics.clone(), move |routes| {
        routes.app_data(letters.clone()).configure(api::operators_routes);
    })?;
    let ops = serve(&tasks, "ops server", ops);

    let parts = (&tasks, &metrics);
    let relay = Relay::open((&config.broker, config.outbox), &db, &publisher, parts);
    let intake = Intake::open(&db, &relay, config.intake_max, parts);
    let state = (readiness, api::Leaving(tasks.leaving()), metrics.clone());
    let http = serve(&tasks, "http server", http((&config, listener), &db, intake, state)?);

    db::migrate_when_there(&config.shop, Migrations::Shop, &tasks).await?;
    tasks.spawn("survey", survey(db.clone(), config.reconcile.after, tasks.clone()));
    tasks.spawn("backlog", show_backlog(db.clone(), metrics.orders.clone(), tasks.clone()));
    let reconciler = Reconciler::new((&config.broker, config.reconcile), &db, &publisher, &metrics);
    tasks.spawn("reconciler", reconciler.run(tasks.clone()));
    let settlements = Settlements::open(&db, &tasks, &metrics);
    let spans = MessageSpans::of(&config.broker.topology.exchange, &config.broker.receive.name);
    let handler = PaymentResults { settlements, spans };
    let drain = config.process.drain;
    let mut consuming = Consumer::start((config.broker, drain), publisher.clone(), handler, parts);
    consumer.send_replace(Some(consuming.clone()));

    tasks.stopping().cancelled().await;
    // Intake first: what was answered 201 is then either relayed below or left to the sweep of
    // another process, or of this one's next life.
    let drained = async {
        http.stop(true).await;
        relay.quiet().await;
    };
    let (drained, ()) = tokio::join!(tokio::time::timeout(drain, drained), consuming.ended(drain));
    if drained.is_err() {
        log::warn!("the drain time is over; the outbox keeps what was not relayed");
    }
    publisher.close().await;
    trace::finish().await;
    ops.stop(true).await;
    let ended = tasks.end(END).await;
    log::info!("order-management stopped");
    shipper.finish().await;
    ended.map_err(|task| anyhow::anyhow!("the task `{task}` panicked"))
}

fn serve(tasks: &Tasks, name: &'static str, server: Server) -> actix_web::dev::ServerHandle {
    let handle = server.handle();
    let stop = tasks.clone();
    tasks.spawn(name, async move {
        if let Err(error) = server.await {
            log::error!("the {name} is gone: {error}");
        }
        stop.stop();
    });
    handle
}

fn http(
    (config, listener): (&Config, TcpListener),
    db: &Db,
    intake: Intake,
    (ready, leaving, metrics): (Readiness, api::Leaving, Metrics),
) -> anyhow::Result<Server> {
    let (db, intake, ready) = (Data::new(db.clone()), Data::new(intake), Data::new(ready));
    let (leaving, counts) = (Data::new(leaving), Data::new(metrics.http.clone()));
    let timelines = Data::new(Timelines::open(db.get_ref(), &config.payments, &metrics)?);
    let connections_each = config.http_connections_max.div_ceil(config.http_workers);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(db.clone())
            .app_data(intake.clone())
            .app_data(ready.clone())
            .app_data(leaving.clone())
            .app_data(counts.clone())
            .app_data(timelines.clone())
            .wrap(from_fn(api::with_request_id))
            .wrap(from_fn(count_requests))
            .configure(api::routes)
    })
    .workers(config.http_workers)
    .disable_signals()
    .max_connections(connections_each)
    .client_request_timeout(HEAD_PATIENCE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(config.process.drain.as_secs().max(1))
    .listen(listener)?;
    for address in server.addrs() {
        log::info!("order-management {} started: http://{address}/", env!("CARGO_PKG_VERSION"));
    }
    Ok(server.run())
}
