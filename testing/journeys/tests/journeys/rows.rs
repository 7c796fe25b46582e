//! Rows that were written by SQL: an unreadable one is reported and holds up no other.

use reqwest::Method;
use serde_json::json;
use testkit::eventually;
use testkit::world::{Order, World};
use uuid::Uuid;

use super::ledger::{LONG, counter, eventually_logged};

const PLACE_BY_SQL: &str = "
    with placed as (
        insert into orders (id, customer_id, product_id, total_minor, quantity, currency)
        select id, 1, 1, 19900, 1, 'USD' from unnest($1::uuid[]) as o (id)
    )
    insert into outbox (leased_until, orders, order_ids, request_ids, traceparents)
    values ('-infinity', cardinality($1), $1, $2, null)";

/// Puts orders into one outbox row.
async fn leave_behind(world: &World, request_ids: &[&str]) -> Vec<Order> {
    let ids: Vec<Uuid> = request_ids.iter().map(|_| Uuid::now_v7()).collect();
    world.sql_with(PLACE_BY_SQL, &[&ids, &request_ids]).await;
    let order = |id: &Uuid| Order::from_json(json!({"id": id.to_string(), "status": "Pending"}));
    ids.iter().map(order).collect()
}

#[tokio::test]
async fn an_unreadable_outbox_row_stays_and_is_reported_and_its_neighbours_go() {
    let world = World::start().await;
    let alone = leave_behind(&world, &["a blank"]).await;
    let beside = leave_behind(&world, &["r-1", "another blank", "r-3"]).await;
    let after = leave_behind(&world, &["r-4"]).await;

    for order in [&beside[0], &beside[2], &after[0]] {
        assert_eq!(world.eventually_settled(order).await.status, "Confirmed");
    }
    let process = world.order_management(0);
    for order in [&alone[0], &beside[1]] {
        let line = eventually_logged(process, &order.id.to_string()).await;
        assert!(line.contains("ERROR"), "{line}");
        assert_eq!(world.get_order(order.id).await.status, "Pending");
    }
    let counted = "ordermill_unreadable_rows_total{table=\"outbox\"}";
    assert!(counter(&world, process.ops_url("/metrics"), counted).await >= 2.0);
    let kept = "select array_agg(id::text order by id) from (select unnest(order_ids) as id from outbox) o";
    let kept: Vec<String> = world.sql(kept).await[0].get(0);
    assert_eq!(kept, [alone[0].id.to_string(), beside[1].id.to_string()]);

    // An operator repairs the rows.
    world.sql("update outbox set request_ids = '{}', leased_until = '-infinity'").await;
    for order in [&alone[0], &beside[1]] {
        assert_eq!(world.eventually_settled(order).await.status, "Confirmed");
    }
}

#[tokio::test]
async fn a_text_of_two_lines_is_refused_by_the_tables_and_shown_where_it_is_older() {
    let world = World::start().await;
    let product =
        "insert into products (name, price_minor, currency) values (E'Two\\nlines', 1, 'USD')";
    let customer = "insert into customers (name, email) values (E'Two\\nlines', 'no address')";
    for statement in [product, customer] {
        let refused = world.try_sql(statement, &[]).await;
        assert!(refused.is_err(), "{statement}");
    }

    // A database of a release without these constraints.
    for table in ["products", "customers"] {
        let drop = format!(
            "do $$ declare c text; begin for c in select conname from pg_constraint
               where conrelid = '{table}'::regclass and contype = 'c' loop
               execute format('alter table {table} drop constraint %I', c); end loop; end $$"
        );
        world.sql(&drop).await;
    }
    world.sql(product).await;
    world.sql("insert into products (name, price_minor, currency) values ('x', 1, 'XXX')").await;
    world.sql(customer).await;
    for path in ["/products", "/customers"] {
        let page = world.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "{page}");
        assert_eq!(page["data"][1]["name"], "Two\nlines");
        let id = page["data"][1]["id"].as_str().unwrap();
        assert_eq!(world.get(&format!("{path}/{id}")).await.json()["name"], "Two\nlines");
    }
    let url = world.order_management(0).ops_url("/metrics");
    let counted = "ordermill_unreadable_rows_total{table=\"products\"}";
    assert!(counter(&world, url, counted).await >= 1.0, "the unknown currency is left out");
}

#[tokio::test]
async fn an_order_that_cannot_be_shown_hides_no_other() {
    let world = World::start().await;
    let orders = world.place_orders(3).await;
    world.eventually_all_settled(LONG).await;
    world.sql("alter table orders drop constraint if exists orders_currency_known").await;
    let spoil = "update orders set currency = 'XXX' where id = $1";
    world.sql_with(spoil, &[&orders[1].id]).await;

    // Pages of one, so that the spoiled order is the last of a page once.
    let (mut cursor, mut seen) = (String::new(), 0);
    loop {
        let page = world.get(&format!("/orders?limit=1{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        seen += page["data"].as_array().unwrap().len();
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, 2);
}

#[tokio::test]
async fn products_and_customers_imported_with_ids_are_passed_over() {
    let world = World::start().await;
    world
        .sql(
            "insert into products (id, name, price_minor, currency)
             select n, 'imported', 1, 'USD' from generate_series(100, 105) n",
        )
        .await;
    let skips_triggers = "
        do $$ begin
            set local session_replication_role = replica;
            insert into customers (id, name, email)
            select n, 'imported', 'a@b' from generate_series(2, 7) n;
        end $$";
    world.sql(skips_triggers).await;

    let product = json!({"name": "new", "price": 1});
    let customer = json!({"name": "new", "email": "a@b.c"});
    for (path, body) in [("/products", product), ("/customers", customer)] {
        for _ in 0..8 {
            let reply = world.send(world.request(Method::POST, path).json(&body)).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
    }
    // The ids that SQL gives follow as well.
    world
        .sql("insert into products (name, price_minor, currency) values ('by SQL', 1, 'USD')")
        .await;
    let ids = world.count("select count(distinct id) from products").await;
    assert_eq!(ids, 1 + 6 + 8 + 1);
    eventually("an imported product to be ordered", LONG, async || {
        let body = json!({"productId": "103", "quantity": 1});
        world.place(body).await.status == 201
    })
    .await;
}

#[tokio::test]
async fn an_unreadable_payment_holds_up_no_order_of_its_batch() {
    let mut world = World::builder().workers(0).start().await;
    let drop = "alter table payments.payments drop constraint if exists payments_terms_known";
    let worker = world.add_worker().await;
    world.worker(worker).ready(LONG).await.unwrap();
    world.sql(drop).await;
    let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    let spoiled = "
        insert into payments.payments (order_id, payment_id, amount_minor, currency)
        values ($1, gen_random_uuid(), 19900, 'XXX')";
    world.sql_with(spoiled, &[&ids[1]]).await;
    world.sql_with(PLACE_BY_SQL, &[&ids, &vec!["r-1", "r-2", "r-3"]]).await;

    let confirmed = "select count(*) from orders where status = 'Confirmed'";
    eventually("the neighbours to be confirmed", LONG, async || world.count(confirmed).await == 2)
        .await;
    eventually_logged(world.worker(worker), &ids[1].to_string()).await;
    let repair = "update payments.payments set currency = 'USD' where order_id = $1";
    world.sql_with(repair, &[&ids[1]]).await;
    eventually("the repaired one to follow", LONG, async || world.count(confirmed).await == 3)
        .await;
}
