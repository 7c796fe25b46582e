//! The one place that turns errors of the use cases into problems. The texts of the database and of
//! RabbitMQ stay in the log.

mod catalog;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use db::orders::Refusal;
use service::problem::UNAVAILABLE;
use service::{Problem, ProblemType, request_id};

use crate::dead_letters::DeadLetterError;
use crate::orders::PlaceError;

/// The result of a handler.
pub(super) type Answer = Result<HttpResponse, ApiError>;

/// A problem that a handler answers with. A type of this crate, so that `?` converts the errors of the
/// use cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError(Problem);

const KEY_IN_USE: ProblemType = ProblemType {
    name: "idempotency-key-in-use",
    title: "Idempotency-Key in use",
    status: StatusCode::CONFLICT,
};
const KEY_REUSED: ProblemType = ProblemType {
    name: "idempotency-key-reused",
    title: "Idempotency-Key reused",
    status: StatusCode::UNPROCESSABLE_ENTITY,
};
const OVERLOADED: ProblemType = ProblemType {
    name: "overloaded",
    title: "Too many orders are waiting",
    status: StatusCode::SERVICE_UNAVAILABLE,
};
const DEAD_LETTERS_LOCKED: ProblemType = ProblemType {
    name: "dead-letters-locked",
    title: "Dead letters are locked",
    status: StatusCode::CONFLICT,
};
const BROKER_UNAVAILABLE: ProblemType = ProblemType {
    name: "broker-unavailable",
    title: "RabbitMQ is unavailable",
    status: StatusCode::SERVICE_UNAVAILABLE,
};
const REPLAY_NOT_CONFIRMED: ProblemType = ProblemType {
    name: "replay-not-confirmed",
    title: "Replay not confirmed",
    status: StatusCode::SERVICE_UNAVAILABLE,
};

impl ApiError {
    /// An id without an object: "There is no `kind` `id`."
    pub(super) fn no_such(kind: &str, id: impl std::fmt::Display) -> ApiError {
        ApiError(Problem::not_found(format!("There is no {kind} `{id}`.")))
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.0.error_response()
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> ApiError {
        ApiError(problem)
    }
}

impl From<db::Error> for ApiError {
    fn from(error: db::Error) -> ApiError {
        let request_id = request_id();
        ApiError(match error {
            db::Error::Unavailable(cause) => {
                log::warn!(request_id:%; "answered 503: {cause}");
                unavailable()
            }
            db::Error::Refused(cause) => {
                log::error!(request_id:%; "answered 500: {cause}");
                Problem::internal()
            }
        })
    }
}

fn unavailable() -> Problem {
    Problem::new(
        &UNAVAILABLE,
        "Send it again after the time in Retry-After, with the same Idempotency-Key if it had one.",
    )
}

impl From<PlaceError> for ApiError {
    fn from(error: PlaceError) -> ApiError {
        match error {
            PlaceError::Refused(refusal) => refused(refusal).into(),
            PlaceError::KeyInUse(_) => key_in_use().into(),
            PlaceError::Full => Problem::new(
                &OVERLOADED,
                "Nothing was stored: send it again after the time in Retry-After.",
            )
            .into(),
            PlaceError::Unavailable(cause) => db::Error::Unavailable(cause).into(),
            PlaceError::Broken(cause) => db::Error::Refused(cause).into(),
        }
    }
}

fn key_in_use() -> Problem {
    let detail = "The first request with this key has no answer yet. Repeat this one in a moment.";
    Problem::new(&KEY_IN_USE, detail).with_retry_after()
}

fn key_reused() -> Problem {
    Problem::new(
        &KEY_REUSED,
        "This key was used for another request. Use a new key for a new request, or repeat the first \
         body to get the first answer.",
    )
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownCustomer => Problem::invalid_field(
            "customerId",
            "must be the id of a customer that exists and is not archived",
        ),
        Refusal::UnknownProduct => Problem::invalid_field(
            "productId",
            "must be the id of a product that exists and is not archived",
        ),
        Refusal::TotalTooLarge => {
            Problem::invalid_field("quantity", "must be smaller: the total would be over 100000000")
        }
        Refusal::TotalDiffers(total) => Problem::invalid_field(
            "expectedTotal",
            format!("must be the total, which is {total}, or be left out; nothing was placed"),
        ),
        Refusal::KeyUsed => key_reused(),
        Refusal::Contended => unavailable(),
    }
}

impl From<DeadLetterError> for ApiError {
    fn from(error: DeadLetterError) -> ApiError {
        match error {
            DeadLetterError::Stopped(cause, replayed) => {
                let request_id = request_id();
                log::warn!(request_id:%, replayed; "a replay of many dead letters stopped early");
                ApiError::from(*cause).after(replayed)
            }
            DeadLetterError::Store(error) => error.into(),
            DeadLetterError::KeyInUse(_) => key_in_use().into(),
            DeadLetterError::KeyReused => key_reused().into(),
            DeadLetterError::NotFound(id) => {
                Problem::not_found(format!("There is no dead letter `{id}` (any more).")).into()
            }
            DeadLetterError::Locked(session) => Problem::new(
                &DEAD_LETTERS_LOCKED,
                format!(
                    "Nothing was done. Another session holds the lock: {session}. Two sessions \
                     would hide dead letters from each other: try again in a moment."
                ),
            )
            .into(),
            DeadLetterError::Broker(error) => {
                log::warn!(request_id:% = request_id(); "answered 503: {error}");
                Problem::new(
                    &BROKER_UNAVAILABLE,
                    "Unacked dead letters went back to their queue. The log has the cause under \
                     `requestId`.",
                )
                .into()
            }
            DeadLetterError::NotConfirmed(cause) => Problem::new(
                &REPLAY_NOT_CONFIRMED,
                format!("The broker did not take the copy: {cause}."),
            )
            .into(),
        }
    }
}

impl ApiError {
    /// Adds the number of dead letters that were replayed before a problem with RabbitMQ.
    fn after(self, replayed: usize) -> ApiError {
        let kind = self.0.kind();
        if ![&BROKER_UNAVAILABLE, &REPLAY_NOT_CONFIRMED].contains(&kind) {
            return self;
        }
        let detail = self.0.detail();
        let detail = format!("{detail} {replayed} dead letters were replayed before that.");
        ApiError(Problem::new(kind, detail))
    }
}
