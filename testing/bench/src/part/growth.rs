//! Millions of final orders in the tables: throughput, compared with empty tables.

use anyhow::{Context, Result};

use super::super::figure::{Figure, Findings, Target};
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::super::watch::rest;
use super::pipeline;
use testkit::number::{float, shown};
use testkit::world::World;

const CHAPTER: &str = "Grown tables";
/// Rows per statement, so that progress is visible.
const AT_A_TIME: u64 = 500_000;

/// Inserts final orders a millisecond apart, of which the last is created now, with UUIDv7 ids.
/// `$1` is the number of the first order, `$2` the count of this statement, `$3` the count of all.
const ORDERS: &str = "
    insert into orders (id, customer_id, product_id, total_minor, created_at, updated_at, quantity,
                        status, currency, payment_method)
    select (lpad(to_hex(ms), 12, '0') || '7' || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))
               ::uuid,
           1, 1, 19900, to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0), 1, 'Confirmed', 'USD',
           'pm_card_visa'
      from generate_series($1::bigint, $1::bigint + $2::bigint - 1) as n,
           lateral (select (extract(epoch from now()) * 1000)::bigint - $3::bigint + n as ms,
                           md5(n::text) as noise) as made";

const PAYMENTS: &str = "
    insert into payments.payments (order_id, payment_id, amount_minor, finished_at, status,
                                   currency, payment_method)
    select id, id, total_minor, updated_at, 'captured', currency, payment_method from orders";

const CAPTURES: &str = "
    insert into simulated_gateway.captures (key, order_id, amount_minor, currency)
    select id::text, id, total_minor, currency from orders";

/// Measures settled orders per second with grown tables and with empty tables.
///
/// # Errors
/// If the tables can't be filled, orders are refused, or they do not become final.
pub(crate) async fn measure(setup: &Setup) -> Result<Findings> {
    let plan = &setup.plan;
    let grown = stack::services(plan.pack).start().await;
    stack::stop(&grown).await?;
    fill(&grown, plan.growth_orders.into()).await?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for number in 1..=plan.rounds {
        rest::servers(&grown).await;
        stack::start_again(&grown).await?;
        let settled = pipeline::measure(setup, &grown).await?.settled_per_s;
        stack::stop(&grown).await?;
        let empty = pipeline::alone(setup, plan.pack).await?.settled_per_s;
        let (grown, empty_shown) = (shown(settled), shown(empty));
        say(&format!(
            "growth {number}: {grown} /s in grown tables, {empty_shown} /s in empty ones"
        ));
        with.push(settled);
        without.push(empty);
    }
    let orders = shown(float(plan.growth_orders.into()));
    let ratio = with.iter().zip(&without).map(|(with, without)| with / without);
    let ratio = Figure::of(CHAPTER, "settled, grown ÷ empty", "", ratio.collect::<Vec<_>>());
    let figures = [
        Figure::of(CHAPTER, "settled, empty tables", "/s", without),
        Figure::of(CHAPTER, format!("settled, {orders} final orders there"), "/s", with),
        ratio.map(|figure| figure.with(Target::AtLeast(0.9))),
    ];
    Ok(Findings { figures: figures.into_iter().flatten().collect(), ..Findings::default() })
}

async fn fill(world: &World, orders: u64) -> Result<()> {
    let mut made = 0;
    while made < orders {
        let some = AT_A_TIME.min(orders - made);
        let values = [made, some, orders].map(i64::try_from);
        let [from, count, all] = values;
        world
            .try_sql(ORDERS, &[&from?, &count?, &all?])
            .await
            .context("fill orders; does the statement still fit the table?")?;
        made += some;
        say(&format!("growth: {} orders made", shown(float(made))));
    }
    for (what, statement) in
        [("payments", PAYMENTS), ("captures", CAPTURES), ("vacuum and analyze", "vacuum analyze")]
    {
        let doing = format!("{what}; does the statement still fit the table?");
        world.try_sql(statement, &[]).await.context(doing)?;
        say(&format!("growth: {what} done"));
    }
    Ok(())
}
