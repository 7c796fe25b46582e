//! An order as it is spoken over HTTP, in and out.

use domain::{NewOrder, Order, Quantity};
use messages::ExactNumber;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::input::Fields;
use super::rfc3339;

/// Who orders if nobody is named.
const CUSTOMER_DEFAULT: &str = "1";

/// A validate to order. The price is not the client's to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OrderBody {
    /// Who orders; `"1"` if left out.
    #[schema(example = "1", pattern = "^[1-9][0-9]{0,17}$", default = "1")]
    customer_id: Option<String>,
    /// What is ordered.
    #[schema(example = "1", pattern = "^[1-9][0-9]{0,17}$", required = true, nullable = false)]
    product_id: Option<String>,
    /// How many pieces.
    #[schema(value_type = i32, example = 1, minimum = 1, maximum = 10000, required = true)]
    quantity: Option<Box<RawValue>>,
    /// What it is paid with, by the gateway's name for it; the gateway's default if left out.
    #[schema(example = "pm_card_visa", pattern = "^[A-Za-z0-9_-]{1,64}$")]
    payment_method: Option<String>,
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderView {
    /// A UUIDv7.
    #[schema(example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5", format = Uuid)]
    id: String,
    /// Who ordered.
    #[schema(example = "1")]
    customer_id: String,
    /// What was ordered.
    #[schema(example = "1")]
    product_id: String,
    /// How many pieces.
    #[schema(example = 1, minimum = 1, maximum = 10000)]
    quantity: i32,
    /// Price × quantity in major units of `currency`: an exact decimal of at most 2 places.
    #[schema(value_type = f64, example = 199, minimum = 0, maximum = 100000000)]
    total_price: ExactNumber,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// How far it is: `Pending`, then once and for all `Confirmed` or `Canceled`.
    #[schema(example = "Pending", value_type = StatusView)]
    status: &'static str,
    /// Why it was canceled, in the gateway's words, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "insufficient_funds", nullable = false)]
    cancel_reason: Option<String>,
    /// When it was committed, RFC 3339, UTC, to the microsecond.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339")]
    created_at: OffsetDateTime,
    /// When its status last moved.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339")]
    updated_at: OffsetDateTime,
}

/// An order's status.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only the OpenAPI document names it")]
pub(crate) enum StatusView {
    Pending,
    Confirmed,
    Canceled,
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> OrderView {
        OrderView {
            id: order.id.to_string(),
            customer_id: order.customer_id.to_string(),
            product_id: order.product_id.to_string(),
            quantity: order.quantity.get(),
            total_price: ExactNumber(order.total),
            currency: order.currency.code(),
            status: order.status.as_str(),
            cancel_reason: order.cancel_reason.as_ref().map(ToString::to_string),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

impl OrderBody {
    /// Checks all of it; what is wrong stands in `fields`.
    pub(crate) fn validate(&self, fields: &mut Fields) -> Option<NewOrder> {
        let customer = self.customer_id.as_deref().unwrap_or(CUSTOMER_DEFAULT);
        let customer_id = fields.required("customerId", Some(customer));
        let product_id = fields.required("productId", self.product_id.as_deref());
        let quantity =
            fields.required::<Quantity>("quantity", self.quantity.as_deref().map(RawValue::get));
        let payment_method = fields.optional("paymentMethod", self.payment_method.as_deref());
        Some(NewOrder {
            customer_id: customer_id?,
            product_id: product_id?,
            quantity: quantity?,
            payment_method,
        })
    }
}
