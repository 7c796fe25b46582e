//! A worker's life: start, work, drain, stop.

use amqp::{BrokerNeed, Consumer, Consumers, ForwardingHandler, Publisher, add_consumers};
use db::{Db, Migrations};
use log_shipping::LogShipper;
use service::{Program, Service};
use telemetry::trace::MessageSpans;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::charge::{ChargeLimits, Charges, PaymentStore};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::payment_requests::PaymentRequests;
use crate::reply::Replies;

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let mut service = Service::start(Program {
        name: "payment-processor",
        version: env!("CARGO_PKG_VERSION"),
        process: &config.process,
        trace: Some(&config.trace),
        // No balancer sends requests to a worker.
        shutdown_delay: std::time::Duration::ZERO,
    })?;
    log::info!("this worker is {}", config.name.as_str());
    let runtime = service.runtime().clone();
    let shipper = LogShipper::start(&config.log_shipping, Handle::current(), &runtime.metrics);
    service.at_end(shipper.finish());
    let db = Db::new(&config.payments, Handle::current())?;
    db.expose(&runtime.metrics, "payments");
    db.add_readiness(service.readiness(), "database");
    let publisher = Publisher::start(&config.broker, &runtime);
    publisher.add_readiness(service.readiness(), BrokerNeed::Required);
    let consumers = watch::Sender::new(None::<Consumers>);
    add_consumers(service.readiness(), "consumer", consumers.subscribe(), BrokerNeed::Required);
    service.serve_ops(|_| {})?;

    db::migrate_when_there(&config.payments, Migrations::Payments, &runtime.tasks).await?;
    let gateway = Gateway::open(&config.gateway, &db, &runtime);
    let limits =
        ChargeLimits { timeout: config.gateway.timeout, orders_max: config.broker.prefetch };
    let store = PaymentStore { db, worker: config.name, grace: config.reconcile_after };
    let charges = Charges::open(store, gateway, limits, &runtime);
    let replies = Replies::open(&config.broker, &publisher, &runtime);
    let broker = &config.broker;
    let spans = MessageSpans::of(&broker.topology.exchange, &broker.receive.name);
    let requests = PaymentRequests::new(charges, replies, runtime.tasks.stopping(), spans)
        .signed_by(config.signing)
        .retried_after(broker.receive.retry_delays.clone());
    let started =
        Consumer::new(&broker.connection, &broker.topology, service.drain_timeout(), &runtime)
            .work_queue(broker.subscription(), &publisher, ForwardingHandler(requests))
            .start();
    consumers.send_replace(Some(started.clone()));
    service.on_stop(started.ended());
    service.on_drained(async move { publisher.close().await });
    Ok(service.run().await?)
}
