//! The first order, and where everything is.

use std::time::Duration;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::home::Home;
use super::say;
use super::stack::{DATABASE, Stack};
use crate::eventually::wait_for;
use crate::postgres::{PASSWORD, USER};

const SETTLED_DEADLINE: Duration = Duration::from_secs(60);

/// Places an order, waits until it is confirmed, and prints what to do next.
pub(super) async fn show(stack: &Stack, home: &Home) -> Result<()> {
    let api = format!("http://127.0.0.1:{}", stack.http_port);
    let order = json!({"productId": "1", "quantity": 1, "paymentMethod": "pm_card_visa"});
    say("\nplacing a first order:\n");
    say(&format!("  curl {api}/orders -H 'content-type: application/json' -d '{order}'\n"));
    let http = crate::http_client::local();
    let placed = http.post(format!("{api}/orders")).json(&order).send().await?;
    let placed: Value = placed.error_for_status()?.json().await?;
    say(&format!("  {placed}\n"));
    let id = placed.get("id").and_then(Value::as_str).ok_or_else(|| anyhow!("it has no id"))?;
    let url = format!("{api}/orders/{id}");
    let settled = wait_for("the first order to be confirmed", SETTLED_DEADLINE, async || {
        let reply = async { http.get(&url).send().await?.error_for_status()?.json().await };
        match reply.await {
            Ok(order) if status(&order) == Some("Confirmed") => Ok(order),
            Ok(order) => Err(order.to_string()),
            Err(error) => Err(error.to_string()),
        }
    });
    say(&format!("  curl {url}\n\n  {}\n", settled.await?));
    say(&places(stack, home, &api));
    Ok(())
}

fn status(order: &Value) -> Option<&str> {
    order.get("status").and_then(Value::as_str)
}

fn places(stack: &Stack, home: &Home, api: &str) -> String {
    let (database_port, logs) = (stack.postgres.port(), home.logs());
    let psql = format!("psql postgres://{USER}:{PASSWORD}@127.0.0.1:{database_port}/{DATABASE}");
    let numbers = stack.metrics_urls().map(|(name, url)| format!("{url} ({name})"));
    let numbers = numbers.collect::<Vec<_>>().join("\n               ");
    format!(
        "Ordermill is running.\n\n  \
         Swagger UI   {api}/swagger-ui/\n  \
         the API      {api}/orders\n  \
         the audit    {}\n  \
         PostgreSQL   {psql}\n  \
         RabbitMQ     {} (guest, guest)\n  \
         its AMQP     {}\n  \
         logs         {}\n  \
         numbers      {numbers}\n\n\
         Ctrl-C stops it all.",
        stack.audit_url,
        stack.rabbitmq.management_url(),
        stack.rabbitmq.url("%2f"),
        logs.display()
    )
}
