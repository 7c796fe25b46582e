//! The HTTP API: this file is the route table, the only one.

mod customers;
mod dead_letters;
mod document;
mod input;
mod order_dto;
mod orders;
mod page;
mod problem;
mod products;
pub mod reading;
mod request;
mod timeline;
mod timeline_dto;

use actix_web::error::QueryPayloadError;
use actix_web::http::header::ContentEncoding;
use actix_web::middleware::from_fn;
use actix_web::web::{self, PayloadConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard};
use serde::{Serialize, Serializer};
use service::ops_server;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use document::{ApiDoc, OperatorsDoc};
use problem::Problem;
pub(crate) use request::{Draining, with_request_id};

/// Where the OpenAPI document lies.
const DOCUMENT: &str = "/api-docs/openapi.json";

/// Every route there is. What the routes need lies in the app's data.
pub(crate) fn routes(routes: &mut ServiceConfig) {
    routes
        .app_data(PayloadConfig::new(input::BODY_MAX))
        .app_data(QueryConfig::default().error_handler(|error, _| wrong_query(&error).into()))
        .service(
            at("/orders", "GET, HEAD, POST")
                .route(read().to(orders::list))
                .route(web::post().to(orders::place)),
        )
        .service(at("/orders/{id}", "GET, HEAD").route(read().to(orders::read)))
        .service(at("/orders/{id}/timeline", "GET, HEAD").route(read().to(timeline::read)))
        .service(
            at("/products", "GET, HEAD, POST")
                .route(read().to(products::list))
                .route(web::post().to(products::create)),
        )
        .service(
            at("/products/{id}", "GET, HEAD, PATCH, DELETE")
                .route(read().to(products::read))
                .route(web::patch().to(products::change))
                .route(web::delete().to(products::archive)),
        )
        .service(
            at("/customers", "GET, HEAD, POST")
                .route(read().to(customers::list))
                .route(web::post().to(customers::create)),
        )
        .service(
            at("/customers/{id}", "GET, HEAD, PATCH, DELETE")
                .route(read().to(customers::read))
                .route(web::patch().to(customers::change))
                .route(web::delete().to(customers::archive)),
        )
        .service(at("/health/live", "GET, HEAD").route(read().to(ops_server::live)))
        .service(at("/health/ready", "GET, HEAD").route(read().to(ops_server::ready)))
        .service(at("/actuator/health", "GET, HEAD").route(read().to(ops_server::ready)))
        .service(at("/", "GET, HEAD").route(read().to(to_swagger)))
        .service(at("/swagger-ui", "GET, HEAD").route(read().to(to_swagger)))
        .app_data(web::Data::new(ApiDoc::openapi()))
        .service(at(DOCUMENT, "GET, HEAD").route(read().to(document)))
        .app_data(web::Data::new(Config::from(DOCUMENT)))
        .service(at("/swagger-ui/{file:.*}", "GET, HEAD").route(read().to(swagger)))
        .default_service(web::to(unknown_route));
}

/// The routes on the port for operators, beside those that every process has there.
pub(crate) fn operators_routes(routes: &mut ServiceConfig) {
    routes
        .app_data(PayloadConfig::new(input::BODY_MAX))
        .app_data(QueryConfig::default().error_handler(|error, _| wrong_query(&error).into()))
        .service(
            web::scope("")
                .wrap(from_fn(with_request_id))
                .service(at("/dead-letters", "GET, HEAD").route(read().to(dead_letters::list)))
                .service(
                    at("/dead-letters/replay", "POST")
                        .route(web::post().to(dead_letters::replay_all)),
                )
                .service(
                    at("/dead-letters/actions", "GET, HEAD")
                        .route(read().to(dead_letters::actions)),
                )
                .service(
                    at("/dead-letters/actions/{id}", "GET, HEAD")
                        .route(read().to(dead_letters::action)),
                )
                .service(at("/dead-letters/{id}", "GET, HEAD").route(read().to(dead_letters::show)))
                .service(
                    at("/dead-letters/{id}/replay", "POST")
                        .route(web::post().to(dead_letters::replay)),
                )
                .service(
                    at("/dead-letters/{id}/discard", "POST")
                        .route(web::post().to(dead_letters::discard)),
                )
                .app_data(web::Data::new(Config::from(DOCUMENT)))
                .service(at("/swagger-ui/{file:.*}", "GET, HEAD").route(read().to(swagger)))
                .service(at("/", "GET, HEAD").route(read().to(to_swagger)))
                .service(at("/swagger-ui", "GET, HEAD").route(read().to(to_swagger)))
                .service(at(DOCUMENT, "GET, HEAD").route(read().to(operators_document)))
                .default_service(web::to(unknown_route)),
        );
}

fn wrong_query(error: &QueryPayloadError) -> Problem {
    let text = error.to_string();
    Problem::field("query", text.trim_start_matches("Query deserialize error: "))
}

/// A path that answers 405 to everything but its routes.
fn at(path: &str, allowed: &'static str) -> Resource {
    let refuse =
        move || std::future::ready(Err::<HttpResponse, _>(Problem::MethodNotAllowed(allowed)));
    web::resource(path).default_service(web::to(refuse))
}

fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn to_swagger() -> HttpResponse {
    HttpResponse::Found().insert_header(("Location", "/swagger-ui/")).finish()
}

/// A file of Swagger UI. Its own service would answer to what is not there without a problem.
async fn swagger(
    file: web::Path<String>,
    config: web::Data<Config<'static>>,
) -> Result<HttpResponse, Problem> {
    match utoipa_swagger_ui::serve(&file, config.into_inner()) {
        Ok(Some(found)) => {
            let mut answer = HttpResponse::Ok();
            if found.gzpipped {
                answer.insert_header(ContentEncoding::Gzip);
            }
            Ok(answer.content_type(found.content_type).body(found.bytes.into_owned()))
        }
        Ok(None) => Err(Problem::NotFound(format!("There is nothing at `/swagger-ui/{file}`."))),
        Err(error) => {
            log::error!("Swagger UI: {error}");
            Err(Problem::Internal)
        }
    }
}

async fn document(document: web::Data<utoipa::openapi::OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document)
}

async fn operators_document() -> HttpResponse {
    HttpResponse::Ok().json(OperatorsDoc::openapi())
}

async fn unknown_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::NotFound(format!("There is nothing at `{}`.", request.path())))
}

/// RFC 3339 in UTC, with as many digits as are needed.
fn rfc3339<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text = time.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    text.serialize(serializer)
}

fn rfc3339_option<S: Serializer>(
    time: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}
