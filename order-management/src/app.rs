//! Order management's life: start, work, drain, stop.

use std::net::TcpListener;

use actix_web::App;
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use amqp::{BrokerNeed, Consumer, Consumers, ForwardingHandler, Publisher, add_consumers};
use db::{Db, Migrations, Reads, Settings};
use log_shipping::LogShipper;
use service::{Draining, HttpMetrics, HttpSettings, Program, Runtime, Service};
use service::{count_requests, serve_http, with_request_span};
use telemetry::trace::MessageSpans;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::broker_watch::BrokerWatch;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::dead_letters::DeadLetters;
use crate::http;
use crate::orders::{Intake, Settlements, Timelines, open_payments};
use crate::orders::{scan_overdue, show_backlog};
use crate::payment_results::PaymentResults;
use crate::reconcile::{ReconcileLinks, Reconciler};
use crate::relay::{Relay, RelayLinks};

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// If the process cannot start, or a task of it panicked.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let mut service = Service::start(Program {
        name: "order-management",
        version: env!("CARGO_PKG_VERSION"),
        process: &config.process,
        trace: Some(&config.trace),
        shutdown_delay: config.shutdown_delay,
    })?;
    let listener = config.process.listen("PORT", config.port)?;
    let runtime = service.runtime().clone();
    let shipper = LogShipper::start(&config.log_shipping, Handle::current(), &runtime.metrics);
    service.at_end(shipper.finish());
    let db = Db::new(&config.shop, Handle::current())?;
    db.expose(&runtime.metrics, "shop");
    db.add_readiness(service.readiness(), "database");
    let reads = open_reads(&config, &runtime)?;
    let publisher = Publisher::start(&config.broker, &runtime);
    publisher.add_readiness(service.readiness(), BrokerNeed::Degraded);
    let consumers = watch::Sender::new(None::<Consumers>);
    add_consumers(service.readiness(), "consumer", consumers.subscribe(), BrokerNeed::Degraded);
    let dead_letters = Data::new(DeadLetters::new(&db, &config.broker));
    let swagger_ui = config.swagger_ui;
    service.serve_ops(move |routes| {
        routes.app_data(dead_letters.clone());
        http::operators(routes, swagger_ui);
    })?;

    let links = RelayLinks { db: &db, publisher: &publisher };
    let relay = Relay::open(&config.broker, config.outbox.clone(), links, &runtime);
    let intake = Intake::open(&db, &relay, config.intake_max, &runtime);
    let payments = open_payments(&config.payments, &runtime.metrics)?;
    let timelines = Timelines::new(&reads, &payments);
    let state = ShopState { db: db.clone(), reads, intake, timelines };
    let server = http_server(&config, listener, &service, state)?;
    let http = service.spawn_server("http server", server);
    let drain = service.drain_timeout();
    drain_intake_on_stop(&mut service, http, relay);

    db::migrate_when_there(&config.shop, Migrations::Shop, &runtime.tasks).await?;
    let links = ReconcileLinks { db: &db, payments: &payments, publisher: &publisher };
    start_background_tasks(&config, links, &runtime);
    let broker = &config.broker;
    let results = PaymentResults {
        settlements: Settlements::open(&db, &runtime),
        spans: MessageSpans::of(&broker.topology.exchange, &broker.receive.name),
    };
    let started = Consumer::new(&broker.connection, &broker.topology, drain, &runtime)
        .work_queue(broker.subscription(), &publisher, ForwardingHandler(results))
        .start();
    consumers.send_replace(Some(started.clone()));
    service.on_stop(started.ended());
    service.on_drained(async move { publisher.close().await });
    Ok(service.run().await?)
}

/// The connections for `GET` requests.
fn open_reads(config: &Config, runtime: &Runtime) -> Result<Reads, db::Error> {
    let settings = Settings { pool_max: config.read_pool_max, ..config.shop.clone() };
    let reads = Reads::from(Db::new(&settings, Handle::current())?);
    reads.expose(&runtime.metrics, "reads");
    Ok(reads)
}

// Intake first: an order that was answered 201 is then either relayed, or left to the sweep of
// another process or of this one's next life.
fn drain_intake_on_stop(service: &mut Service, http: ServerHandle, relay: Relay) {
    let drain = service.drain_timeout();
    service.on_stop(async move {
        let drained = async {
            http.stop(true).await;
            relay.wait_idle().await;
        };
        if tokio::time::timeout(drain, drained).await.is_err() {
            log::warn!("the drain time is over; the outbox keeps what was not relayed");
        }
    });
}

/// The tasks that need the tables: the overdue scan, the outbox metrics, the reconciler.
fn start_background_tasks(config: &Config, links: ReconcileLinks<'_>, runtime: &Runtime) {
    let (tasks, db) = (&runtime.tasks, links.db);
    let scan = scan_overdue(db.clone(), config.reconcile.after, tasks.clone());
    tasks.spawn("overdue scan", scan);
    tasks.spawn("backlog", show_backlog(db.clone(), runtime.clone()));
    let reconciler =
        Reconciler::new(&config.broker, config.reconcile.clone(), links, &runtime.metrics);
    tasks.spawn("reconciler", reconciler.run(tasks.clone()));
    let queues = &config.reconcile.work_queues;
    let watch = BrokerWatch::new(&config.broker, queues, db, &runtime.metrics);
    tasks.spawn("broker watch", watch.run(tasks.clone()));
}

/// The state that the API's routes share.
struct ShopState {
    db: Db,
    reads: Reads,
    intake: Intake,
    timelines: Timelines,
}

fn http_server(
    config: &Config,
    listener: TcpListener,
    service: &Service,
    state: ShopState,
) -> anyhow::Result<Server> {
    let metrics = &service.runtime().metrics;
    let catalog = Data::new(Catalog::new(&state.db));
    let (db, reads, intake) =
        (Data::new(state.db), Data::new(state.reads), Data::new(state.intake));
    let timelines = Data::new(state.timelines);
    let cors_origins = config.cors_origins.clone();
    let ready = Data::new(service.readiness().clone());
    let draining = Data::new(Draining(service.runtime().tasks.draining()));
    let http_metrics = Data::new(HttpMetrics::new(metrics));
    let wanted = config.http.connections_max;
    let connections_max = service.connections_at_most("HTTP_CONNECTIONS_MAX", wanted);
    let address = listener.local_addr()?;
    let swagger_ui = config.swagger_ui;
    let settings = HttpSettings { connections_max, ..config.http };
    let server = serve_http(listener, settings, move || {
        App::new()
            .app_data(db.clone())
            .app_data(reads.clone())
            .app_data(intake.clone())
            .app_data(catalog.clone())
            .app_data(ready.clone())
            .app_data(draining.clone())
            .app_data(http_metrics.clone())
            .app_data(timelines.clone())
            .wrap(http::cors(&cors_origins))
            .wrap(from_fn(with_request_span))
            .wrap(from_fn(count_requests))
            .configure(|routes| http::api(routes, swagger_ui))
    })?;
    log::info!("serving http://{address}/");
    Ok(server)
}
