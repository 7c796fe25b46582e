//! The OpenAPI document: what every operation can answer.

use std::collections::BTreeMap;

use utoipa::OpenApi;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Ref, RefOr};

use super::problem::{self, PROBLEM_JSON};
use super::{customers, dead_letters, orders, products, timeline};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ordermill",
        description = "Takes orders, has them paid, and tells how it ended. Every error is \
                       `application/problem+json` (RFC 9457)."
    ),
    paths(
        orders::place, orders::read, orders::list, timeline::read,
        products::create, products::read, products::list, products::change, products::archive,
        customers::create, customers::read, customers::list, customers::change,
        customers::archive, live, ready, actuator,
    ),
    components(schemas(problem::ProblemBody, super::order_dto::StatusView)),
    tags(
        (name = "orders", description = "Placed once, settled once."),
        (name = "products", description = "What is sold, and at which price."),
        (name = "customers", description = "Who buys."),
        (name = "health", description = "Whether this process is of use."),
    )
)]
pub(crate) struct ApiDoc;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ordermill for operators",
        description = "Messages that could not be read, or kept killing their readers: look at \
                       them, put them back, or discard them. There is no authentication: keep this \
                       port to those who may use it. docs/operations.md tells what to do when."
    ),
    paths(
        dead_letters::list, dead_letters::show, dead_letters::replay, dead_letters::replay_all,
        dead_letters::discard, dead_letters::actions, dead_letters::action,
    ),
    components(schemas(problem::ProblemBody)),
    tags((name = "dead letters", description = "Looked at where they lie; every action is recorded."))
)]
pub(crate) struct OperatorsDoc;

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", tag = "health",
    responses((status = 200, description = "It runs.", body = HealthView)))]
#[expect(dead_code, reason = "only the OpenAPI document names it; common serves it")]
fn live() {}

/// Whether the process is of use: the database answers, the broker takes messages, and the
/// consumer of results consumes.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, description = "All parts are up.", body = HealthView),
              (status = 503, description = "A part is not; it says why.", body = HealthView)))]
#[expect(dead_code, reason = "only the OpenAPI document names it; common serves it")]
fn ready() {}

/// The same as `/health/ready`, where Spring's tools look for it.
#[utoipa::path(get, path = "/actuator/health", tag = "health",
    responses((status = 200, description = "All parts are up.", body = HealthView),
              (status = 503, description = "A part is not; it says why.", body = HealthView)))]
#[expect(dead_code, reason = "only the OpenAPI document names it; common serves it")]
fn actuator() {}

/// How the process is.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only the OpenAPI document names it; common serves it")]
struct HealthView {
    /// `UP` or `DOWN`.
    #[schema(example = "UP")]
    status: String,
    /// `UP`, or why not, part by part.
    #[schema(example = json!({"consumer": "UP", "database": "UP", "publisher": "UP"}))]
    components: std::collections::BTreeMap<String, String>,
}

/// The problem answers of an operation, for the OpenAPI document.
pub(crate) fn documented(answers: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let always = [
        ("408", "The body did not arrive in time."),
        ("500", "Something is wrong here; the log tells more under `requestId`."),
        ("503", "The store does not answer, or too much is waiting; see `Retry-After`."),
    ];
    let schema = || Ref::from_schema_name("ProblemBody");
    let one = |(status, description): (&str, &str)| {
        let content = ContentBuilder::new().schema(Some(schema())).build();
        let response =
            ResponseBuilder::new().description(description).content(PROBLEM_JSON, content);
        (status.to_owned(), RefOr::T(response.build()))
    };
    answers.iter().copied().chain(always).map(one).collect()
}
