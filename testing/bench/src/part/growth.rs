//! Millions of final orders in the tables: does the ten-millionth cost what the first one does?

use anyhow::{Context, Result};

use super::super::Bench;
use super::super::figure::{Figure, Findings, Target};
use super::super::progress::say;
use super::super::stack;
use super::super::watch::rest;
use super::road;
use testkit::number::{float, shown};
use testkit::world::World;

const CHAPTER: &str = "Grown tables";
/// Rows made by one statement, so that progress can be seen.
const AT_A_TIME: u64 = 500_000;

/// Final orders of a long time, a millisecond apart, the last one made now; ids as UUIDv7 has them.
/// `$1` is the number of the first, `$2` how many are to be made, `$3` how many there will be.
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

/// Settled orders a second with grown tables, beside those with empty ones.
///
/// # Errors
/// If the tables can't be filled, orders are refused, or they do not become final.
pub(crate) async fn measure(bench: &Bench) -> Result<Findings> {
    let plan = &bench.plan;
    let grown = stack::services(plan.pack).start().await;
    stack::stop(&grown).await?;
    fill(&grown, plan.growth_orders.into()).await?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for number in 1..=plan.rounds {
        rest::servers(&grown).await;
        stack::start_again(&grown).await?;
        let settled = road::measure(bench, &grown).await?.settled_per_s;
        stack::stop(&grown).await?;
        let empty = road::alone(bench, plan.pack).await?.0.settled_per_s;
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
