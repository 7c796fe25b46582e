use amqp::DeadLetter;
use domain::{OrderId, OrderStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BodyView, named, time_text};

/// How much of a body is shown in a list, in characters.
const PREVIEW: usize = 200;

/// A dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LetterView {
    /// Its name: the same for as long as it lies in its queue.
    #[schema(example = "8f14e45fceea167a5a36dedd4bea2543", pattern = "^[0-9a-f]{32}$")]
    pub(crate) id: String,
    /// The dead-letter queue.
    #[schema(example = "processedorders.dead")]
    pub(crate) queue: String,
    /// Why it is here: `unreadable`, `unknown_order`, `reader_panicked`, `delivery_limit`, or what
    /// another sender wrote; `none` if nobody said.
    #[schema(example = "unknown_order")]
    pub(crate) reason: String,
    /// The same for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "there is no order 0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")]
    pub(crate) detail: Option<String>,
    /// How often its work was begun without an end.
    #[schema(example = 1)]
    pub(crate) attempts: u64,
    /// How often it was replayed before.
    #[schema(example = 0)]
    pub(crate) replays: u64,
    /// How often it was looked at before, by this tool or another.
    #[schema(example = 2, maximum = 1_000_000)]
    pub(crate) looks: u64,
    /// When it first left its queue unfinished.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-20T21:32:12Z")]
    pub(crate) first_at: Option<String>,
    /// When it was parked, by the clock of whoever parked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-20T21:32:12Z")]
    pub(crate) parked_at: Option<String>,
    /// The AMQP message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// The id of the HTTP request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<String>,
    /// The orders that it is about, as far as it can be read; the first ten.
    #[schema(example = json!(["0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5"]))]
    pub(crate) order_ids: Vec<String>,
    /// How many orders it is about.
    #[schema(example = 1)]
    pub(crate) orders: usize,
    /// The size of its body in bytes.
    #[schema(example = 76)]
    pub(crate) size: usize,
    /// How its body begins.
    #[schema(
        example = r#"{"orderId":"0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5","paymentStatus":"successful"}"#
    )]
    pub(crate) preview: String,
}

/// How an order is that a letter is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderState {
    /// The order.
    pub(crate) order_id: String,
    /// Its status; null if there is no such order.
    pub(crate) status: Option<&'static str>,
}

/// A dead letter with all that stands on and in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WholeLetter {
    #[serde(flatten)]
    pub(crate) letter: LetterView,
    #[serde(flatten)]
    pub(crate) contents: BodyView,
    /// How the orders are that it is about; the first ten.
    pub(crate) order_states: Vec<OrderState>,
}

/// Dead letters, by queue and then oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Listing {
    /// The letters.
    pub(crate) data: Vec<LetterView>,
    /// Whether there are more: ask with a larger limit or a filter.
    pub(crate) more: bool,
}

/// What came of replaying many.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// How many.
    #[schema(example = 412)]
    pub(crate) replayed: usize,
    /// Whether the limit left some of them.
    pub(crate) more: bool,
}

impl LetterView {
    pub(in crate::dead_letters) fn of(letter: &DeadLetter, orders: &[OrderId]) -> LetterView {
        // Four bytes are the most that a character has.
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
            parked_at: letter.parked_at.map(time_text),
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
