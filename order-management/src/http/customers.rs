//! Customers over HTTP.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use db::{Db, Reads, customers};
use domain::CustomerId;

use super::customer_dto::{CustomerBody, CustomerPatch, CustomerView};
use super::error::{Answer, ApiError};
use super::input::JsonBody;
use super::page::{PageOf, PageQuery};

/// Add a customer.
#[utoipa::path(
    post, path = "/customers", tag = "customers", operation_id = "createCustomer", request_body = CustomerBody,
    responses((status = 201, description = "The customer was stored.", body = CustomerView,
               headers(("Location" = String, description = "The path of the customer."))))
)]
pub(super) async fn create(db: Data<Db>, JsonBody(body): JsonBody<CustomerBody>) -> Answer {
    let (name, email) = body.validate()?;
    let customer = customers::create(&db, &name, &email).await?;
    let location = (header::LOCATION, format!("/customers/{}", customer.id));
    Ok(HttpResponse::Created().insert_header(location).json(CustomerView::from(&customer)))
}

/// Read a customer, archived or not.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers", operation_id = "getCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1")),
    responses((status = 200, description = "The customer.", body = CustomerView))
)]
pub(super) async fn read(db: Data<Reads>, id: Path<String>) -> Answer {
    let id = parse_id(&id)?;
    let customer = customers::get(&db, id).await?.ok_or_else(|| unknown(id))?;
    Ok(HttpResponse::Ok().json(CustomerView::from(&customer)))
}

/// List customers that are not archived, in the order of their ids.
#[utoipa::path(
    get, path = "/customers", tag = "customers", operation_id = "listCustomers", params(PageQuery),
    responses((status = 200, description = "A page of customers.", body = PageOf<CustomerView>))
)]
pub(super) async fn list(db: Data<Reads>, query: Query<PageQuery>) -> Answer {
    let (after, limit) = query.page()?;
    let found = customers::list(&db, after, limit).await?;
    Ok(HttpResponse::Ok().json(PageOf::<CustomerView>::new(&found)))
}

/// Change a customer.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", operation_id = "changeCustomer", request_body = CustomerPatch,
    params(("id" = String, Path, description = "The customer's id.", example = "1")),
    responses((status = 200, description = "The customer after the change.", body = CustomerView),
              (status = 409, description = "The customer is archived and cannot be changed."))
)]
pub(super) async fn change(
    db: Data<Db>,
    id: Path<String>,
    JsonBody(body): JsonBody<CustomerPatch>,
) -> Answer {
    let id = parse_id(&id)?;
    let (name, email) = body.validate()?;
    let changed = customers::update(&db, id, name.as_ref(), email.as_ref()).await?;
    match changed {
        Some(customer) => Ok(HttpResponse::Ok().json(CustomerView::from(&customer))),
        None if customers::get(&db, id).await?.is_some() => Err(ApiError::archived()),
        None => Err(unknown(id)),
    }
}

/// Archive a customer. Its orders stay; new orders are refused.
#[utoipa::path(
    delete, path = "/customers/{id}", tag = "customers", operation_id = "archiveCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1")),
    responses((status = 204, description = "The customer is archived, now or before."))
)]
pub(super) async fn archive(db: Data<Db>, id: Path<String>) -> Answer {
    let id = parse_id(&id)?;
    match customers::archive(&db, id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(unknown(id)),
    }
}

fn parse_id(id: &str) -> Result<CustomerId, ApiError> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: impl std::fmt::Display) -> ApiError {
    ApiError::no_such("customer", id)
}
