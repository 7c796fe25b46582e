//! The list of sabotages.

use super::super::fault::Kind;
use super::spec::Sabotage;

/// Every sabotage.
pub const ALL: [Sabotage; 14] = [
    Sabotage {
        name: "ack-at-once",
        file: "common/amqp/src/consumer_task.rs",
        right: "let disposition = handler.handle(delivery.data, delivery.properties).await;",
        wrong: "tokio::task::spawn(async move { \
                handler.handle(delivery.data, delivery.properties).await }); \
                let disposition = crate::delivery::Disposition::Ack;",
        faults: &[Kind::KillAllWorkers, Kind::KillWorker, Kind::KillBothOrderManagements],
        caught_by: &["P1 (stuck)"],
    },
    Sabotage {
        name: "settle-after-ack",
        file: "order-management/src/payment_results.rs",
        right: "let settled = self.settle(&results).await;",
        wrong: "let (settlements, all) = (self.settlements.clone(), results.clone()); \
                tokio::task::spawn(async move { settlements.settle(&all).await }); \
                let settled: Vec<Result<SettleOutcome, Error>> = Vec::new();",
        faults: &[Kind::KillBothOrderManagements, Kind::FreezeDatabase, Kind::KillOrderManagement],
        caught_by: &["P1 (stuck)"],
    },
    Sabotage {
        name: "no-confirm",
        file: "common/amqp/src/confirms.rs",
        right: "Some(Confirmation::NotRequested) | None => Err(NotConfirmed::Unknown),",
        wrong: "Some(Confirmation::NotRequested) | None => Ok(()),",
        faults: &[Kind::KillBroker, Kind::CutWires, Kind::CutWire],
        caught_by: &["P1 (stuck)"],
    },
    Sabotage {
        name: "outbox-row-dropped-early",
        file: "order-management/src/relay/batch.rs",
        right: "let mut kept: HashSet<OrderId> = ours.iter().map(|pending| pending.order_id()).collect();",
        wrong: "let mut kept: HashSet<OrderId> = HashSet::new();",
        faults: &[Kind::KillBroker, Kind::CutWire, Kind::CutWires],
        caught_by: &["P1 (stuck)"],
    },
    Sabotage {
        name: "copy-without-confirm",
        file: "common/amqp/src/delivery.rs",
        right: ".publish_until_confirmed(&forward.outgoing(&self.queue, &properties))\n                .await;",
        wrong: ".publish(forward.outgoing(&self.queue, &properties)).await.ok();",
        faults: &[Kind::KillBroker, Kind::CutWire, Kind::CutWires],
        caught_by: &["P1 (stuck)", "P3 (forgotten)", "P6 (nonsense-gone)"],
    },
    Sabotage {
        name: "commits-not-awaited",
        file: "db/src/pool.rs",
        right: "-c jit=off -c random_page_cost=1.1",
        wrong: "-c jit=off -c synchronous_commit=off -c random_page_cost=1.1",
        faults: &[Kind::KillDatabase],
        caught_by: &["P1 (lost)", "P1 (unread)"],
    },
    Sabotage {
        name: "no-status-guard",
        file: "db/src/orders/settle.rs",
        right: "where o.id = r.id and o.status = 'Pending'",
        wrong: "where o.id = r.id",
        faults: &[Kind::KillWorker],
        caught_by: &["P5 (moved-wrongly)"],
    },
    Sabotage {
        name: "a-key-for-each-attempt",
        file: "payment-processor/src/charge/terms.rs",
        right: "key: request.order_id.to_string(),",
        wrong: "key: format!(\"{}-{:?}\", request.order_id, std::time::Instant::now()),",
        faults: &[Kind::KillWorker],
        caught_by: &["P2 (captured-twice)"],
    },
    Sabotage {
        name: "silence-is-a-decline",
        file: "payment-processor/src/charge.rs",
        right: "Err(error) => ChargeState::Unfinished(error),\n        };\n        (request, state)",
        wrong: "Err(_) => ChargeState::Answered { payment_id: payment.id, \
                verdict: Verdict::Declined(None), attempt: payment.attempt },\n        };\n        \
                (request, state)",
        faults: &[Kind::SilenceGateway],
        caught_by: &["P3 (false-verdict)"],
    },
    Sabotage {
        name: "retry-without-delay",
        file: "common/amqp/src/forward.rs",
        right: "Destination::Retry => queue\n                .retry_queue(u32::try_from(attempts).unwrap_or(u32::MAX))\n                .unwrap_or(queue.name.clone()),",
        wrong: "Destination::Retry => queue.name.clone(),",
        faults: &[Kind::KillWorker],
        caught_by: &["P3 (no-delay)"],
    },
    Sabotage {
        name: "unreadable-thrown-away",
        file: "common/amqp/src/forwarding.rs",
        right: "forwards.push(Forward { body: part.bytes.to_vec(), own: None, part: None, to });",
        wrong: "drop(to);",
        faults: &[Kind::KillWorker],
        caught_by: &["P6 (nonsense-gone)"],
    },
    Sabotage {
        name: "keys-forgotten",
        file: "db/src/orders/place.rs",
        right: "p.currency, w.payment_method, w.idempotency_key\n          from wanted w",
        wrong: "p.currency, w.payment_method, null\n          from wanted w",
        faults: &[Kind::KillOrderManagement],
        caught_by: &["P7 (another-answer)", "P1 (unexpected-order)"],
    },
    Sabotage {
        name: "always-ready",
        file: "common/service/src/ops_server.rs",
        right: "_ => HttpResponse::ServiceUnavailable(),",
        wrong: "_ => HttpResponse::Ok(),",
        faults: &[Kind::KillDatabase, Kind::KillBroker],
        caught_by: &["P8 (untrue-readiness)"],
    },
    Sabotage {
        name: "deaf-to-sigterm",
        file: "common/service/src/tasks.rs",
        right: "            tasks.stop();\n        });",
        wrong: "        });",
        faults: &[Kind::KillWorker],
        caught_by: &["P9 (bad-end)"],
    },
];
