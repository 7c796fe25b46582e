//! The clients' requests and answers, as the clients saw them. Times are seconds since the campaign
//! began.

use serde::Serialize;
use uuid::Uuid;

/// The card an order is paid with, which decides the order's final status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Card {
    /// Paid.
    Visa,
    /// Declined by the gateway.
    Declined,
    /// Declined: the total is above the gateway's limit.
    TooMuch,
    /// Paid after two errors of the gateway.
    ErrsTwice,
    /// Paid, but the gateway never answers.
    SilentCapture,
    /// Never paid, and the gateway never answers.
    NeverAnswers,
}

impl Card {
    /// The payment method and the quantity of the request, for an article at 199.00.
    pub(super) fn order(self) -> (&'static str, u32) {
        match self {
            Card::Visa => ("pm_card_visa", 1),
            Card::Declined => ("pm_card_chargeDeclined", 1),
            Card::TooMuch => ("pm_card_visa", 6),
            Card::ErrsTwice => ("pm_card_errorsTwice", 1),
            Card::SilentCapture => ("pm_card_captureThenTimeout", 1),
            Card::NeverAnswers => ("pm_card_neverAnswers", 1),
        }
    }

    /// True if the first attempt at the charge returns no verdict, even without a fault.
    pub(super) fn is_slow(self) -> bool {
        match self {
            Card::Visa | Card::Declined | Card::TooMuch => false,
            Card::ErrsTwice | Card::SilentCapture | Card::NeverAnswers => true,
        }
    }

    /// The status of the order at the end.
    pub(super) fn end(self) -> &'static str {
        match self {
            Card::Visa | Card::ErrsTwice | Card::SilentCapture => "Confirmed",
            Card::Declined | Card::TooMuch => "Canceled",
            Card::NeverAnswers => "Pending",
        }
    }
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// `201` or `200`, with the order's id and status.
    Order { id: Uuid, status: String },
    /// Another status, and the presence of `Retry-After`.
    Refusal { status: u16, retry_after: bool, text: String },
    /// No answer, with the cause. The request may have had its effect.
    Silence(String),
}

/// One request with its answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Attempt {
    /// Time of the request.
    pub(super) at: f64,
    /// Seconds until the answer.
    pub(super) took: f64,
    /// Number of the order-management process that was asked.
    pub(super) process: usize,
    /// The answer.
    pub(super) answer: Answer,
}

/// An order that a client placed under a key, with every attempt.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Placement {
    /// The `Idempotency-Key`.
    pub(super) key: String,
    /// The card.
    pub(super) card: Card,
    /// Every request until the first `201`, or until the client gave up.
    pub(super) attempts: Vec<Attempt>,
    /// True if the client gives up after its first attempt.
    pub(super) gives_up: bool,
}

impl Placement {
    /// The id of the first answer with an order.
    pub(super) fn accepted(&self) -> Option<Uuid> {
        self.attempts.iter().find_map(|attempt| match &attempt.answer {
            Answer::Order { id, .. } => Some(*id),
            Answer::Refusal { .. } | Answer::Silence(_) => None,
        })
    }
}

/// A request for an order that was accepted before.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FollowUp {
    /// The order.
    pub(super) order: Uuid,
    /// Its key.
    pub(super) key: String,
    /// The kind of request.
    pub(super) kind: FollowUpKind,
    /// The request with its answer.
    pub(super) seen: Attempt,
}

/// The kinds of requests for an accepted order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FollowUpKind {
    /// `GET`.
    Read,
    /// `POST` with the same key and body.
    Again,
    /// `POST` with the same key and another body.
    OtherBody,
}

/// All requests of all clients.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct History {
    /// Orders that clients placed.
    pub(super) placements: Vec<Placement>,
    /// Later requests for these orders.
    pub(super) later: Vec<FollowUp>,
}
