//! Customers.

use domain::{Customer, CustomerChange, CustomerId, CustomerName, Email, NewCustomer};
use tokio_postgres::Row;

use crate::idempotency::{KeyParams, Keyed, KeyedRequest, resolve, stored_answer};
use crate::listed::Columns;
use crate::products::CREATE_TRIES;
use crate::row::{checked, column};
use crate::unreadable::Table;
use crate::{Db, Error, Listed};

const CREATE: &str = "
    with known as (
        select from idempotency_keys where kind = $3 and key = $4
    ), made as (
        insert into customers (name, email)
        select $1::text, $2::text where not exists (select from known)
        on conflict (id) do nothing
        returning *
    ), noted as (
        insert into idempotency_keys (kind, key, request, answer)
        select $3::text, $4::text, $5::text, to_jsonb(made) from made where $4::text is not null
    )
    select * from made";

/// Stores a new customer. A repetition under the same key returns the first answer. An id that an
/// import has used is passed over. Without a key a second call stores a second customer, so do not repeat this after [`Error::Unavailable`].
pub async fn create(
    db: &Db,
    new: &NewCustomer,
    request: Option<&KeyedRequest>,
) -> Result<Keyed<Customer>, Error> {
    let KeyParams { kind, key, content } = KeyParams::new(request);
    let (name, email) = (new.name.as_str(), new.email.as_str());
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&name, &email, &kind, &key, &content];
    for _ in 0..CREATE_TRIES {
        let made = match request {
            Some(_) => db.query(CREATE, &params).await,
            None => db.query_once(CREATE, &params).await,
        };
        if let Some(created) = resolve(made, customer_from_row, stored(db, request)).await? {
            return Ok(created);
        }
    }
    Err(Error::Unavailable("other sessions are using the new ids".to_owned()))
}

const STORED: &str = "
    select k.request, p.*
      from idempotency_keys k, lateral jsonb_populate_record(null::customers, k.answer) p
     where k.kind = $1 and k.key = $2";

/// The answer that is stored for a request about a customer.
async fn stored(db: &Db, request: Option<&KeyedRequest>) -> Result<Option<Keyed<Customer>>, Error> {
    let Some(request) = request else { return Ok(None) };
    let rows = db.query(STORED, &[&request.kind.as_str(), &request.key.as_str()]).await?;
    rows.first().map(|row| stored_answer(row, request, customer_from_row)).transpose()
}

const GET: &str = "
    select id, name, email, created_at, updated_at, archived_at
      from customers where id = $1";

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
       set name = coalesce($2, name), email = coalesce($3, email),
           updated_at = greatest(now(), updated_at)
     where id = $1 and archived_at is null
       and (name, email) is distinct from (coalesce($2, name), coalesce($3, email))
       and ($4::timestamptz is null or (updated_at, name, email) = ($4, $5, $6))
    returning id, name, email, created_at, updated_at, archived_at";

/// Changes a customer. Returns `None` if nothing changed: the
/// customer does not exist, is archived, has these values already, or is no longer as `seen`, if given.
pub async fn update(
    db: &Db,
    id: CustomerId,
    change: &CustomerChange,
    seen: Option<&Customer>,
) -> Result<Option<Customer>, Error> {
    let name = change.name.as_ref().map(CustomerName::as_str);
    let email = change.email.as_ref().map(Email::as_str);
    let seen_at = seen.map(|seen| seen.updated_at);
    let seen_name = seen.map(|seen| seen.name.as_str());
    let seen_email = seen.map(|seen| seen.email.as_str());
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&id.get(), &name, &email, &seen_at, &seen_name, &seen_email];
    db.query_once(UPDATE, &params).await?.first().map(customer_from_row).transpose()
}

const ARCHIVE: &str = "
    update customers set archived_at = coalesce(archived_at, now())
     where id = $1
       and ($2::timestamptz is null or (updated_at, name, email) = ($2, $3, $4))
    returning id";

/// Archives a customer; the time of the first call stays. Returns `false` if the customer does not exist,
/// or is no longer as `seen`, if given.
pub async fn archive(db: &Db, id: CustomerId, seen: Option<&Customer>) -> Result<bool, Error> {
    let seen_at = seen.map(|seen| seen.updated_at);
    let seen_name = seen.map(|seen| seen.name.as_str());
    let seen_email = seen.map(|seen| seen.email.as_str());
    let rows = db.query(ARCHIVE, &[&id.get(), &seen_at, &seen_name, &seen_email]).await?;
    Ok(!rows.is_empty())
}

const RESTORE: &str = "
    with known as (
        select from idempotency_keys where kind = $2 and key = $3
    ), found as materialized (
        select * from customers where id = $1 and not exists (select from known) for update
    ), restored as (
        update customers p set archived_at = null, updated_at = greatest(now(), p.updated_at)
          from found where p.id = found.id and found.archived_at is not null
        returning p.*
    ), answer as (
        select * from restored union all select * from found where archived_at is null
    ), noted as (
        insert into idempotency_keys (kind, key, request, answer)
        select $2::text, $3::text, $4::text, to_jsonb(answer) from answer where $3::text is not null
    )
    select * from answer";

/// Restores an archived customer; one that is not archived stays as it is. A repetition under the same key
/// returns the first answer. Returns `None` if the customer does not exist.
pub async fn restore(
    db: &Db,
    id: CustomerId,
    request: Option<&KeyedRequest>,
) -> Result<Option<Keyed<Customer>>, Error> {
    let KeyParams { kind, key, content } = KeyParams::new(request);
    let restored = db.query(RESTORE, &[&id.get(), &kind, &key, &content]).await;
    resolve(restored, customer_from_row, stored(db, request)).await
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
