//! The auditor reports every deviation, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use testkit::eventually;
use testkit::fault_proxy::FaultProxy;
use testkit::world::{Order, World};

use super::ledger::{LONG, balance, counter};

/// An auditor without pauses and without grace.
const EAGER: [(&str, &str); 5] = [
    ("AUDIT_EVERY_MS", "200"),
    ("AUDIT_GRACE_MS", "500"),
    ("AUDIT_OVERDUE_MS", "1000"),
    ("AUDIT_FULL_EVERY_MS", "300"),
    ("AUDIT_ROWS_PER_SECOND", "100000"),
];

async fn report(world: &World) -> Value {
    let request = world.http().get(world.auditor(0).ops_url("/audit.json"));
    world.send(request).await.json()
}

/// The auditor's findings: kind and order.
fn violations(report: &Value) -> BTreeSet<(String, String)> {
    let text = |v: &Value, name: &str| v[name].as_str().unwrap().to_owned();
    let all = report["violations"].as_array().unwrap();
    all.iter().map(|v| (text(v, "kind"), text(v, "orderId"))).collect()
}

async fn metric(world: &World, name: &str) -> f64 {
    counter(world, world.auditor(0).ops_url("/metrics"), &format!("ordermill_audit_{name}")).await
}

async fn eventually_metric(world: &World, name: &str, wanted: f64) {
    eventually(&format!("{name} to be {wanted}"), LONG, async || {
        let seen = metric(world, name).await;
        if (seen - wanted).abs() < f64::EPSILON { Ok(()) } else { Err(seen) }
    })
    .await;
}

/// Waits for two more complete passes of the auditor, after which every earlier suspicion has had
/// its second look.
async fn looked_at_everything(world: &World) {
    for _ in 0..6 {
        let before = metric(world, "full_walk_timestamp_seconds").await;
        eventually("another walk over everything", LONG, async || {
            metric(world, "full_walk_timestamp_seconds").await > before
        })
        .await;
    }
}

async fn audited(variables: &[(&str, &str)]) -> World {
    let mut world = World::builder().worker_env("GATEWAY_LATENCY_MS", "0").start().await;
    world.add_auditor(&[&EAGER[..], variables].concat()).await;
    world.ready().await;
    world
}

#[tokio::test]
async fn without_a_deviation_nothing_is_reported_and_the_numbers_are_right() {
    let world = audited(&[]).await;
    let mut orders = world.place_orders(40).await;
    orders.push(world.place_order_with("pm_card_chargeDeclined").await);
    balance(&world, &orders).await;
    let silent = world.place_order_with("pm_card_neverAnswers").await;
    eventually_metric(&world, "pending{kind=\"unknown_charge\"}", 1.0).await;
    looked_at_everything(&world).await;

    let report = report(&world).await;
    assert_eq!(violations(&report), BTreeSet::new(), "{report}");
    assert!(metric(&world, "orders_checked_total").await >= 42.0);
    assert_eq!(metric(&world, "unknown_charges").await, 1.0);
    assert!(metric(&world, "oldest_pending_seconds").await > 0.4);
    assert_eq!(metric(&world, "outbox_rows").await, 0.0);
    assert_eq!(metric(&world, "crowded_out_total").await, 0.0);
    let open = report["unfinished"].as_array().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["orderId"].as_str().unwrap(), silent.id.to_string());
    assert!(open[0]["why"].as_str().unwrap().starts_with("charge started "));
    let page = world.send(world.http().get(world.auditor(0).ops_url("/"))).await.text;
    assert!(page.contains("No violations") && page.contains(&silent.id.to_string()), "{page}");
    for arguments in [&["check"][..], &["check", "--all"]] {
        let check = world.auditor(0).run_once(arguments).await.unwrap();
        assert_eq!(check.status.code(), Some(0), "{check:?}");
        assert!(String::from_utf8_lossy(&check.stdout).contains("no violations"), "{check:?}");
    }
}

