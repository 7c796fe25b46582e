//! What the API makes of any bytes, without a server around it: for whoever tries it on many.

use actix_web::ResponseError as _;
use actix_web::web::Query;
use db::orders::Page;
use domain::{Amount, Currency, CustomerId, CustomerName, Email, NewOrder};
use domain::{ProductId, ProductName};
use serde::de::DeserializeOwned;

use super::customers::{CustomerBody, CustomerPatch};
use super::input::{Fields, read};
use super::order_dto::OrderBody;
use super::orders::OrderQuery;
use super::page::PageQuery;
use super::problem::Problem;
use super::products::{ProductBody, ProductPatch};

/// An answer that is not the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its HTTP status.
    pub status: u16,
    /// The fields that are wrong, for a 422.
    pub fields: Vec<String>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        let status = problem.status_code().as_u16();
        let fields = if let Problem::Fields(errors) = problem { errors } else { Vec::new() };
        Refused { status, fields: fields.into_iter().map(|error| error.field).collect() }
    }
}

/// The body of `POST /orders`.
///
/// # Errors
/// As the API would answer; so below.
pub fn order(body: &[u8]) -> Result<NewOrder, Refused> {
    let mut fields = Fields::default();
    let validate = read::<OrderBody>(body)?.validate(&mut fields);
    Ok(fields.finish(validate)?)
}

/// The body of `POST /products`.
///
/// # Errors
/// As the API would answer.
pub fn product(body: &[u8]) -> Result<(ProductName, Amount, Currency), Refused> {
    Ok(read::<ProductBody>(body)?.validate()?)
}

/// The body of `PATCH /products/{id}`.
///
/// # Errors
/// As the API would answer.
pub fn product_patch(body: &[u8]) -> Result<(Option<ProductName>, Option<Amount>), Refused> {
    Ok(read::<ProductPatch>(body)?.validate()?)
}

/// The body of `POST /customers`.
///
/// # Errors
/// As the API would answer.
pub fn customer(body: &[u8]) -> Result<(CustomerName, Email), Refused> {
    Ok(read::<CustomerBody>(body)?.validate()?)
}

/// The body of `PATCH /customers/{id}`.
///
/// # Errors
/// As the API would answer.
pub fn customer_patch(body: &[u8]) -> Result<(Option<CustomerName>, Option<Email>), Refused> {
    Ok(read::<CustomerPatch>(body)?.validate()?)
}

/// The query of `GET /orders`.
///
/// # Errors
/// As the API would answer.
pub fn orders_page(text: &str) -> Result<Page, Refused> {
    Ok(query::<OrderQuery>(text)?.page()?)
}

/// The query of `GET /products`: after which one, and how many.
///
/// # Errors
/// As the API would answer.
pub fn products_page(text: &str) -> Result<(Option<ProductId>, i64), Refused> {
    Ok(query::<PageQuery>(text)?.page()?)
}

/// The query of `GET /customers`: after which one, and how many.
///
/// # Errors
/// As the API would answer.
pub fn customers_page(text: &str) -> Result<(Option<CustomerId>, i64), Refused> {
    Ok(query::<PageQuery>(text)?.page()?)
}

fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    Query::from_query(text).map(Query::into_inner).map_err(|error| super::wrong_query(&error))
}
