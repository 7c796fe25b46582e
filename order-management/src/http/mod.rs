//! The HTTP API. `routes.rs` has the route tables, `error.rs` turns errors into problems.

mod answers;
mod conditions;
mod cors;
mod customer_dto;
mod customers;
mod dead_letter_dto;
mod dead_letters;
mod document;
mod error;
mod health;
mod input;
mod links;
mod order_dto;
mod orders;
mod page;
mod pages;
mod product_dto;
mod products;
pub mod reading;
mod routes;
mod static_file;
mod swagger_ui;
mod timeline;
mod timeline_dto;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, PayloadConfig, QueryConfig, ServiceConfig};
use service::{unknown_route, with_request_span};

pub(crate) use self::cors::{CorsOrigins, cors};
use self::document::DocumentedRoutes;
use self::pages::Pages;
use crate::swagger_switch::SwaggerUi;

/// Registers the API. The handlers find their use cases in the app's data.
pub(crate) fn api(config: &mut ServiceConfig, swagger_ui: SwaggerUi) {
    register(routes::api(), config, swagger_ui);
}

/// Registers the operators' routes on the ops port, beside those of every program.
pub(crate) fn operators(config: &mut ServiceConfig, swagger_ui: SwaggerUi) {
    let scope = web::scope("").wrap(from_fn(with_request_span));
    config.service(scope.configure(|config| register(routes::operators(), config, swagger_ui)));
}

fn register(routes: DocumentedRoutes, config: &mut ServiceConfig, swagger_ui: SwaggerUi) {
    let DocumentedRoutes { mut routes, document } = routes;
    pages::add_pages(&mut routes, swagger_ui);
    routes.configure(config);
    config
        .app_data(PayloadConfig::new(input::BODY_MAX))
        .app_data(
            QueryConfig::default().error_handler(|error, _| input::wrong_query(&error).into()),
        )
        .app_data(Data::new(Pages::of(&document, swagger_ui)))
        .default_service(web::to(unknown_route));
}
