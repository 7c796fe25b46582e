//! Customers.

use domain::{Customer, CustomerId, CustomerName, Email};
use tokio_postgres::Row;

use crate::row::{checked, column, parsed};
use crate::{Db, Error};

const CREATE: &str = "
    insert into customers (name, email) values ($1, $2)
    returning id, name, email, created_at, updated_at, archived_at";

/// Stores a new customer. A second call stores a second customer, so do not repeat this after
/// [`Error::Unavailable`].
pub async fn create(db: &Db, name: &CustomerName, email: &Email) -> Result<Customer, Error> {
    let rows = db.query_once(CREATE, &[&name.as_str(), &email.as_str()]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    customer_from_row(row)
}

const GET: &str = "
    select id, name, email, created_at, updated_at, archived_at from customers where id = $1";

/// Returns a customer, archived or not.
pub async fn get(db: &Db, id: CustomerId) -> Result<Option<Customer>, Error> {
    db.query(GET, &[&id.get()]).await?.first().map(customer_from_row).transpose()
}

const LIST: &str = "
    select id, name, email, created_at, updated_at, archived_at from customers
     where id > $1 and archived_at is null order by id limit $2";

/// Returns up to `limit` customers that are not archived, ordered by id, with ids above `after`.
pub async fn list(db: &Db, after: Option<CustomerId>, limit: i64) -> Result<Vec<Customer>, Error> {
    let after = after.map_or(0, CustomerId::get);
    db.query(LIST, &[&after, &limit]).await?.iter().map(customer_from_row).collect()
}

const UPDATE: &str = "
    update customers
       set name = coalesce($2, name), email = coalesce($3, email), updated_at = now()
     where id = $1 and archived_at is null
    returning id, name, email, created_at, updated_at, archived_at";

/// Changes the given fields. Returns `None` if the customer does not exist or is archived.
pub async fn update(
    db: &Db,
    id: CustomerId,
    name: Option<&CustomerName>,
    email: Option<&Email>,
) -> Result<Option<Customer>, Error> {
    let (name, email) = (name.map(CustomerName::as_str), email.map(Email::as_str));
    db.query(UPDATE, &[&id.get(), &name, &email]).await?.first().map(customer_from_row).transpose()
}

const ARCHIVE: &str = "
    update customers set archived_at = coalesce(archived_at, now()) where id = $1 returning id";

/// Archives a customer; the time of the first call stays. Returns `false` if the customer does not
/// exist.
pub async fn archive(db: &Db, id: CustomerId) -> Result<bool, Error> {
    Ok(!db.query(ARCHIVE, &[&id.get()]).await?.is_empty())
}

fn customer_from_row(row: &Row) -> Result<Customer, Error> {
    Ok(Customer {
        id: checked(column(row, "id")?, CustomerId::new)?,
        name: parsed(row, "name")?,
        email: parsed(row, "email")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        archived_at: column(row, "archived_at")?,
    })
}
