//! Orders, one by one or by the page. Every page visits a bounded number of rows: a page that would
//! visit more ends early, with the id after which the next page goes on.

use domain::{CustomerId, Order, OrderId, OrderStatus};
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{order_from_row, select_orders};
use crate::row::column;
use crate::unreadable::{Table, readable};
use crate::{Db, Error, Listed};

/// Largest number of rows that one statement of a page visits. The orders of one customer may be in
/// as many blocks.
const VISITED_MAX: i64 = 5000;

const GET: &str = select_orders!("orders where id = $1");

/// Returns an order.
pub async fn get(db: &Db, id: OrderId) -> Result<Option<Order>, Error> {
    db.query(GET, &[&id.0]).await?.first().map(order_from_row).transpose()
}

/// Filter and size of a page of orders, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Only orders of this customer.
    pub customer_id: Option<CustomerId>,
    /// Only orders with this status.
    pub status: Option<OrderStatus>,
    /// Only orders with lower ids, which were placed before this one.
    pub before: Option<OrderId>,
    /// Maximum number of orders.
    pub limit: i64,
}

// One walk through orders, newest first: it visits up to `$4` keys below `$1` and finds up to `$2`
// orders among them. The inner limit bounds the walk, the outer one ends it as soon as the page is
// full. A page that is not full says where the walk ended; null: there are no more keys. Both come
// from one statement, so that no order is placed in between.
//
// A filter is part of the text, not a condition on a parameter, so that one generic plan is right
// for the statement. `$3` is the customer, `$5` the position of the overdue scan.
macro_rules! walk {
    (keys: $keys:expr, found: $found:expr, last: $last:expr) => {
        concat!(
            "with keys_from as materialized (
                select $1::uuid as before, $3::bigint as customer, $5::uuid as scanned
            ), found as materialized (",
            select_orders!(concat!("(", $keys, " limit $4) v", $found, " limit $2")),
            "), ended as (
                select (",
            $last,
            " offset $4 - 1 limit 1) as at
                 where (select count(*) from found) < $2
            )
            select found.*, ended.at as ended_at
              from (select 1 from keys_from) one
              left join ended on true left join found on true
             order by found.id desc"
        )
    };
}

macro_rules! through_orders {
    ($range:literal, $order:literal, $filter:literal) => {
        walk! {
            keys: concat!("select * from orders where ", $range, $order),
            found: concat!(" where ", $filter),
            last: concat!("select id from orders where ", $range, $order)
        }
    };
}

macro_rules! through_all {
    ($filter:literal) => {
        through_orders!("id < $1", " order by id desc", $filter)
    };
}

// Sorted as only the index by customer is sorted: a generic plan, made for every customer, would
// otherwise walk through the orders of all customers to find those of a customer who has few.
macro_rules! through_customer {
    ($filter:literal) => {
        through_orders!(
            "(customer_id, id) < ($3, $1) and customer_id >= $3",
            " order by customer_id desc, id desc",
            $filter
        )
    };
}

// A pending order is younger than the overdue scan's position, or recorded in late_orders.
macro_rules! through_noted {
    ($table:literal, $range:literal, $filter:literal) => {
        walk! {
            keys: concat!("select order_id from ", $table, " where order_id < $1", $range,
                          " order by order_id desc"),
            found: concat!(" join orders on id = order_id where ", $filter,
                           " order by order_id desc"),
            last: concat!("select order_id from ", $table, " where order_id < $1", $range,
                          " order by order_id desc")
        }
    };
}

const ALL: &str = through_all!("true");
const CONFIRMED: &str = through_all!("status = 'Confirmed'");
const YOUNG_PENDING: &str =
    through_orders!("id < $1 and id > $5", " order by id desc", "status = 'Pending'");
const OVERDUE: &str = through_noted!("late_orders", " and order_id <= $5", "status = 'Pending'");
const CANCELED: &str = through_noted!("canceled_orders", "", "status = 'Canceled'");
const OF_CUSTOMER: &str = through_customer!("true");
const OF_CUSTOMER_CONFIRMED: &str = through_customer!("status = 'Confirmed'");
const OF_CUSTOMER_CANCELED: &str = through_customer!("status = 'Canceled'");
const OF_CUSTOMER_AMONG_CANCELED: &str =
    through_noted!("canceled_orders", "", "status = 'Canceled' and customer_id = $3");
const OF_CUSTOMER_YOUNG_PENDING: &str = through_orders!(
    "(customer_id, id) < ($3, $1) and (customer_id, id) > ($3, $5)",
    " order by customer_id desc, id desc",
    "status = 'Pending'"
);
const OF_CUSTOMER_OVERDUE: &str =
    through_noted!("late_orders", " and order_id <= $5", "status = 'Pending' and customer_id = $3");

