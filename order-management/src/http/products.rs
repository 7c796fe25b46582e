//! Products over HTTP.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use db::{Db, products};
use domain::{Amount, Currency, Product, ProductId, ProductName};
use messages::ExactNumber;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;
use utoipa::{IntoResponses, ToSchema};

use super::document::documented;
use super::input::{Fields, JsonBody};
use super::page::{PageOf, PageQuery};
use super::problem::Problem;
use super::{rfc3339, rfc3339_option};

/// A new product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductBody {
    /// The name, on one line.
    #[schema(
        example = "Lightsaber",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        required = true,
        nullable = false
    )]
    name: Option<String>,
    /// The price of one piece in major units: an exact decimal of at most 2 places.
    #[schema(value_type = f64, example = 199.9, minimum = 0, maximum = 100000000,
             multiple_of = 0.01, required = true)]
    price: Option<Box<RawValue>>,
    /// ISO 4217; `USD` if left out.
    #[schema(example = "USD", pattern = "^(USD|EUR|GBP)$", default = "USD")]
    currency: Option<String>,
}

/// What is to change; what is left out stays. Orders keep the price they were placed at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductPatch {
    /// The new name.
    #[schema(
        example = "Lightsaber, green",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: Option<String>,
    /// The new price of one piece, in the product's currency.
    #[schema(value_type = Option<f64>, example = 189, minimum = 0, maximum = 100000000,
             multiple_of = 0.01)]
    price: Option<Box<RawValue>>,
}

impl ProductBody {
    /// Checks all of it.
    pub(crate) fn validate(&self) -> Result<(ProductName, Amount, Currency), Problem> {
        let mut fields = Fields::default();
        let name = fields.required("name", self.name.as_deref());
        let price = fields.required("price", self.price.as_deref().map(RawValue::get));
        let currency = fields.optional("currency", self.currency.as_deref());
        let (name, price) = fields.finish(name.zip(price))?;
        Ok((name, price, currency.unwrap_or(Currency::Usd)))
    }
}

impl ProductPatch {
    /// Checks all of it.
    pub(crate) fn validate(&self) -> Result<(Option<ProductName>, Option<Amount>), Problem> {
        let mut fields = Fields::default();
        let name = fields.optional("name", self.name.as_deref());
        let price = fields.optional("price", self.price.as_deref().map(RawValue::get));
        fields.finish(Some((name, price)))
    }
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductView {
    /// The id.
    #[schema(example = "1")]
    id: String,
    /// The name.
    #[schema(example = "Iphone")]
    name: String,
    /// The price of one piece in major units of `currency`.
    #[schema(value_type = f64, example = 199, minimum = 0, maximum = 100000000)]
    price: ExactNumber,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// When it was stored, RFC 3339, UTC.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339")]
    created_at: OffsetDateTime,
    /// When it last changed.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339")]
    updated_at: OffsetDateTime,
    /// Since when it is archived, if it is.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime, required = false)]
    #[serde(serialize_with = "rfc3339_option", skip_serializing_if = "Option::is_none")]
    archived_at: Option<OffsetDateTime>,
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> ProductView {
        ProductView {
            id: product.id.to_string(),
            name: product.name.as_str().to_owned(),
            price: ExactNumber(product.price),
            currency: product.currency.code(),
            created_at: product.created_at,
            updated_at: product.updated_at,
            archived_at: product.archived_at,
        }
    }
}

pub(crate) struct WriteProblems;

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        documented(&[
            ("400", "The body is not JSON."),
            ("404", "There is no such product."),
            ("409", "It is archived and cannot be changed."),
            ("413", "The body is larger than 16384 bytes."),
            ("415", "`Content-Type` is not `application/json`."),
            ("422", "Fields or query parameters are wrong."),
        ])
    }
}

/// Add a product.
#[utoipa::path(
    post, path = "/products", tag = "products", operation_id = "createProduct", request_body = ProductBody,
    responses((status = 201, description = "Stored.", body = ProductView,
               headers(("Location" = String, description = "Where it can be read."))), WriteProblems)
)]
pub(crate) async fn create(
    db: Data<Db>,
    JsonBody(body): JsonBody<ProductBody>,
) -> Result<HttpResponse, Problem> {
    let (name, price, currency) = body.validate()?;
    let product = products::create(&db, &name, price, currency).await?;
    let location = (header::LOCATION, format!("/products/{}", product.id));
    Ok(HttpResponse::Created().insert_header(location).json(ProductView::from(&product)))
}

/// Read a product, archived or not.
#[utoipa::path(
    get, path = "/products/{id}", tag = "products", operation_id = "getProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1")),
    responses((status = 200, description = "The product.", body = ProductView), WriteProblems)
)]
pub(crate) async fn read(db: Data<Db>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = known(&id)?;
    let product = products::get(&db, id).await?.ok_or_else(|| unknown(id))?;
    Ok(HttpResponse::Ok().json(ProductView::from(&product)))
}

/// List products that are not archived, by id.
#[utoipa::path(
    get, path = "/products", tag = "products", operation_id = "listProducts", params(PageQuery),
    responses((status = 200, description = "A page of products.", body = PageOf<ProductView>), WriteProblems)
)]
pub(crate) async fn list(db: Data<Db>, query: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let (after, limit) = query.page()?;
    let found = products::list(&db, after, limit + 1).await?;
    let page = PageOf::<ProductView>::of(found, limit, |product: &Product| product.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}

/// Change a product. Orders keep the price they were placed at.
#[utoipa::path(
    patch, path = "/products/{id}", tag = "products", operation_id = "changeProduct", request_body = ProductPatch,
    params(("id" = String, Path, description = "The product's id.", example = "1")),
    responses((status = 200, description = "Changed.", body = ProductView), WriteProblems)
)]
pub(crate) async fn change(
    db: Data<Db>,
    id: Path<String>,
    JsonBody(body): JsonBody<ProductPatch>,
) -> Result<HttpResponse, Problem> {
    let id = known(&id)?;
    let (name, price) = body.validate()?;
    match products::update(&db, id, name.as_ref(), price).await? {
        Some(product) => Ok(HttpResponse::Ok().json(ProductView::from(&product))),
        None if products::get(&db, id).await?.is_some() => Err(Problem::Archived),
        None => Err(unknown(id)),
    }
}

/// Archive a product: its orders stay, new ones are refused.
#[utoipa::path(
    delete, path = "/products/{id}", tag = "products", operation_id = "archiveProduct",
    params(("id" = String, Path, description = "The product's id.", example = "1")),
    responses((status = 204, description = "Archived, now or before."), WriteProblems)
)]
pub(crate) async fn archive(db: Data<Db>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = known(&id)?;
    match products::archive(&db, id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(unknown(id)),
    }
}

fn known(id: &str) -> Result<ProductId, Problem> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: impl std::fmt::Display) -> Problem {
    Problem::NotFound(format!("There is no product `{id}`."))
}
