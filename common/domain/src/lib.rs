//! What the words mean: ids, money, customers, products, orders, payments. Every type here
//! parses at the door and is trusted inside; nothing here knows HTTP, AMQP or SQL.

mod customer;
mod id;
mod money;
mod order;
mod payment;
mod product;
mod trace;

pub use customer::{Customer, CustomerName, Email};
pub use id::{ActionId, CustomerId, IdempotencyKey, OrderId, PaymentId, ProductId, RequestId};
pub use money::{Amount, AmountTooLarge, Currency};
pub use order::{NewOrder, Order, OrderStatus, Quantity};
pub use payment::{GatewayCall, PaymentMethod, Reason, Verdict, WorkerName};
pub use product::{Product, ProductName};
pub use trace::{About, TraceParent};

/// Why a value was refused: a sentence that says what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// Trims `text` once it is known to be a line: at most `max` characters, none a control character,
/// and not only spaces.
fn line(text: &str, max: usize, refusal: Invalid) -> Result<String, Invalid> {
    let trimmed = text.trim();
    let fits = !trimmed.is_empty() && text.chars().count() <= max;
    if !fits || text.chars().any(char::is_control) {
        return Err(refusal);
    }
    Ok(trimmed.to_owned())
}
