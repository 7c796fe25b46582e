//! Retention of payments.

use testkit::world::{Order, World};

use super::ledger::{LONG, balance, eventually_counted};

async fn prune(world: &World, age: &str) -> String {
    let arguments = ["payments", "prune", "--older-than", age];
    let output = world.worker(0).run_once(&arguments).await.unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test]
async fn payments_that_were_pruned_satisfy_the_auditor_and_are_not_charged_again() {
    let world = World::builder().workers(2).start().await;
    let mut orders: Vec<Order> = world.place_orders(600).await;
    orders.push(world.place_order_with("pm_card_chargeDeclined").await);
    world.eventually_all_settled(LONG).await;
    assert!(prune(&world, "1d").await.contains("0 payments pruned"));

    // Beside the load of other orders.
    let (said, more) = tokio::join!(prune(&world, "0s"), world.place_orders(40));
    orders.extend(more);

    assert!(said.contains(" payments pruned"), "{said}");
    let kept = "select count(*) from payments.payments where order_id = any($1)";
    let ids: Vec<_> = orders[..601].iter().map(|order| order.id).collect();
    assert_eq!(world.sql_with(kept, &[&ids]).await[0].get::<_, i64>(0), 0);
    world.eventually_all_settled(LONG).await;
    let audited = world.audited().await.unwrap();
    assert_eq!(audited.code, Some(0), "{}", audited.said);

    for order in [&orders[0], &orders[600]] {
        world.deliver_payment_request_again(order).await;
    }
    let process = world.order_management(0);
    eventually_counted(&world, process, "ordermill_results_total{outcome=\"repeated\"}", 2.0).await;
    assert_eq!(world.captures_for(&orders[0]).await, 1);
    assert_eq!(world.sql_with(kept, &[&ids]).await[0].get::<_, i64>(0), 0, "begun anew");
    let timeline = world.get(&format!("/orders/{}/timeline", orders[0].id)).await;
    assert_eq!(timeline.status, 200, "{}", timeline.text);
    assert!(timeline.text.contains("captured"), "{}", timeline.text);
    balance(&world, &orders).await;
}

#[tokio::test]
async fn an_age_without_a_unit_is_refused() {
    let world = World::start().await;
    for age in ["90", "soon", "-1d"] {
        let arguments = ["payments", "prune", "--older-than", age];
        let output = world.worker(0).run_once(&arguments).await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{age}");
    }
}
