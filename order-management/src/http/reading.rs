//! The readers of bodies and queries without a server, for tests with any bytes.

use actix_web::web::Query;
use db::orders::Page;
use domain::{CustomerChange, CustomerId, NewCustomer, NewOrder};
use domain::{NewProduct, ProductChange, ProductId};
use serde::de::DeserializeOwned;
use service::Problem;

use super::customer_dto::{CustomerBody, CustomerPatch};
use super::input::{Fields, read, wrong_query};
use super::order_dto::{OrderBody, OrderQuery};
use super::page::PageQuery;
use super::product_dto::{ProductBody, ProductPatch};

/// The refusal of a body or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The invalid fields of a 422.
    pub fields: Vec<String>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        let fields = problem.errors().iter().map(|error| error.field.clone()).collect();
        Refused { status: problem.kind().status.as_u16(), fields }
    }
}

/// Reads the body of `POST /orders`.
///
/// # Errors
/// The API's refusal.
pub fn order(body: &[u8]) -> Result<NewOrder, Refused> {
    let mut fields = Fields::default();
    let order = read::<OrderBody>(body)?.validate(&mut fields);
    Ok(fields.finish(order)?)
}

/// Reads the body of `POST /products`.
///
/// # Errors
/// The API's refusal.
pub fn product(body: &[u8]) -> Result<NewProduct, Refused> {
    let mut fields = Fields::default();
    let new = read::<ProductBody>(body)?.validate(&mut fields);
    Ok(fields.finish(new)?)
}

/// Reads the body of `PATCH /products/{id}`.
///
/// # Errors
/// The API's refusal.
pub fn product_patch(body: &[u8]) -> Result<ProductChange, Refused> {
    let mut fields = Fields::default();
    let change = read::<ProductPatch>(body)?.validate(&mut fields);
    Ok(fields.finish(Some(change))?)
}

/// Reads the body of `POST /customers`.
///
/// # Errors
/// The API's refusal.
pub fn customer(body: &[u8]) -> Result<NewCustomer, Refused> {
    let mut fields = Fields::default();
    let new = read::<CustomerBody>(body)?.validate(&mut fields);
    Ok(fields.finish(new)?)
}

/// Reads the body of `PATCH /customers/{id}`.
///
/// # Errors
/// The API's refusal.
pub fn customer_patch(body: &[u8]) -> Result<CustomerChange, Refused> {
    let mut fields = Fields::default();
    let change = read::<CustomerPatch>(body)?.validate(&mut fields);
    Ok(fields.finish(Some(change))?)
}

/// Reads the query of `GET /orders`.
///
/// # Errors
/// The API's refusal.
pub fn orders_page(text: &str) -> Result<Page, Refused> {
    Ok(query::<OrderQuery>(text)?.page()?)
}

/// Reads the query of `GET /products`: the id that the page begins after, and its size.
///
/// # Errors
/// The API's refusal.
pub fn products_page(text: &str) -> Result<(Option<ProductId>, i64), Refused> {
    Ok(query::<PageQuery>(text)?.page()?)
}

/// Reads the query of `GET /customers`: the id that the page begins after, and its size.
///
/// # Errors
/// The API's refusal.
pub fn customers_page(text: &str) -> Result<(Option<CustomerId>, i64), Refused> {
    Ok(query::<PageQuery>(text)?.page()?)
}

fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    Query::from_query(text).map(Query::into_inner).map_err(|error| wrong_query(&error))
}
