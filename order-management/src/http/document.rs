//! The OpenAPI documents: general texts, and the problems of each operation, which follow from the
//! signature of its handler.

use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Path, Query};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Responder};
use db::{Db, Reads};
use service::problem::PROBLEM_JSON;
use service::{ProblemBody, Readiness, Routes};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{PathItem, Ref, RefOr};
use utoipa::{OpenApi, PartialSchema as _, ToSchema as _};

use super::error::Answer;
use super::input::JsonBody;
use crate::catalog::Catalog;
use crate::dead_letters::DeadLetters;
use crate::orders::{Intake, Timelines};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ordermill",
        description = "Accepts orders, requests their payment, and reports the result. Every error is \
                       `application/problem+json` (RFC 9457)."
    ),
    servers((url = "..", description = "This server, below any prefix that a proxy gives it.")),
    components(schemas(super::order_dto::StatusView)),
    tags(
        (name = "orders", description = "Each order is placed once and settled once."),
        (name = "products", description = "The products with their prices."),
        (name = "customers", description = "The customers who place orders."),
        (name = "health", description = "The state of this process."),
    )
)]
pub(super) struct ApiDocument;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ordermill for operators",
        description = "Dead letters, which are messages that no reader could process: list, replay or \
                       discard them. The port has no authentication: only operators may reach it. \
                       docs/operations.md describes the procedures."
    ),
    servers((url = "..", description = "This server, below any prefix that a proxy gives it.")),
    tags((name = "dead letters", description = "Dead letters stay in their queue while they are \
                                                listed; every action is recorded."))
)]
pub(super) struct OperatorsDocument;

/// Routes with their document.
pub(crate) struct DocumentedRoutes {
    pub(super) routes: Routes,
    pub(super) document: utoipa::openapi::OpenApi,
}

impl DocumentedRoutes {
    /// No routes, and a document with general texts only.
    pub(super) fn new(mut document: utoipa::openapi::OpenApi) -> DocumentedRoutes {
        let components = document.components.get_or_insert_default();
        let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
        ProblemBody::schemas(&mut schemas);
        components.schemas.extend(schemas);
        DocumentedRoutes { routes: Routes::default(), document }
    }

    /// Adds a handler at the path and the method of its `#[utoipa::path]`, which `operation` has.
    pub(super) fn add<F, Args>(&mut self, mut operation: utoipa::openapi::OpenApi, handler: F)
    where
        F: Handler<Args>,
        F::Output: Causes + Responder + 'static,
        Args: Causes + FromRequest + 'static,
    {
        for (path, item) in &mut operation.paths.paths {
            let Some((method, operation)) = operation_of(item) else { continue };
            let causes = [Args::problems(), F::Output::problems()].concat();
            add_problems(operation, &causes);
            self.routes.add(method, path, handler.clone());
        }
        self.document.merge(operation);
    }
}

fn operation_of(item: &mut PathItem) -> Option<(Method, &mut Operation)> {
    let operations = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    operations.into_iter().find_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds `causes` to the responses, except for a status that the operation describes itself. Every error
/// without a body of its own has a problem as its body.
fn add_problems(operation: &mut Operation, causes: &[Cause]) {
    let responses = &mut operation.responses.responses;
    for cause in causes {
        let status = cause.status.as_str();
        if !responses.contains_key(status) {
            let response = ResponseBuilder::new().description(cause.description).build();
            responses.insert(status.to_owned(), RefOr::T(response));
        }
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && status.as_str() >= "400"
            && response.content.is_empty()
        {
            add_problem_body(response);
        }
    }
}

fn add_problem_body(response: &mut Response) {
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
}

/// A problem that a part of a handler's signature can cause.
#[derive(Clone, Copy)]
pub(crate) struct Cause {
    status: StatusCode,
    description: &'static str,
}

/// A part of a handler's signature: an argument, all arguments, or the result.
pub(crate) trait Causes {
    /// The problems that it can cause.
    fn problems() -> Vec<Cause>;
}

/// Declares the problems of each argument and result.
macro_rules! causes {
    ($($part:ty $(where $generic:ident)?: { $($status:ident $description:literal)* })*) => {$(
        impl $(<$generic>)? Causes for $part {
            fn problems() -> Vec<Cause> {
                vec![$(Cause { status: StatusCode::$status, description: $description }),*]
            }
        }
    )*};
}

causes! {
    JsonBody<T> where T: {
        BAD_REQUEST "The body is not JSON."
        REQUEST_TIMEOUT "The body did not arrive within 10 seconds."
        PAYLOAD_TOO_LARGE "The body is larger than 16384 bytes."
        UNSUPPORTED_MEDIA_TYPE "`Content-Type` is not `application/json`, or the body has a `Content-Encoding`."
        UNPROCESSABLE_ENTITY "Fields are invalid; `errors` lists all of them."
    }
    Query<T> where T: {
        UNPROCESSABLE_ENTITY "Query parameters are invalid; `errors` lists all of them."
    }
    Path<T> where T: {
        NOT_FOUND "No object has this id."
    }
    Data<Db>: {
        SERVICE_UNAVAILABLE "The database does not answer; see `Retry-After`."
    }
    Data<Reads>: {
        SERVICE_UNAVAILABLE "The database does not answer; see `Retry-After`."
    }
    Data<Catalog>: {
        SERVICE_UNAVAILABLE "The database does not answer; see `Retry-After`."
    }
    Data<Timelines>: {
        SERVICE_UNAVAILABLE "The database does not answer; see `Retry-After`."
    }
    Data<Intake>: {
        SERVICE_UNAVAILABLE "The database does not answer, or too many orders wait for it; see `Retry-After`."
    }
    Data<DeadLetters>: {
        SERVICE_UNAVAILABLE "RabbitMQ or the database does not answer; see `Retry-After`."
    }
    Data<Readiness>: {}
    HttpRequest: {}
    (): {}
    HttpResponse: {}
    Answer: {
        INTERNAL_SERVER_ERROR "Internal error; the log has the cause under `requestId`."
    }
}

/// Implements [`Causes`] for the arguments of a handler.
macro_rules! causes_of_arguments {
    ($(($($argument:ident),+))+) => {$(
        impl<$($argument: Causes),+> Causes for ($($argument,)+) {
            fn problems() -> Vec<Cause> {
                [$($argument::problems()),+].concat()
            }
        }
    )+};
}

causes_of_arguments! { (A) (A, B) (A, B, C) (A, B, C, D) }
