use amqp::DeadLetter;
use domain::{OrderId, OrderStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{BodyView, named, time_text};

/// Length of a preview in characters.
const PREVIEW: usize = 200;

/// A dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LetterView {
    /// The id, which stays the same while the dead letter is in its queue.
    #[schema(example = "8f14e45fceea167a5a36dedd4bea2543", pattern = "^[0-9a-f]{32}$")]
    pub(crate) id: String,
    /// The dead-letter queue.
    #[schema(example = "processedorders.dead")]
    pub(crate) queue: String,
    /// The reason: `unreadable`, `unknown_order`, `reader_panicked`, `delivery_limit`, or the text of
    /// another sender; `none` if there is none.
    #[schema(example = "unknown_order")]
    pub(crate) reason: String,
    /// The reason as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "there is no order 0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")]
    pub(crate) detail: Option<String>,
    /// Attempts that started and did not finish.
    #[schema(example = 1)]
    pub(crate) attempts: u64,
    /// Earlier replays.
    #[schema(example = 0)]
    pub(crate) replays: u64,
    /// Number of times that this tool or another received it.
    #[schema(example = 2, maximum = 1_000_000)]
    pub(crate) looks: u64,
    /// Time of the first attempt that did not finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-20T21:32:12Z")]
    pub(crate) first_at: Option<String>,
    /// Time of dead-lettering, by the clock of the process that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-20T21:32:12Z")]
    #[serde(rename = "parkedAt")]
    pub(crate) dead_lettered_at: Option<String>,
    /// The AMQP message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// The id of the HTTP request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<String>,
    /// The orders of the message, as far as it is readable; the first ten.
    #[schema(example = json!(["0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5"]))]
    pub(crate) order_ids: Vec<String>,
    /// Number of orders of the message.
    #[schema(example = 1)]
    pub(crate) orders: usize,
    /// The size of its body in bytes.
    #[schema(example = 76)]
    pub(crate) size: usize,
    /// The beginning of the body.
    #[schema(
        example = r#"{"orderId":"0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5","paymentStatus":"successful"}"#
    )]
    pub(crate) preview: String,
}

/// The state of an order of a dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderState {
    /// The order.
    pub(crate) order_id: String,
    /// Its status; null if there is no such order.
    pub(crate) status: Option<&'static str>,
}

/// A dead letter with its body, properties and headers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WholeLetter {
    #[serde(flatten)]
    pub(crate) letter: LetterView,
    #[serde(flatten)]
    pub(crate) contents: BodyView,
    /// The states of its orders; the first ten.
    pub(crate) order_states: Vec<OrderState>,
}

/// Dead letters, by queue and then oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Listing {
    /// The dead letters.
    pub(crate) data: Vec<LetterView>,
    /// `true` if there are more: use a larger limit or a filter.
    pub(crate) more: bool,
}

/// The result of replaying many dead letters.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Replayed {
    /// Number of replayed dead letters.
    #[schema(example = 412)]
    pub(crate) replayed: usize,
    /// `true` if the limit left some of them.
    pub(crate) more: bool,
}

impl LetterView {
    pub(in crate::dead_letters) fn of(letter: &DeadLetter, orders: &[OrderId]) -> LetterView {
        // A character has four bytes at most.
        let beginning = letter.body.get(..4 * PREVIEW).unwrap_or(&letter.body);
        LetterView {
            id: letter.id.to_string(),
            queue: letter.queue.clone(),
            reason: letter.reason.clone(),
            detail: letter.detail.clone(),
            attempts: letter.attempts,
            replays: letter.replays,
            looks: letter.inspections,
            first_at: letter.first_at.map(time_text),
            dead_lettered_at: letter.dead_lettered_at.map(time_text),
            message_id: letter.message_id.clone(),
            correlation_id: letter.correlation_id.clone(),
            order_ids: named(orders),
            orders: orders.len(),
            size: letter.body.len(),
            preview: String::from_utf8_lossy(beginning).chars().take(PREVIEW).collect(),
        }
    }
}

impl WholeLetter {
    pub(in crate::dead_letters) fn of(
        letter: &DeadLetter,
        orders: &[OrderId],
        states: Vec<(OrderId, Option<OrderStatus>)>,
    ) -> WholeLetter {
        let state = |(id, status): (OrderId, Option<OrderStatus>)| OrderState {
            order_id: id.to_string(),
            status: status.map(OrderStatus::as_str),
        };
        WholeLetter {
            letter: LetterView::of(letter, orders),
            contents: BodyView::of(&letter.body, &letter.properties_json()),
            order_states: states.into_iter().map(state).collect(),
        }
    }
}
