//! Products over HTTP.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use db::{Db, Reads, products};
use domain::ProductId;

use super::error::{Answer, ApiError};
use super::input::JsonBody;
use super::page::{PageOf, PageQuery};
use super::product_dto::{ProductBody, ProductPatch, ProductView};

/// Add a product.
#[utoipa::path(
    post, path = "/products", tag = "products", operation_id = "createProduct", request_body = ProductBody,
    responses((status = 201, description = "The product was stored.", body = ProductView,
               headers(("Location" = String, description = "The path of the product."))))
)]
pub(super) async fn create(db: Data<Db>, JsonBody(body): JsonBody<ProductBody>) -> Answer {
    let (name, price, currency) = body.validate()?;
    let product = products::create(&db, &name, price, currency).await?;
    let location = (header::LOCATION, format!("/products/{}", product.id));
    Ok(HttpResponse::Created().insert_header(location).json(ProductView::from(&product)))
}

/// Read a product, archived or not.
#[utoipa::path(
    get, path = "/products/{id}", tag = "products", operation_id = "getProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1")),
    responses((status = 200, description = "The product.", body = ProductView))
)]
pub(super) async fn read(db: Data<Reads>, id: Path<String>) -> Answer {
    let id = parse_id(&id)?;
    let product = products::get(&db, id).await?.ok_or_else(|| unknown(id))?;
    Ok(HttpResponse::Ok().json(ProductView::from(&product)))
}

/// List products that are not archived, in the order of their ids.
#[utoipa::path(
    get, path = "/products", tag = "products", operation_id = "listProducts", params(PageQuery),
    responses((status = 200, description = "A page of products.", body = PageOf<ProductView>))
)]
pub(super) async fn list(db: Data<Reads>, query: Query<PageQuery>) -> Answer {
    let (after, limit) = query.page()?;
    let found = products::list(&db, after, limit).await?;
    Ok(HttpResponse::Ok().json(PageOf::<ProductView>::new(&found)))
}

/// Change a product. Orders keep the price they were placed at.
#[utoipa::path(
    patch, path = "/products/{id}", tag = "products", operation_id = "changeProduct", request_body = ProductPatch,
    params(("id" = String, Path, description = "The product's id.", example = "1")),
    responses((status = 200, description = "The product after the change.", body = ProductView),
              (status = 409, description = "The product is archived and cannot be changed."))
)]
pub(super) async fn change(
    db: Data<Db>,
    id: Path<String>,
    JsonBody(body): JsonBody<ProductPatch>,
) -> Answer {
    let id = parse_id(&id)?;
    let (name, price) = body.validate()?;
    match products::update(&db, id, name.as_ref(), price).await? {
        Some(product) => Ok(HttpResponse::Ok().json(ProductView::from(&product))),
        None if products::get(&db, id).await?.is_some() => Err(ApiError::archived()),
        None => Err(unknown(id)),
    }
}

/// Archive a product. Its orders stay; new orders are refused.
#[utoipa::path(
    delete, path = "/products/{id}", tag = "products", operation_id = "archiveProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1")),
    responses((status = 204, description = "The product is archived, now or before."))
)]
pub(super) async fn archive(db: Data<Db>, id: Path<String>) -> Answer {
    let id = parse_id(&id)?;
    match products::archive(&db, id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(unknown(id)),
    }
}

fn parse_id(id: &str) -> Result<ProductId, ApiError> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: impl std::fmt::Display) -> ApiError {
    ApiError::no_such("product", id)
}
