//! The pages around the API: the OpenAPI document and Swagger UI.

use actix_web::http::Method;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use service::{Problem, Routes};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use super::error::Answer;
use super::links;

/// Path of the OpenAPI document.
const DOCUMENT: &str = "/api-docs/openapi.json";
/// The document as Swagger UI's page refers to it.
pub(super) const DOCUMENT_FROM_PAGE: &str = "../api-docs/openapi.json";

/// Adds the pages, which the document does not list.
pub(super) fn add_pages(routes: &mut Routes) {
    routes.add(Method::GET, DOCUMENT, document);
    routes.add(Method::GET, "/", to_swagger_ui);
    routes.add(Method::GET, "/swagger-ui", to_swagger_ui);
    routes.add(Method::GET, "/swagger-ui/{file:.*}", swagger_ui);
}

async fn document(document: Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document)
}

async fn to_swagger_ui(request: HttpRequest) -> HttpResponse {
    let page = links::page(&request, "swagger-ui/");
    HttpResponse::Found().insert_header((header::LOCATION, page)).finish()
}

/// A file of Swagger UI. The service of utoipa-swagger-ui would answer an unknown file without a
/// problem.
async fn swagger_ui(file: Path<String>, config: Data<Config<'static>>) -> Answer {
    let found = utoipa_swagger_ui::serve(&file, config.into_inner()).map_err(|error| {
        log::error!("Swagger UI: {error}");
        Problem::internal()
    })?;
    let Some(found) = found else {
        return Err(Problem::not_found(format!("There is nothing at `/swagger-ui/{file}`.")).into());
    };
    let mut answer = HttpResponse::Ok();
    if found.gzpipped {
        answer.insert_header(ContentEncoding::Gzip);
    }
    Ok(answer.content_type(found.content_type).body(found.bytes.into_owned()))
}
