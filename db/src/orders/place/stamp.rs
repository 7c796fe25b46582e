use domain::{Amount, Currency, Order, OrderId, OrderStatus};
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::PlaceOrder;
use crate::Error;
use crate::row::{checked, column, parsed};

/// The columns of a new order that the database fills.
pub(super) struct Stamp {
    total: Amount,
    currency: Currency,
    created_at: OffsetDateTime,
}

pub(super) fn stamp_from_row(row: &Row) -> Result<(OrderId, Stamp), Error> {
    let total = checked(column(row, "total_minor")?, Amount::from_minor)?;
    let currency = parsed(row, "currency")?;
    let created_at = column(row, "created_at")?;
    Ok((OrderId(column(row, "id")?), Stamp { total, currency, created_at }))
}

impl Stamp {
    /// The order of a command that was placed.
    pub(super) fn order(&self, command: &PlaceOrder) -> Order {
        Order {
            id: command.id,
            customer_id: command.order.customer_id,
            product_id: command.order.product_id,
            quantity: command.order.quantity,
            total: self.total,
            currency: self.currency,
            payment_method: command.order.payment_method.clone(),
            status: OrderStatus::Pending,
            cancel_reason: None,
            created_at: self.created_at,
            updated_at: self.created_at,
        }
    }
}
