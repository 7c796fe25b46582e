//! Products.

use domain::{Amount, Currency, Product, ProductId, ProductName};
use tokio_postgres::Row;

use crate::listed::Columns;
use crate::row::{checked, column, parsed};
use crate::unreadable::Table;
use crate::{Db, Error, Listed};

/// Number of ids that are tried for a new row. The first conflict with an imported id moves the
/// sequence behind all of them (see the trigger in the tables' migration).
pub(crate) const CREATE_TRIES: usize = 5;

const CREATE: &str = "
    insert into products (name, price_minor, currency) values ($1, $2, $3)
    on conflict (id) do nothing
    returning id, name, price_minor, currency, created_at, updated_at, archived_at";

/// Stores a new product. An id that an import has used is passed over. A second call stores a second product, so do not repeat this after
/// [`Error::Unavailable`].
pub async fn create(
    db: &Db,
    name: &ProductName,
    price: Amount,
    currency: Currency,
) -> Result<Product, Error> {
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&name.as_str(), &price.minor(), &currency.code()];
    for _ in 0..CREATE_TRIES {
        if let Some(row) = db.query_once(CREATE, &params).await?.first() {
            return product_from_row(row);
        }
    }
    Err(Error::Unavailable("other sessions are using the new ids".to_owned()))
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
       set name = coalesce($2, name), price_minor = coalesce($3, price_minor), updated_at = now()
     where id = $1 and archived_at is null
    returning id, name, price_minor, currency, created_at, updated_at, archived_at";

/// Changes the given fields; orders keep the price they were placed at. Returns `None` if the
/// product does not exist or is archived.
pub async fn update(
    db: &Db,
    id: ProductId,
    name: Option<&ProductName>,
    price: Option<Amount>,
) -> Result<Option<Product>, Error> {
    let (name, price) = (name.map(ProductName::as_str), price.map(Amount::minor));
    db.query(UPDATE, &[&id.get(), &name, &price]).await?.first().map(product_from_row).transpose()
}

const ARCHIVE: &str = "
    update products set archived_at = coalesce(archived_at, now()) where id = $1 returning id";

/// Archives a product; the time of the first call stays. Returns `false` if the product does not
/// exist.
pub async fn archive(db: &Db, id: ProductId) -> Result<bool, Error> {
    Ok(!db.query(ARCHIVE, &[&id.get()]).await?.is_empty())
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
