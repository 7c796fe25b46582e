//! The pages around the API: the OpenAPI document and Swagger UI.

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use service::{Problem, Routes};
use utoipa::openapi::OpenApi;

use super::error::Answer;
use super::links;
use super::static_file::StaticFile;
use super::swagger_ui::SwaggerFiles;
use crate::swagger_switch::SwaggerUi;

/// Path of the OpenAPI document.
const DOCUMENT: &str = "/api-docs/openapi.json";
/// The document as Swagger UI's page refers to it.
const DOCUMENT_FROM_PAGE: &str = "../api-docs/openapi.json";

/// The contents of the pages.
pub(super) struct Pages {
    document: StaticFile,
    swagger_ui: Option<SwaggerFiles>,
}

impl Pages {
    /// The pages for `document`.
    pub(super) fn of(document: &OpenApi, swagger_ui: SwaggerUi) -> Pages {
        // Texts and numbers into memory: a document always serializes.
        let text = serde_json::to_vec(document).unwrap_or_default();
        Pages {
            document: StaticFile::plain("application/json".to_owned(), text.into()),
            swagger_ui: match swagger_ui {
                SwaggerUi::On => Some(SwaggerFiles::load(DOCUMENT_FROM_PAGE)),
                SwaggerUi::Off => None,
            },
        }
    }
}

/// Adds the pages, which the document does not list.
pub(super) fn add_pages(routes: &mut Routes, swagger_ui: SwaggerUi) {
    routes.add(Method::GET, DOCUMENT, document);
    if swagger_ui == SwaggerUi::On {
        routes.add(Method::GET, "/", to_swagger_ui);
        routes.add(Method::GET, "/swagger-ui", to_swagger_ui);
        routes.add(Method::GET, "/swagger-ui/{file:.*}", swagger_file);
    }
}

async fn document(pages: Data<Pages>, request: HttpRequest) -> HttpResponse {
    pages.document.answer(&request)
}

async fn to_swagger_ui(request: HttpRequest) -> HttpResponse {
    let page = links::page(&request, "swagger-ui/");
    HttpResponse::Found().insert_header((header::LOCATION, page)).finish()
}

async fn swagger_file(pages: Data<Pages>, file: Path<String>, request: HttpRequest) -> Answer {
    match pages.swagger_ui.as_ref().and_then(|files| files.get(&file)) {
        Some(file) => Ok(file.answer(&request)),
        None => {
            Err(Problem::not_found(format!("There is nothing at `/swagger-ui/{file}`.")).into())
        }
    }
}
