//! The problems of products and customers.

use actix_web::http::StatusCode;
use service::{Problem, ProblemType};

use super::{ApiError, key_in_use, key_reused};
use crate::catalog::CatalogError;

const ARCHIVED: ProblemType =
    ProblemType { name: "archived", title: "Archived", status: StatusCode::CONFLICT };
const PRECONDITION_FAILED: ProblemType = ProblemType {
    name: "precondition-failed",
    title: "Precondition failed",
    status: StatusCode::PRECONDITION_FAILED,
};
const PRECONDITION_REQUIRED: ProblemType = ProblemType {
    name: "precondition-required",
    title: "Precondition required",
    status: StatusCode::PRECONDITION_REQUIRED,
};

impl ApiError {
    /// An error about the object `id` of a kind.
    pub(in crate::http) fn about(
        kind: &str,
        id: impl std::fmt::Display,
        error: CatalogError,
    ) -> ApiError {
        if error == CatalogError::Unknown {
            return ApiError::no_such(kind, id);
        }
        error.into()
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> ApiError {
        match error {
            CatalogError::Unknown => Problem::not_found("There is no such object.").into(),
            CatalogError::Archived => {
                let detail = "An archived object cannot be changed. Restore it first.";
                Problem::new(&ARCHIVED, detail).into()
            }
            CatalogError::ConditionMissing => Problem::new(
                &PRECONDITION_REQUIRED,
                "Send the `ETag` of the state that you change as `If-Match`, or `If-Match: *` to change \
                 any state.",
            )
            .into(),
            CatalogError::ConditionFailed => Problem::new(
                &PRECONDITION_FAILED,
                "The object has changed since. Read it again, and decide with its new `ETag`.",
            )
            .into(),
            CatalogError::KeyInUse(_) => key_in_use().into(),
            CatalogError::KeyReused => key_reused().into(),
            CatalogError::Store(error) => error.into(),
        }
    }
}
