//! The vocabulary of the shop: ids, money, customers, products, orders, payments. Every type parses
//! at the door and is trusted inside. Nothing here depends on HTTP, AMQP or SQL.

mod customer;
mod decimal;
mod id;
mod invalid;
mod money;
mod order;
mod payment;
mod product;
mod quantity;
pub mod rfc3339;
mod trace;

pub use customer::{Customer, CustomerChange, CustomerName, Email, NewCustomer};
pub use id::{ActionId, CustomerId, IdempotencyKey, OrderId, PaymentId, ProductId, RequestId};
pub use invalid::Invalid;
pub use money::{Amount, AmountTooLarge, Currency};
pub use order::{NewOrder, Order, OrderStatus};
pub use payment::{GatewayCall, PaymentMethod, Reason, Verdict, WorkerName};
pub use product::{NewProduct, Product, ProductChange, ProductName};
pub use quantity::Quantity;
pub use trace::{About, TraceParent};
