//! What the clients did and what they were answered, as they saw it. Times are seconds since the
//! campaign began.

use serde::Serialize;
use uuid::Uuid;

/// What the order is paid with, and so how it has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Card {
    /// Pays.
    Visa,
    /// Declined by the gateway.
    Declined,
    /// Pays, but the total is above what the gateway takes.
    TooMuch,
    /// The gateway errs twice and then takes the money.
    ErrsTwice,
    /// The gateway takes the money and never says so.
    SilentCapture,
    /// The gateway never answers and never takes the money.
    NeverAnswers,
}

impl Card {
    /// As it stands in the request: payment method and quantity of an article for 199.00.
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

    /// Whether its charge has no verdict at first, whatever works.
    pub(super) fn is_slow(self) -> bool {
        match self {
            Card::Visa | Card::Declined | Card::TooMuch => false,
            Card::ErrsTwice | Card::SilentCapture | Card::NeverAnswers => true,
        }
    }

    /// The status it has to have in the end.
    pub(super) fn end(self) -> &'static str {
        match self {
            Card::Visa | Card::ErrsTwice | Card::SilentCapture => "Confirmed",
            Card::Declined | Card::TooMuch => "Canceled",
            Card::NeverAnswers => "Pending",
        }
    }
}

/// What came back from one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// `201` or `200`, with the order's id and status.
    Order { id: Uuid, status: String },
    /// Another status, and whether it says when to come back.
    Refusal { status: u16, retry_after: bool, text: String },
    /// Nothing, and why: what was asked for may have happened.
    Silence(String),
}

/// One try.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Try {
    /// When it was sent.
    pub(super) at: f64,
    /// How long it took.
    pub(super) took: f64,
    /// To which order-management process.
    pub(super) process: usize,
    /// What came back.
    pub(super) answer: Answer,
}

/// An order that a client wanted under a key, and how often it asked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Placing {
    /// The `Idempotency-Key`.
    pub(super) key: String,
    /// What it is paid with.
    pub(super) card: Card,
    /// Every request until the first `201`, or until the client gave up.
    pub(super) tries: Vec<Try>,
    /// Whether the client meant to give up after the first try without an answer.
    pub(super) fickle: bool,
}

impl Placing {
    /// The id it was answered with, if it was.
    pub(super) fn accepted(&self) -> Option<Uuid> {
        self.tries.iter().find_map(|t| match &t.answer {
            Answer::Order { id, .. } => Some(*id),
            Answer::Refusal { .. } | Answer::Silence(_) => None,
        })
    }
}

/// A request about an order that was accepted before.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Later {
    /// The order.
    pub(super) order: Uuid,
    /// Its key.
    pub(super) key: String,
    /// What was asked.
    pub(super) asked: Asked,
    /// What came back.
    pub(super) seen: Try,
}

/// What one can ask about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Asked {
    /// `GET`.
    Read,
    /// `POST` with the same key and body.
    Again,
    /// `POST` with the same key and another body.
    OtherBody,
}

/// Everything the clients did.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct History {
    /// Orders wanted.
    pub(super) placings: Vec<Placing>,
    /// What was asked about them later.
    pub(super) later: Vec<Later>,
}
