//! Customers.

use domain::{Customer, CustomerId, CustomerName, Email};
use tokio_postgres::Row;

use crate::listed::Columns;
use crate::products::CREATE_TRIES;
use crate::row::{checked, column};
use crate::unreadable::Table;
use crate::{Db, Error, Listed};

const CREATE: &str = "
    insert into customers (name, email) values ($1, $2)
    on conflict (id) do nothing
    returning id, name, email, created_at, updated_at, archived_at";

/// Stores a new customer. An id that an import has used is passed over. A second call stores a second customer, so do not repeat this after
/// [`Error::Unavailable`].
pub async fn create(db: &Db, name: &CustomerName, email: &Email) -> Result<Customer, Error> {
    for _ in 0..CREATE_TRIES {
        let rows = db.query_once(CREATE, &[&name.as_str(), &email.as_str()]).await?;
        if let Some(row) = rows.first() {
            return customer_from_row(row);
        }
    }
    Err(Error::Unavailable("other sessions are using the new ids".to_owned()))
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
pub async fn list(
    db: &Db,
    after: Option<CustomerId>,
    limit: i64,
) -> Result<Listed<Customer, CustomerId>, Error> {
    let after = after.map_or(0, CustomerId::get);
    let one_more = limit.saturating_add(1);
    let rows = db.query(LIST, &[&after, &one_more]).await?;
    let id = |row: &Row| checked(column(row, "id")?, CustomerId::new);
    Ok(Listed::page(Table::Customers, &rows, limit, Columns { row: customer_from_row, id }))
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
        name: CustomerName::from_stored(column(row, "name")?),
        email: Email::from_stored(column(row, "email")?),
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        archived_at: column(row, "archived_at")?,
    })
}
