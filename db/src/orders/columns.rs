//! The columns of an order: one list for every statement that reads orders, and the mapper of its
//! rows.

use domain::{Amount, CustomerId, Order, OrderId, PaymentMethod, ProductId, Quantity, Reason};
use tokio_postgres::Row;

use crate::Error;
use crate::row::{checked, column, parsed};

/// A statement that selects all columns of orders `from` the given tables, as [`order_from_row`]
/// reads them.
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
pub(super) use select_orders;

/// Reads an order from a row of `select_orders!`.
pub(super) fn order_from_row(row: &Row) -> Result<Order, Error> {
    let reason: Option<&str> = column(row, "cancel_reason")?;
    let method: Option<&str> = column(row, "payment_method")?;
    Ok(Order {
        id: OrderId(column(row, "id")?),
        customer_id: checked(column(row, "customer_id")?, CustomerId::new)?,
        product_id: checked(column(row, "product_id")?, ProductId::new)?,
        quantity: checked(column(row, "quantity")?, Quantity::new)?,
        total: checked(column(row, "total_minor")?, Amount::from_minor)?,
        currency: parsed(row, "currency")?,
        payment_method: method.map(PaymentMethod::from_stored),
        status: parsed(row, "status")?,
        cancel_reason: reason.map(Reason::from_text),
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}