/// Returns a page of orders, newest first. A page visits at most 10,000 rows, and may therefore be
/// shorter than its limit and still have a next page.
pub async fn list(db: &Db, page: &Page) -> Result<Listed<Order, OrderId>, Error> {
    let statement = match (page.status, page.customer_id) {
        (Some(OrderStatus::Pending), _) => return list_pending(db, page).await,
        (None, None) => ALL,
        (None, Some(_)) => OF_CUSTOMER,
        (Some(OrderStatus::Confirmed), None) => CONFIRMED,
        (Some(OrderStatus::Confirmed), Some(_)) => OF_CUSTOMER_CONFIRMED,
        (Some(OrderStatus::Canceled), None) => CANCELED,
        (Some(OrderStatus::Canceled), Some(_)) => return list_canceled_of_customer(db, page).await,
    };
    let walked = walk(db, statement, page, Uuid::nil()).await?;
    Ok(listed(&[walked], page.limit))
}

/// Walks through the canceled orders of all customers, and through all orders of the customer only if
/// that walk ended early. The page is that of the walk that came further.
async fn list_canceled_of_customer(db: &Db, page: &Page) -> Result<Listed<Order, OrderId>, Error> {
    let canceled = walk(db, OF_CUSTOMER_AMONG_CANCELED, page, Uuid::nil()).await?;
    if canceled.ended_at.is_none() {
        return Ok(listed(&[canceled], page.limit));
    }
    let of_customer = walk(db, OF_CUSTOMER_CANCELED, page, Uuid::nil()).await?;
    let further = if of_customer.ended_at < canceled.ended_at { of_customer } else { canceled };
    Ok(listed(&[further], page.limit))
}

const POSITION: &str = "select seen from survey";

/// The pending orders of the last minute, then those that the overdue scan has recorded. Both walks
/// use one position of the scan, so that an order that is recorded in between is not listed twice.
async fn list_pending(db: &Db, page: &Page) -> Result<Listed<Order, OrderId>, Error> {
    let (young, overdue) = match page.customer_id {
        None => (YOUNG_PENDING, OVERDUE),
        Some(_) => (OF_CUSTOMER_YOUNG_PENDING, OF_CUSTOMER_OVERDUE),
    };
    let position = db.query(POSITION, &[]).await?;
    let scanned = position.first().map_or(Ok(Uuid::nil()), |row| column(row, "seen"))?;
    let mut walks = vec![walk(db, young, page, scanned).await?];
    let found: usize = walks.iter().map(|walked| walked.rows.len()).sum();
    let ended = walks.iter().all(|walked| walked.ended_at.is_none());
    let left = page.limit - i64::try_from(found).unwrap_or(i64::MAX);
    if ended && left >= 0 {
        let rest = Page { limit: left, ..page.clone() };
        walks.push(walk(db, overdue, &rest, scanned).await?);
    }
    Ok(listed(&walks, page.limit))
}

/// The rows of one walk, and its end if it ended early.
struct Walked {
    rows: Vec<Row>,
    ended_at: Option<Uuid>,
}

/// Walks until the page has one row more than its limit, or enough rows were visited.
async fn walk(db: &Db, statement: &str, page: &Page, scanned: Uuid) -> Result<Walked, Error> {
    let customer = page.customer_id.map_or(0, CustomerId::get);
    let before = page.before.map_or(Uuid::max(), |id| id.0);
    let one_more = page.limit.saturating_add(1);
    let rows =
        db.query(statement, &[&before, &one_more, &customer, &VISITED_MAX, &scanned]).await?;
    let ended_at = rows.first().map(|row| column(row, "ended_at")).transpose()?.flatten();
    // A walk that found nothing is one row of nulls.
    let found = |row: &Row| matches!(row.try_get::<_, Option<Uuid>>("id"), Ok(Some(_)));
    Ok(Walked { rows: rows.into_iter().filter(found).collect(), ended_at })
}

/// The page that consists of walks. A row above its limit means that there is another page.
fn listed(walks: &[Walked], limit: i64) -> Listed<Order, OrderId> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut orders, mut last, mut left) = (Vec::new(), None, limit);
    for walked in walks {
        let rows = walked.rows.get(..left).unwrap_or(&walked.rows);
        orders.extend(readable(Table::Orders, rows, order_from_row));
        last = rows.last().map(|row| column::<Uuid>(row, "id").ok()).unwrap_or(last);
        if walked.rows.len() > left {
            return Listed { rows: orders, next: last.map(OrderId) };
        }
        left -= rows.len();
    }
    let ended_at = walks.iter().filter_map(|walked| walked.ended_at).next_back();
    Listed { rows: orders, next: ended_at.map(OrderId) }
}
