//! An order in requests and answers.

use db::orders::Page;
use domain::{CustomerId, NewOrder, Order, OrderStatus, Quantity, rfc3339};
use messages::ExactNumber;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service::Problem;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::input::{Fields, given};
use super::page::{read_cursor, read_limit};

/// The customer of an order that names none.
const CUSTOMER_DEFAULT: &str = "1";

/// A new order. The price comes from the product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "customerId": "1", "productId": "1", "quantity": 1, "paymentMethod": "pm_card_visa"
}))]
pub(super) struct OrderBody {
    /// The customer; `"1"` if left out.
    #[schema(example = "1", pattern = "^[1-9][0-9]{0,17}$", default = "1", nullable = false)]
    #[serde(default, deserialize_with = "given")]
    customer_id: Option<String>,
    /// The product.
    #[schema(example = "1", pattern = "^[1-9][0-9]{0,17}$", required = true, nullable = false)]
    #[serde(default, deserialize_with = "given")]
    product_id: Option<String>,
    /// Number of pieces.
    #[schema(value_type = i32, example = 1, minimum = 1, maximum = 10000, required = true)]
    #[serde(default, deserialize_with = "given")]
    quantity: Option<Box<RawValue>>,
    /// The payment method, as the gateway names it; the gateway's default if left out.
    #[schema(example = "pm_card_visa", pattern = "^[A-Za-z0-9_-]{1,64}$", nullable = false)]
    #[serde(default, deserialize_with = "given")]
    payment_method: Option<String>,
    /// The total that the client expects, in major units of the product's currency: an exact decimal of at
    /// most 2 places. An order with another total is refused. Left out, any total is right.
    #[schema(value_type = f64, example = 199, minimum = 0, maximum = 100000000, required = false)]
    #[serde(default, deserialize_with = "given")]
    expected_total: Option<Box<RawValue>>,
}

/// A page of orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderQuery {
    /// Only orders of this customer.
    #[param(example = "1", pattern = "^[1-9][0-9]{0,17}$")]
    customer_id: Option<String>,
    /// Only orders with this status.
    #[param(value_type = Option<StatusView>)]
    status: Option<String>,
    /// Maximum number of orders, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>, format = Uuid)]
    cursor: Option<String>,
}

impl OrderQuery {
    /// The page, checked.
    pub(super) fn page(&self) -> Result<Page, Problem> {
        let mut fields = Fields::default();
        let limit = read_limit(&mut fields, self.limit.as_deref());
        let customer_id: Option<CustomerId> =
            fields.optional("customerId", self.customer_id.as_deref());
        let status: Option<OrderStatus> = fields.optional("status", self.status.as_deref());
        let before = read_cursor(&mut fields, self.cursor.as_deref());
        fields.finish(Some(Page { customer_id, status, before, limit }))
    }
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    /// A UUIDv7.
    #[schema(example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5", format = Uuid)]
    id: String,
    /// The customer.
    #[schema(example = "1")]
    customer_id: String,
    /// The product.
    #[schema(example = "1")]
    product_id: String,
    /// Number of pieces.
    #[schema(example = 1, minimum = 1, maximum = 10000)]
    quantity: i32,
    /// Price × quantity in major units of `currency`: an exact decimal of at most 2 places.
    #[schema(value_type = f64, example = 199, minimum = 0, maximum = 100000000)]
    total_price: ExactNumber,
    /// Currency code of ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// The status: `Pending`, then `Confirmed` or `Canceled`, which are final.
    #[schema(example = "Pending", value_type = StatusView)]
    status: &'static str,
    /// The gateway's reason for the cancellation; left out unless the order was canceled with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "insufficient_funds", nullable = false)]
    cancel_reason: Option<String>,
    /// Time of the commit, RFC 3339, UTC, to the microsecond.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339::serialize")]
    created_at: OffsetDateTime,
    /// Time at which the status last moved.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339::serialize")]
    updated_at: OffsetDateTime,
}

/// An order's status.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only the OpenAPI document names it")]
pub(super) enum StatusView {
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
    /// The new order, checked. Invalid fields are noted in `fields`.
    pub(super) fn validate(&self, fields: &mut Fields) -> Option<NewOrder> {
        let customer = self.customer_id.as_deref().unwrap_or(CUSTOMER_DEFAULT);
        let customer_id = fields.required("customerId", Some(customer));
        let product_id = fields.required("productId", self.product_id.as_deref());
        let quantity =
            fields.required::<Quantity>("quantity", self.quantity.as_deref().map(RawValue::get));
        let payment_method = fields.optional("paymentMethod", self.payment_method.as_deref());
        let expected = self.expected_total.as_deref().map(RawValue::get);
        let expected_total = fields.optional("expectedTotal", expected);
        Some(NewOrder {
            customer_id: customer_id?,
            product_id: product_id?,
            quantity: quantity?,
            payment_method,
            expected_total,
        })
    }
}
