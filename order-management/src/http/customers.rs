//! Customers over HTTP.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::{Reads, customers};
use domain::{Customer, CustomerId};

use super::answers::{ObjectAnswer, mark_replayed};
use super::conditions::if_match;
use super::customer_dto::{CustomerBody, CustomerPatch, CustomerView};
use super::error::{Answer, ApiError};
use super::input::{Fields, JsonBody};
use super::page::{PageOf, PageQuery};
use crate::catalog::Catalog;

/// Add a customer.
///
/// The same `Idempotency-Key` with the same body returns the first answer again and adds no second customer.
#[utoipa::path(
    post, path = "/customers", tag = "customers", operation_id = "createCustomer", request_body = CustomerBody,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 201, description = "The customer was stored.", body = CustomerView,
               headers(("Location" = String, description = "A reference to the customer."),
                       ("ETag" = String, description = "The tag of this state, for `If-Match`."),
                       ("Idempotency-Replayed" = String, description = "`true` if this answer was given before."))),
              (status = 409, description = "A request with the same `Idempotency-Key` has no answer yet; see `Retry-After`."),
              (status = 422, description = "Fields are invalid, or the key was used for another customer."))
)]
pub(super) async fn create(
    catalog: Data<Catalog>,
    request: HttpRequest,
    JsonBody(body): JsonBody<CustomerBody>,
) -> Answer {
    let mut fields = Fields::default();
    let key = fields.idempotency_key(&request);
    let new = body.validate(&mut fields);
    let new = fields.finish(new)?;
    let created = catalog.create_customer(&new, key).await?;
    let customer = &created.answer;
    let path = format!("customers/{}", customer.id);
    let mut answer = ObjectAnswer::new(&CustomerView::from(customer)).created(&request, &path);
    mark_replayed(&mut answer, created.replayed);
    Ok(answer)
}

/// Read a customer, archived or not.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers", operation_id = "getCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1"),
           ("If-None-Match" = Option<String>, Header, description = "The tag of a state that the client has.")),
    responses((status = 200, description = "The customer.", body = CustomerView,
               headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
              (status = 304, description = "The customer is in the state that `If-None-Match` names.",
               headers(("ETag" = String, description = "The tag of this state."))))
)]
pub(super) async fn read(db: Data<Reads>, id: Path<String>, request: HttpRequest) -> Answer {
    let id = parse_id(&id)?;
    let customer = customers::get(&db, id).await?.ok_or_else(|| unknown(id))?;
    Ok(ObjectAnswer::new(&CustomerView::from(&customer)).read(&request))
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
///
/// `If-Match` names the state that the change is made for, so that of two people who change it at the same
/// time the second one is told. A change to the values that the customer has already changes nothing.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", operation_id = "changeCustomer", request_body = CustomerPatch,
    params(("id" = String, Path, description = "The customer's id.", example = "1"),
           ("If-Match" = String, Header, example = "*", pattern = r#"^(\*|(W/)?"[!#-+\--~]*")$"#,
            description = "The `ETag` of the state to be changed, or several; `*` for any state.")),
    responses((status = 200, description = "The customer after the change.", body = CustomerView,
               headers(("ETag" = String, description = "The tag of the new state."))),
              (status = 409, description = "The customer is archived and cannot be changed."),
              (status = 412, description = "The customer is no longer in the state that `If-Match` names."),
              (status = 428, description = "`If-Match` is missing."))
)]
pub(super) async fn change(
    catalog: Data<Catalog>,
    id: Path<String>,
    request: HttpRequest,
    JsonBody(body): JsonBody<CustomerPatch>,
) -> Answer {
    let id = parse_id(&id)?;
    let mut fields = Fields::default();
    let condition = if_match::<Customer, CustomerView>(&request, &mut fields);
    let change = body.validate(&mut fields);
    let change = fields.finish(Some(change))?;
    let customer = catalog.change(id, &change, condition).await;
    let customer = customer.map_err(|error| ApiError::about("customer", id, error))?;
    Ok(ObjectAnswer::new(&CustomerView::from(&customer)).ok())
}

/// Archive a customer. Its orders stay; new orders are refused.
#[utoipa::path(
    delete, path = "/customers/{id}", tag = "customers", operation_id = "archiveCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1"),
           ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[!#-+\--~]*")$"#,
            description = "The `ETag` of the state to be archived; any state if left out.")),
    responses((status = 204, description = "The customer is archived, now or before."),
              (status = 412, description = "The customer is no longer in the state that `If-Match` names."),
              (status = 422, description = "`If-Match` is invalid."))
)]
pub(super) async fn archive(
    catalog: Data<Catalog>,
    id: Path<String>,
    request: HttpRequest,
) -> Answer {
    let id = parse_id(&id)?;
    let mut fields = Fields::default();
    let condition = if_match::<Customer, CustomerView>(&request, &mut fields);
    fields.finish(Some(()))?;
    let archived = catalog.archive(id, condition).await;
    archived.map_err(|error| ApiError::about("customer", id, error))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Restore an archived customer: it can place orders again. A customer that is not archived stays as it is.
#[utoipa::path(
    post, path = "/customers/{id}/restore", tag = "customers", operation_id = "restoreCustomer",
    params(("id" = String, Path, description = "The customer's id.", example = "1"),
           ("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 200, description = "The customer, not archived.", body = CustomerView,
               headers(("ETag" = String, description = "The tag of this state, for `If-Match`."),
                       ("Idempotency-Replayed" = String, description = "`true` if this answer was given before."))),
              (status = 409, description = "A request with the same `Idempotency-Key` has no answer yet; see `Retry-After`."),
              (status = 422, description = "`Idempotency-Key` is invalid, or was used for another customer."))
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
    let restored = catalog.restore::<Customer>(id, key).await;
    let restored = restored.map_err(|error| ApiError::about("customer", id, error))?;
    let mut answer = ObjectAnswer::new(&CustomerView::from(&restored.answer)).ok();
    mark_replayed(&mut answer, restored.replayed);
    Ok(answer)
}

fn parse_id(id: &str) -> Result<CustomerId, ApiError> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: impl std::fmt::Display) -> ApiError {
    ApiError::no_such("customer", id)
}
