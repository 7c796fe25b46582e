//! The fields that dead letters and actions have in common.

use domain::{OrderId, rfc3339};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// Largest number of orders that are listed for a dead letter.
pub(crate) const ORDERS_SHOWN: usize = 10;

/// A body: as text if it is UTF-8, otherwise in hexadecimal digits.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BodyView {
    /// The body, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// The body, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body_hex: Option<String>,
    /// The AMQP properties and headers.
    pub(crate) properties: serde_json::Value,
}

impl BodyView {
    pub(super) fn of(body: &[u8], properties: &str) -> BodyView {
        let text = std::str::from_utf8(body).ok().map(str::to_owned);
        let hex = || body.iter().map(|byte| format!("{byte:02x}")).collect();
        BodyView {
            body_hex: if text.is_none() { Some(hex()) } else { None },
            body: text,
            properties: serde_json::from_str(properties).unwrap_or_default(),
        }
    }
}

pub(super) fn named(orders: &[OrderId]) -> Vec<String> {
    orders.iter().take(ORDERS_SHOWN).map(ToString::to_string).collect()
}

/// The text of a time.
pub(super) fn time_text(time: OffsetDateTime) -> String {
    rfc3339::format(time)
}
