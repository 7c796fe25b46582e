use common::domain::{
    Amount, CustomerId, Order, OrderId, OrderStatus, ProductId, Quantity, Reason,
};
use tokio_postgres::Row;

use crate::row::{checked, column, parsed, parsed_option};
use crate::{Db, Error};

macro_rules! select_orders {
    ($filter:expr) => {
        concat!(
            "select id, customer_id, product_id, quantity, total_minor, currency, payment_method,
                    status::text, cancel_reason, created_at, updated_at
               from orders where ",
            $filter
        )
    };
}

const GET: &str = select_orders!("id = $1");

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

macro_rules! list_orders {
    ($status:literal) => {
        select_orders!(concat!(
            "($1::bigint is null or customer_id = $1) and ($2::uuid is null or id < $2)",
            $status,
            " order by id desc limit $3"
        ))
    };
}

// A status in the statement's own text can be answered from that status's partial index.
const LIST_ALL: &str = list_orders!("");
const LIST_PENDING: &str = list_orders!(" and status = 'Pending'");
const LIST_CONFIRMED: &str = list_orders!(" and status = 'Confirmed'");
const LIST_CANCELED: &str = list_orders!(" and status = 'Canceled'");

/// A page of orders, newest first.
pub async fn list(db: &Db, page: &Page) -> Result<Vec<Order>, Error> {
    let statement = match page.status {
        None => LIST_ALL,
        Some(OrderStatus::Pending) => LIST_PENDING,
        Some(OrderStatus::Confirmed) => LIST_CONFIRMED,
        Some(OrderStatus::Canceled) => LIST_CANCELED,
    };
    let customer = page.customer_id.map(CustomerId::get);
    let before = page.before.map(|id| id.0);
    db.query(statement, &[&customer, &before, &page.limit]).await?.iter().map(order).collect()
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