/// Manual changes to an order, each with the name of the auditor's finding. `$1` is the order.
const BY_HAND: [(&[&str], &[&str]); 10] = [
    (
        &[
            "delete from payments.payments where order_id = $1",
            "delete from simulated_gateway.captures where order_id = $1",
        ],
        &["confirmed_not_captured"],
    ),
    (&["update orders set status = 'Canceled' where id = $1"], &["canceled_not_declined"]),
    (&["delete from orders where id = $1"], &["payment_without_order"]),
    (&["update orders set total_minor = total_minor + 1 where id = $1"], &["amount_differs"]),
    (&["delete from simulated_gateway.captures where order_id = $1"], &["capture_missing"]),
    (
        &["delete from orders where id = $1", "delete from payments.payments where order_id = $1"],
        &["capture_unrecorded"],
    ),
    (
        &[
            "update orders set status = 'Canceled' where id = $1",
            "update payments.payments set status = 'declined' where order_id = $1",
        ],
        &["capture_of_declined"],
    ),
    (
        &["insert into simulated_gateway.captures (key, order_id, amount_minor, currency)
           select 'again-' || key, order_id, amount_minor, currency
             from simulated_gateway.captures where order_id = $1"],
        &["captured_twice"],
    ),
    (
        &["update simulated_gateway.captures set key = 'zz-' || key where order_id = $1"],
        &["capture_missing", "captured_under_other_key"],
    ),
    (&["update orders set status = 'Pending' where id = $1"], &["not_settled"]),
];

/// Breaks an order in each way, and returns the expected findings.
async fn break_all(world: &World, orders: &[Order]) -> BTreeSet<(String, String)> {
    let mut wanted = BTreeSet::new();
    for (order, (statements, kinds)) in orders.iter().zip(BY_HAND) {
        for statement in statements {
            world.sql_with(statement, &[&order.id]).await;
        }
        wanted.extend(kinds.iter().map(|kind| ((*kind).to_owned(), order.id.to_string())));
    }
    wanted
}

#[tokio::test]
async fn everything_that_a_person_breaks_by_hand_is_found_by_its_name_and_forgotten_when_mended() {
    let world = audited(&[]).await;
    let orders = world.place_orders(14).await;
    balance(&world, &orders).await;
    let mut wanted = break_all(&world, &orders).await;
    let lost = &orders[BY_HAND.len()];
    for statement in [
        "delete from payments.payments where order_id = $1",
        "delete from simulated_gateway.captures where order_id = $1",
        "update orders set status = 'Pending' where id = $1",
    ] {
        world.sql_with(statement, &[&lost.id]).await;
    }
    wanted.insert(("not_begun".to_owned(), lost.id.to_string()));

    eventually("all of it to be found", Duration::from_secs(30), async || {
        let found = violations(&report(&world).await);
        if found == wanted { Ok(()) } else { Err(found) }
    })
    .await;

    for kind in wanted.iter().map(|(kind, _)| kind).collect::<BTreeSet<_>>() {
        let count = wanted.iter().filter(|(wanted, _)| wanted == kind).count();
        let count = f64::from(u32::try_from(count).unwrap());
        eventually_metric(&world, &format!("violations{{kind=\"{kind}\"}}"), count).await;
        assert!(metric(&world, &format!("found_total{{kind=\"{kind}\"}}")).await >= count);
    }
    let check = world.auditor(0).run_once(&["check", "--all"]).await.unwrap();
    let told = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    assert!(wanted.iter().all(|(kind, id)| told.contains(kind) && told.contains(id)), "{told}");

    let differs = ("amount_differs".to_owned(), orders[3].id.to_string());
    assert!(wanted.remove(&differs));
    let mend = "update orders set total_minor = total_minor - 1 where id = $1";
    world.sql_with(mend, &[&orders[3].id]).await;
    eventually("the mended one to be forgotten", Duration::from_secs(30), async || {
        violations(&report(&world).await) == wanted
    })
    .await;
}

#[tokio::test]
async fn an_auditor_outlives_each_of_its_databases() {
    let mut world = World::builder().worker_env("GATEWAY_LATENCY_MS", "0").start().await;
    let port: u16 = world.worker(0).variable("POSTGRES_PORT").unwrap().parse().unwrap();
    let (shop, payments) = (FaultProxy::start(port).unwrap(), FaultProxy::start(port).unwrap());
    let ports = [shop.port().to_string(), payments.port().to_string()];
    let moved = [("POSTGRES_PORT", &*ports[0]), ("PAYMENTS_POSTGRES_PORT", &*ports[1])];
    world.add_auditor(&[&EAGER[..], &moved].concat()).await;
    world.ready().await;
    let ready = || world.http().get(world.auditor(0).ops_url("/health/ready"));
    for proxy in [&shop, &payments] {
        proxy.cut();
        eventually("the loss to be told", LONG, async || {
            world.send(ready()).await.status == 503 && report(&world).await["trouble"].is_string()
        })
        .await;
        let check = world.auditor(0).run_once(&["check"]).await.unwrap();
        assert_eq!(check.status.code(), Some(2), "{check:?}");
        proxy.heal();
        world.ready().await;
        let order = world.place_order().await;
        world.eventually_settled(&order).await;
        world.sql_with("update orders set status = 'Canceled' where id = $1", &[&order.id]).await;
        let wanted = ("canceled_not_declined".to_owned(), order.id.to_string());
        eventually("what is wrong to be found", LONG, async || {
            violations(&report(&world).await).contains(&wanted)
        })
        .await;
    }
}

#[tokio::test]
async fn an_auditor_may_start_first_and_ends_at_once() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    world.add_auditor(&EAGER).await;
    eventually("an incomplete round in its log", LONG, async || {
        world.auditor(0).log_contains("the round is not complete")
    })
    .await;
    let numbers = world.send(world.http().get(world.auditor(0).ops_url("/metrics"))).await.text;
    let found = numbers.lines().filter(|line| line.starts_with("ordermill_audit_found_total{"));
    assert_eq!(found.filter(|line| line.ends_with(" 0")).count(), 11, "{numbers}");
    world.add_order_management().await;
    world.add_worker().await;
    world.ready().await;

    world.auditor(0).sigterm().unwrap();

    let exit = world.auditor(0).wait_exit(Duration::from_secs(3)).await.unwrap();
    assert!(exit.success(), "{exit:?}");
}

