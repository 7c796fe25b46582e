//! Products.

use domain::{Amount, NewProduct, Product, ProductChange, ProductId, ProductName};
use tokio_postgres::Row;

use crate::idempotency::{KeyParams, Keyed, KeyedRequest, resolve, stored_answer};
use crate::listed::Columns;
use crate::row::{checked, column, parsed};
use crate::unreadable::Table;
use crate::{Db, Error, Listed};

/// Number of ids that are tried for a new row. The first conflict with an imported id moves the
/// sequence behind all of them (see the trigger in the tables' migration).
pub(crate) const CREATE_TRIES: usize = 5;

const CREATE: &str = "
    with known as (
        select from idempotency_keys where kind = $4 and key = $5
    ), made as (
        insert into products (name, price_minor, currency)
        select $1::text, $2::bigint, $3::text where not exists (select from known)
        on conflict (id) do nothing
        returning *
    ), noted as (
        insert into idempotency_keys (kind, key, request, answer)
        select $4::text, $5::text, $6::text, to_jsonb(made) from made where $5::text is not null
    )
    select * from made";

/// Stores a new product. A repetition under the same key returns the first answer. An id that an
/// import has used is passed over. Without a key a second call stores a second product, so do not repeat this after [`Error::Unavailable`].
pub async fn create(
    db: &Db,
    new: &NewProduct,
    request: Option<&KeyedRequest>,
) -> Result<Keyed<Product>, Error> {
    let KeyParams { kind, key, content } = KeyParams::new(request);
    let (name, price, currency) = (new.name.as_str(), new.price.minor(), new.currency.code());
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&name, &price, &currency, &kind, &key, &content];
    for _ in 0..CREATE_TRIES {
        let made = match request {
            Some(_) => db.query(CREATE, &params).await,
            None => db.query_once(CREATE, &params).await,
        };
        if let Some(created) = resolve(made, product_from_row, stored(db, request)).await? {
            return Ok(created);
        }
    }
    Err(Error::Unavailable("other sessions are using the new ids".to_owned()))
}

const STORED: &str = "
    select k.request, p.*
      from idempotency_keys k, lateral jsonb_populate_record(null::products, k.answer) p
     where k.kind = $1 and k.key = $2";

/// The answer that is stored for a request about a product.
async fn stored(db: &Db, request: Option<&KeyedRequest>) -> Result<Option<Keyed<Product>>, Error> {
    let Some(request) = request else { return Ok(None) };
    let rows = db.query(STORED, &[&request.kind.as_str(), &request.key.as_str()]).await?;
    rows.first().map(|row| stored_answer(row, request, product_from_row)).transpose()
}

const GET: &str = "
    select id, name, price_minor, currency, created_at, updated_at, archived_at
      from products where id = $1";

/// Returns a product, archived or not.
pub async fn get(db: &Db, id: ProductId) -> Result<Option<Product>, Error> {
    db.query(GET, &[&id.get()]).await?.first().map(product_from_row).transpose()
}

const LIST: &str = "
    select id, name, price_minor, currency, created_at, updated_at, archived_at from products
     where id > $1 and archived_at is null order by id limit $2";

/// Returns up to `limit` products that are not archived, ordered by id, with ids above `after`.
pub async fn list(
    db: &Db,
    after: Option<ProductId>,
    limit: i64,
) -> Result<Listed<Product, ProductId>, Error> {
    let after = after.map_or(0, ProductId::get);
    let one_more = limit.saturating_add(1);
    let rows = db.query(LIST, &[&after, &one_more]).await?;
    let id = |row: &Row| checked(column(row, "id")?, ProductId::new);
    Ok(Listed::page(Table::Products, &rows, limit, Columns { row: product_from_row, id }))
}

const UPDATE: &str = "
    update products
       set name = coalesce($2, name), price_minor = coalesce($3, price_minor),
           updated_at = greatest(now(), updated_at)
     where id = $1 and archived_at is null
       and (name, price_minor) is distinct from (coalesce($2, name), coalesce($3, price_minor))
       and ($4::timestamptz is null or (updated_at, name, price_minor) = ($4, $5, $6))
    returning id, name, price_minor, currency, created_at, updated_at, archived_at";

/// Changes a product; orders keep the price they were placed at. Returns `None` if nothing changed: the
/// product does not exist, is archived, has these values already, or is no longer as `seen`, if given.
pub async fn update(
    db: &Db,
    id: ProductId,
    change: &ProductChange,
    seen: Option<&Product>,
) -> Result<Option<Product>, Error> {
    let name = change.name.as_ref().map(ProductName::as_str);
    let price = change.price.map(Amount::minor);
    let seen_at = seen.map(|seen| seen.updated_at);
    let seen_name = seen.map(|seen| seen.name.as_str());
    let seen_price = seen.map(|seen| seen.price.minor());
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&id.get(), &name, &price, &seen_at, &seen_name, &seen_price];
    db.query_once(UPDATE, &params).await?.first().map(product_from_row).transpose()
}

const ARCHIVE: &str = "
    update products set archived_at = coalesce(archived_at, now())
     where id = $1
       and ($2::timestamptz is null or (updated_at, name, price_minor) = ($2, $3, $4))
    returning id";

/// Archives a product; the time of the first call stays. Returns `false` if the product does not exist,
/// or is no longer as `seen`, if given.
pub async fn archive(db: &Db, id: ProductId, seen: Option<&Product>) -> Result<bool, Error> {
    let seen_at = seen.map(|seen| seen.updated_at);
    let seen_name = seen.map(|seen| seen.name.as_str());
    let seen_price = seen.map(|seen| seen.price.minor());
    let rows = db.query(ARCHIVE, &[&id.get(), &seen_at, &seen_name, &seen_price]).await?;
    Ok(!rows.is_empty())
}

const RESTORE: &str = "
    with known as (
        select from idempotency_keys where kind = $2 and key = $3
    ), found as materialized (
        select * from products where id = $1 and not exists (select from known) for update
    ), restored as (
        update products p set archived_at = null, updated_at = greatest(now(), p.updated_at)
          from found where p.id = found.id and found.archived_at is not null
        returning p.*
    ), answer as (
        select * from restored union all select * from found where archived_at is null
    ), noted as (
        insert into idempotency_keys (kind, key, request, answer)
        select $2::text, $3::text, $4::text, to_jsonb(answer) from answer where $3::text is not null
    )
    select * from answer";

/// Restores an archived product; one that is not archived stays as it is. A repetition under the same key
/// returns the first answer. Returns `None` if the product does not exist.
pub async fn restore(
    db: &Db,
    id: ProductId,
    request: Option<&KeyedRequest>,
) -> Result<Option<Keyed<Product>>, Error> {
    let KeyParams { kind, key, content } = KeyParams::new(request);
    let restored = db.query(RESTORE, &[&id.get(), &kind, &key, &content]).await;
    resolve(restored, product_from_row, stored(db, request)).await
}

fn product_from_row(row: &Row) -> Result<Product, Error> {
    Ok(Product {
        id: checked(column(row, "id")?, ProductId::new)?,
        name: ProductName::from_stored(column(row, "name")?),
        price: checked(column(row, "price_minor")?, Amount::from_minor)?,
        currency: parsed(row, "currency")?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        archived_at: column(row, "archived_at")?,
    })
}
