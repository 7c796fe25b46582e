//! Orders as a client sees them, and their captures in the gateway's ledger.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use lapin::BasicProperties;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::core::{DEFAULT_TIMEOUT, World};
use super::http::Reply;
use crate::eventually::eventually;
use crate::fail::OrFail;

/// Concurrent clients.
const CLIENTS: usize = 32;

/// An order as the API returned it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The id.
    pub id: Uuid,
    /// `Pending`, `Confirmed` or `Canceled`.
    pub status: String,
    /// The whole answer.
    pub json: Value,
}

impl Order {
    /// Parses an answer.
    pub fn from_json(json: Value) -> Order {
        let text = |name: &str| json.get(name).and_then(Value::as_str).or_fail(name).to_owned();
        let id = text("id").parse().or_fail("read an order's id");
        Order { id, status: text("status"), json }
    }
}

/// A body for `POST /orders`: one Iphone for Luke, with this payment method.
pub fn order_body(payment_method: &str) -> Value {
    json!({"customerId": "1", "productId": "1", "quantity": 1, "paymentMethod": payment_method})
}

impl World {
    /// Places an order that will be confirmed.
    pub async fn place_order(&self) -> Order {
        self.place_order_with("pm_card_visa").await
    }

    /// Places an order with this payment method.
    pub async fn place_order_with(&self, payment_method: &str) -> Order {
        accepted(self.place(order_body(payment_method)).await)
    }

    /// Places this many orders, several concurrently.
    pub async fn place_orders(&self, count: usize) -> Vec<Order> {
        let placing = (0..count).map(|_| self.place_order());
        stream::iter(placing).buffer_unordered(CLIENTS).collect().await
    }

    /// `POST /orders` with any body.
    pub async fn place(&self, body: Value) -> Reply {
        self.send(self.request(Method::POST, "/orders").json(&body)).await
    }

    /// The order in its present state.
    pub async fn get_order(&self, id: Uuid) -> Order {
        let reply = self.get(&format!("/orders/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        Order::from_json(reply.json())
    }

    /// Waits until the order is `Confirmed` or `Canceled`, and returns it.
    pub async fn eventually_settled(&self, order: &Order) -> Order {
        self.settled_within(DEFAULT_TIMEOUT, order).await
    }

    /// [`World::eventually_settled`] with another deadline. The first running process is asked, and
    /// failed requests are repeated.
    pub async fn settled_within(&self, deadline: Duration, order: &Order) -> Order {
        let path = format!("/orders/{}", order.id);
        eventually(&format!("order {} to be settled", order.id), deadline, async || {
            let request = self.request(Method::GET, &path);
            let reply = self.try_send(request).await.map_err(|error| error.to_string())?;
            if reply.status != 200 {
                return Err(reply.text);
            }
            let order = Order::from_json(reply.json());
            if order.status == "Pending" { Err(order.status) } else { Ok(order) }
        })
        .await
    }

    /// Waits until no order of this world is `Pending`.
    pub async fn eventually_all_settled(&self, deadline: Duration) {
        const PENDING: &str = "select count(*) from orders where status = 'Pending'";
        eventually("all orders to be settled", deadline, async || {
            match self.try_count(PENDING).await {
                Ok(0) => Ok(()),
                Ok(pending) => Err(format!("{pending} pending")),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// The number of captures for the order.
    pub async fn captures_for(&self, order: &Order) -> i64 {
        const CAPTURES: &str =
            "select count(*) from simulated_gateway.captures where order_id = $1";
        let rows = self.sql_with(CAPTURES, &[&order.id]).await;
        rows.first().map(|row| row.get(0)).or_fail("count captures")
    }

    /// Publishes the order's payment request once more, as the broker may at any time.
    pub async fn deliver_payment_request_again(&self, order: &Order) {
        let field = |name: &str| order.json.get(name).cloned().unwrap_or_default();
        let body = json!({
            "orderId": order.id.to_string(), "totalPrice": field("totalPrice"),
            "currency": field("currency"), "customerId": field("customerId"),
        });
        let properties = BasicProperties::default()
            .with_message_id(order.id.to_string().into())
            .with_reply_to("processedorders".into())
            .with_content_type("application/json".into());
        self.publish_raw("processingorders", body.to_string().as_bytes(), properties).await;
    }
}

fn accepted(reply: Reply) -> Order {
    assert_eq!(reply.status, 201, "{}", reply.text);
    Order::from_json(reply.json())
}
