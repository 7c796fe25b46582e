//! Products over HTTP.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::{Reads, products};
use domain::{Product, ProductId};

use super::answers::{ObjectAnswer, mark_replayed};
use super::conditions::if_match;
use super::error::{Answer, ApiError};
use super::input::{Fields, JsonBody};
use super::page::{PageOf, PageQuery};
use super::product_dto::{ProductBody, ProductPatch, ProductView};
use crate::catalog::Catalog;

/// Add a product.
///
/// The same `Idempotency-Key` with the same body returns the first answer again and adds no second product.
#[utoipa::path(
    post, path = "/products", tag = "products", operation_id = "createProduct", request_body = ProductBody,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 201, description = "The product was stored.", body = ProductView,
               headers(("Location" = String, description = "A reference to the product."),
                       ("ETag" = String, description = "The tag of this state, for `If-Match`."),
                       ("Idempotency-Replayed" = String, description = "`true` if this answer was given before."))),
              (status = 409, description = "A request with the same `Idempotency-Key` has no answer yet; see `Retry-After`."),
              (status = 422, description = "Fields are invalid, or the key was used for another product."))
)]
pub(super) async fn create(
    catalog: Data<Catalog>,
    request: HttpRequest,
    JsonBody(body): JsonBody<ProductBody>,
) -> Answer {
    let mut fields = Fields::default();
    let key = fields.idempotency_key(&request);
    let new = body.validate(&mut fields);
    let new = fields.finish(new)?;
    let created = catalog.create_product(&new, key).await?;
    let product = &created.answer;
    let path = format!("products/{}", product.id);
    let mut answer = ObjectAnswer::new(&ProductView::from(product)).created(&request, &path);
    mark_replayed(&mut answer, created.replayed);
    Ok(answer)
}

/// Read a product, archived or not.
#[utoipa::path(
    get, path = "/products/{id}", tag = "products", operation_id = "getProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1"),
           ("If-None-Match" = Option<String>, Header, description = "The tag of a state that the client has.")),
    responses((status = 200, description = "The product.", body = ProductView,
               headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
              (status = 304, description = "The product is in the state that `If-None-Match` names.",
               headers(("ETag" = String, description = "The tag of this state."))))
)]
pub(super) async fn read(db: Data<Reads>, id: Path<String>, request: HttpRequest) -> Answer {
    let id = parse_id(&id)?;
    let product = products::get(&db, id).await?.ok_or_else(|| unknown(id))?;
    Ok(ObjectAnswer::new(&ProductView::from(&product)).read(&request))
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
///
/// `If-Match` names the state that the change is made for, so that of two people who change it at the same
/// time the second one is told. A change to the values that the product has already changes nothing.
#[utoipa::path(
    patch, path = "/products/{id}", tag = "products", operation_id = "changeProduct", request_body = ProductPatch,
    params(("id" = String, Path, description = "The product's id.", example = "1"),
           ("If-Match" = String, Header, example = "*", pattern = r#"^(\*|(W/)?"[!#-+\--~]*")$"#,
            description = "The `ETag` of the state to be changed, or several; `*` for any state.")),
    responses((status = 200, description = "The product after the change.", body = ProductView,
               headers(("ETag" = String, description = "The tag of the new state."))),
              (status = 409, description = "The product is archived and cannot be changed."),
              (status = 412, description = "The product is no longer in the state that `If-Match` names."),
              (status = 428, description = "`If-Match` is missing."))
)]
pub(super) async fn change(
    catalog: Data<Catalog>,
    id: Path<String>,
    request: HttpRequest,
    JsonBody(body): JsonBody<ProductPatch>,
) -> Answer {
    let id = parse_id(&id)?;
    let mut fields = Fields::default();
    let condition = if_match::<Product, ProductView>(&request, &mut fields);
    let change = body.validate(&mut fields);
    let change = fields.finish(Some(change))?;
    let product = catalog.change(id, &change, condition).await;
    let product = product.map_err(|error| ApiError::about("product", id, error))?;
    Ok(ObjectAnswer::new(&ProductView::from(&product)).ok())
}

/// Archive a product. Its orders stay; new orders are refused.
#[utoipa::path(
    delete, path = "/products/{id}", tag = "products", operation_id = "archiveProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1"),
           ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[!#-+\--~]*")$"#,
            description = "The `ETag` of the state to be archived; any state if left out.")),
    responses((status = 204, description = "The product is archived, now or before."),
              (status = 412, description = "The product is no longer in the state that `If-Match` names."),
              (status = 422, description = "`If-Match` is invalid."))
)]
pub(super) async fn archive(
    catalog: Data<Catalog>,
    id: Path<String>,
    request: HttpRequest,
) -> Answer {
    let id = parse_id(&id)?;
    let mut fields = Fields::default();
    let condition = if_match::<Product, ProductView>(&request, &mut fields);
    fields.finish(Some(()))?;
    let archived = catalog.archive(id, condition).await;
    archived.map_err(|error| ApiError::about("product", id, error))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Restore an archived product: it can be ordered again. A product that is not archived stays as it is.
#[utoipa::path(
    post, path = "/products/{id}/restore", tag = "products", operation_id = "restoreProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1"),
           ("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 200, description = "The product, not archived.", body = ProductView,
               headers(("ETag" = String, description = "The tag of this state, for `If-Match`."),
                       ("Idempotency-Replayed" = String, description = "`true` if this answer was given before."))),
              (status = 409, description = "A request with the same `Idempotency-Key` has no answer yet; see `Retry-After`."),
              (status = 422, description = "`Idempotency-Key` is invalid, or was used for another product."))
)]
pub(super) async fn restore(
    catalog: Data<Catalog>,
    id: Path<String>,
    request: HttpRequest,
) -> Answer {
    let id = parse_id(&id)?;
    let mut fields = Fields::default();
    let key = fields.idempotency_key(&request);
    fields.finish(Some(()))?;
    let restored = catalog.restore::<Product>(id, key).await;
    let restored = restored.map_err(|error| ApiError::about("product", id, error))?;
    let mut answer = ObjectAnswer::new(&ProductView::from(&restored.answer)).ok();
    mark_replayed(&mut answer, restored.replayed);
    Ok(answer)
}

fn parse_id(id: &str) -> Result<ProductId, ApiError> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: impl std::fmt::Display) -> ApiError {
    ApiError::no_such("product", id)
}