/// The role that docs/operations.md recommends.
const ROLE: [&str; 6] = [
    "create role ordermill_auditor login password 'auditor'",
    "grant select on orders, late_orders, outbox, outbox_start to ordermill_auditor",
    "grant usage on schema payments, simulated_gateway to ordermill_auditor",
    "grant select on payments.payments, payments.pruned_payments, simulated_gateway.captures to ordermill_auditor",
    "alter role ordermill_auditor set default_transaction_read_only = on",
    "alter role ordermill_auditor connection limit 8",
];

#[tokio::test]
async fn an_auditor_needs_only_read_access_to_five_tables_in_any_database() {
    let mut world = World::builder().workers(0).worker_env("GATEWAY_LATENCY_MS", "0").start().await;
    let elsewhere = format!("{}_payments", world.name());
    world.sql(&format!("create database {elsewhere}")).await;
    world.set_worker_env("PAYMENTS_POSTGRES_DB", &elsewhere);
    world.add_worker().await;
    world.ready().await;
    let orders = world.place_orders(20).await;
    world.eventually_all_settled(LONG).await;
    for statement in ROLE.iter().filter(|s| !s.contains("payments")) {
        world.sql(statement).await;
    }
    for statement in ROLE.iter().filter(|s| s.contains("payments")) {
        world.sql_in(&elsewhere, statement).await;
    }

    let role = [("POSTGRES_USER", "ordermill_auditor"), ("POSTGRES_PASSWORD", "auditor")];
    let moved = [("PAYMENTS_POSTGRES_DB", elsewhere.as_str())];
    world.add_auditor(&[&EAGER[..], &role, &moved].concat()).await;
    world.ready().await;
    looked_at_everything(&world).await;

    let report = report(&world).await;
    assert_eq!(violations(&report), BTreeSet::new(), "{report}");
    assert!(metric(&world, "orders_checked_total").await >= 20.0);
    assert_eq!(orders.len(), 20);
}
