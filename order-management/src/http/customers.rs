//! Customers over HTTP.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use db::{Db, customers};
use domain::{Customer, CustomerId, CustomerName, Email};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;
use utoipa::{IntoResponses, ToSchema};

use super::document::documented;
use super::input::{Fields, JsonBody};
use super::page::{PageOf, PageQuery};
use super::problem::Problem;
use super::{rfc3339, rfc3339_option};

/// A new customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerBody {
    /// The name, on one line.
    #[schema(
        example = "Leia Organa",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        required = true,
        nullable = false
    )]
    name: Option<String>,
    /// Where mail reaches them.
    #[schema(
        example = "leia@alderaan.com",
        max_length = 254,
        pattern = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$",
        required = true,
        nullable = false
    )]
    email: Option<String>,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerPatch {
    /// The new name.
    #[schema(
        example = "Leia Organa Solo",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: Option<String>,
    /// The new address.
    #[schema(
        example = "leia@newrepublic.org",
        max_length = 254,
        pattern = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$"
    )]
    email: Option<String>,
}

impl CustomerBody {
    /// Checks all of it.
    pub(crate) fn validate(&self) -> Result<(CustomerName, Email), Problem> {
        let mut fields = Fields::default();
        let name = fields.required("name", self.name.as_deref());
        let email = fields.required("email", self.email.as_deref());
        fields.finish(name.zip(email))
    }
}

impl CustomerPatch {
    /// Checks all of it.
    pub(crate) fn validate(&self) -> Result<(Option<CustomerName>, Option<Email>), Problem> {
        let mut fields = Fields::default();
        let name = fields.optional("name", self.name.as_deref());
        let email = fields.optional("email", self.email.as_deref());
        fields.finish(Some((name, email)))
    }
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView {
    /// The id.
    #[schema(example = "1")]
    id: String,
    /// The name.
    #[schema(example = "Luke Skywalker")]
    name: String,
    /// Where mail reaches them.
    #[schema(example = "mail@naboo.com")]
    email: String,
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

impl From<&Customer> for CustomerView {
    fn from(customer: &Customer) -> CustomerView {
        CustomerView {
            id: customer.id.to_string(),
            name: customer.name.as_str().to_owned(),
            email: customer.email.as_str().to_owned(),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            archived_at: customer.archived_at,
        }
    }
}

pub(crate) struct WriteProblems;

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        documented(&[
            ("400", "The body is not JSON."),
            ("404", "There is no such customer."),
            ("409", "It is archived and cannot be changed."),
            ("413", "The body is larger than 16384 bytes."),
            ("415", "`Content-Type` is not `application/json`."),
            ("422", "Fields or query parameters are wrong."),
        ])
    }
}

/// Add a customer.
#[utoipa::path(
    post, path = "/customers", tag = "customers", operation_id = "createCustomer", request_body = CustomerBody,
    responses((status = 201, description = "Stored.", body = CustomerView,
               headers(("Location" = String, description = "Where it can be read."))), WriteProblems)
)]
pub(crate) async fn create(
    db: Data<Db>,
    JsonBody(body): JsonBody<CustomerBody>,
) -> Result<HttpResponse, Problem> {
    let (name, email) = body.validate()?;
    let customer = customers::create(&db, &name, &email).await?;
    let location = (header::LOCATION, format!("/customers/{}", customer.id));
    Ok(HttpResponse::Created().insert_header(location).json(CustomerView::from(&customer)))
}

/// Read a customer, archived or not.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers", operation_id = "getCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1")),
    responses((status = 200, description = "The customer.", body = CustomerView), WriteProblems)
)]
pub(crate) async fn read(db: Data<Db>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = known(&id)?;
    let customer = customers::get(&db, id).await?.ok_or_else(|| unknown(id))?;
    Ok(HttpResponse::Ok().json(CustomerView::from(&customer)))
}

/// List customers that are not archived, by id.
#[utoipa::path(
    get, path = "/customers", tag = "customers", operation_id = "listCustomers", params(PageQuery),
    responses((status = 200, description = "A page of customers.", body = PageOf<CustomerView>), WriteProblems)
)]
pub(crate) async fn list(db: Data<Db>, query: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let (after, limit) = query.page()?;
    let found = customers::list(&db, after, limit + 1).await?;
    let page =
        PageOf::<CustomerView>::of(found, limit, |customer: &Customer| customer.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}

/// Change a customer.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", operation_id = "changeCustomer", request_body = CustomerPatch,
    params(("id" = String, Path, description = "The customer's id.", example = "1")),
    responses((status = 200, description = "Changed.", body = CustomerView), WriteProblems)
)]
pub(crate) async fn change(
    db: Data<Db>,
    id: Path<String>,
    JsonBody(body): JsonBody<CustomerPatch>,
) -> Result<HttpResponse, Problem> {
    let id = known(&id)?;
    let (name, email) = body.validate()?;
    let changed = customers::update(&db, id, name.as_ref(), email.as_ref()).await?;
    match changed {
        Some(customer) => Ok(HttpResponse::Ok().json(CustomerView::from(&customer))),
        None if customers::get(&db, id).await?.is_some() => Err(Problem::Archived),
        None => Err(unknown(id)),
    }
}

/// Archive a customer: its orders stay, new ones are refused.
#[utoipa::path(
    delete, path = "/customers/{id}", tag = "customers", operation_id = "archiveCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1")),
    responses((status = 204, description = "Archived, now or before."), WriteProblems)
)]
pub(crate) async fn archive(db: Data<Db>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = known(&id)?;
    match customers::archive(&db, id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(unknown(id)),
    }
}

fn known(id: &str) -> Result<CustomerId, Problem> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: impl std::fmt::Display) -> Problem {
    Problem::NotFound(format!("There is no customer `{id}`."))
}
