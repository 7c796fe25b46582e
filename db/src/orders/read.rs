use domain::{CustomerId, Order, OrderId, OrderStatus};

use super::columns::{order_from_row, select_orders};
use crate::{Db, Error};

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

macro_rules! listed {
    ($filter:expr) => {
        select_orders!(concat!("orders where id < $1 and ", $filter, " order by id desc limit $2"))
    };
}

// Sorted as only the index by customer is sorted: a generic plan, made for every customer, would
// otherwise walk through the orders of all customers to find those of a customer who has few.
macro_rules! listed_of_customer {
    ($filter:expr) => {
        select_orders!(concat!(
            "orders where (customer_id, id) < ($3, $1) and customer_id >= $3",
            $filter,
            " order by customer_id desc, id desc limit $2"
        ))
    };
}

macro_rules! listed_from {
    ($table:literal, $filter:expr) => {
        select_orders!(concat!(
            $table,
            " join orders on id = order_id where order_id < $1 and ",
            $filter,
            " order by order_id desc limit $2"
        ))
    };
}

// A pending order is younger than the overdue scan's position, or recorded in late_orders. The
// table `survey` has that position.
macro_rules! pending {
    ($young:expr, $filter:literal) => {
        concat!(
            "select * from ((",
            $young,
            ") union all (",
            listed_from!(
                "late_orders",
                concat!(
                    $filter,
                    " and status = 'Pending' and order_id <= (select seen from survey)"
                )
            ),
            ")) pending order by id desc limit $2"
        )
    };
}

// A filter is part of the statement's text, not a condition on a parameter, so that one generic
// plan is right for the statement. `$3` is the customer.
const ALL: &str = listed!("$3::bigint is null");
const PENDING: &str = pending!(
    listed!("$3::bigint is null and status = 'Pending' and id > (select seen from survey)"),
    "$3::bigint is null"
);
const CONFIRMED: &str = listed!("status = 'Confirmed' and $3::bigint is null");
const CANCELED: &str = listed_from!("canceled_orders", "$3::bigint is null");
const OF_CUSTOMER: &str = listed_of_customer!("");
const OF_CUSTOMER_PENDING: &str = pending!(
    listed_of_customer!(
        " and status = 'Pending' and (customer_id, id) > ($3, (select seen from survey))"
    ),
    "customer_id = $3"
);
const OF_CUSTOMER_CONFIRMED: &str = listed_of_customer!(" and status = 'Confirmed'");
const OF_CUSTOMER_CANCELED: &str = listed_from!("canceled_orders", "customer_id = $3");

/// Returns a page of orders, newest first.
pub async fn list(db: &Db, page: &Page) -> Result<Vec<Order>, Error> {
    let statement = match (page.status, page.customer_id) {
        (None, None) => ALL,
        (None, Some(_)) => OF_CUSTOMER,
        (Some(OrderStatus::Pending), None) => PENDING,
        (Some(OrderStatus::Pending), Some(_)) => OF_CUSTOMER_PENDING,
        (Some(OrderStatus::Confirmed), None) => CONFIRMED,
        (Some(OrderStatus::Confirmed), Some(_)) => OF_CUSTOMER_CONFIRMED,
        (Some(OrderStatus::Canceled), None) => CANCELED,
        (Some(OrderStatus::Canceled), Some(_)) => OF_CUSTOMER_CANCELED,
    };
    let customer = page.customer_id.map(CustomerId::get);
    let before = page.before.map_or(uuid::Uuid::max(), |id| id.0);
    db.query(statement, &[&before, &page.limit, &customer])
        .await?
        .iter()
        .map(order_from_row)
        .collect()
}
