use domain::{Amount, CustomerId, Order, OrderId, OrderStatus, ProductId, Quantity, Reason};
use tokio_postgres::Row;

use crate::row::{checked, column, parsed, parsed_option};
use crate::{Db, Error};

macro_rules! select_orders {
    ($from_and_filter:expr) => {
        concat!(
            "select id, customer_id, product_id, quantity, total_minor, currency, payment_method,
                    status::text, cancel_reason, created_at, updated_at
               from ",
            $from_and_filter
        )
    };
}

const GET: &str = select_orders!("orders where id = $1");

/// One order.
pub async fn get(db: &Db, id: OrderId) -> Result<Option<Order>, Error> {
    db.query(GET, &[&id.0]).await?.first().map(order).transpose()
}

/// Which orders, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Only this customer's.
    pub customer_id: Option<CustomerId>,
    /// Only those with this status.
    pub status: Option<OrderStatus>,
    /// Only those placed before this one.
    pub before: Option<OrderId>,
    /// At most this many.
    pub limit: i64,
}

macro_rules! listed {
    ($filter:expr) => {
        select_orders!(concat!("orders where id < $1 and ", $filter, " order by id desc limit $2"))
    };
}

// In an order that only the index by customer has: a plan that is made for every customer would
// walk through everybody's orders to find those of one who has few.
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

// What is pending is young, or in the list of those that are late.
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

// A filter stands in the statement's own text and not in a condition on a parameter, so that one
// plan is right for it. `$3` is the customer.
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

/// A page of orders, newest first.
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
    db.query(statement, &[&before, &page.limit, &customer]).await?.iter().map(order).collect()
}

/// An order from a row that has all its columns, the status as text.
pub(super) fn order(row: &Row) -> Result<Order, Error> {
    let reason: Option<&str> = column(row, "cancel_reason")?;
    Ok(Order {
        id: OrderId(column(row, "id")?),
        customer_id: checked(column(row, "customer_id")?, CustomerId::new)?,
        product_id: checked(column(row, "product_id")?, ProductId::new)?,
        quantity: checked(column(row, "quantity")?, Quantity::new)?,
        total: checked(column(row, "total_minor")?, Amount::from_minor)?,
        currency: parsed(row, "currency")?,
        payment_method: parsed_option(row, "payment_method")?,
        status: parsed(row, "status")?,
        cancel_reason: reason.map(Reason::from_text),
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}
