//! The use cases of products and customers: create, change, archive, restore. A request with a key has its
//! effect once; a change with a condition has it only while the condition holds.

mod change;
mod record;

use db::Db;
use db::idempotency::{Keyed, KeyedRequest, RequestKind};
use domain::{Customer, IdempotencyKey, NewCustomer, NewProduct, Product};
use serde_json::json;

use crate::keys::{Answered, KeyGuard, KeyInUse, KeysInUse};
pub(crate) use change::Condition;
pub(crate) use record::Record;

/// The reason why a product or customer was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CatalogError {
    #[error("there is no such object")]
    Unknown,
    #[error("the object is archived")]
    Archived,
    #[error("a change needs a condition")]
    ConditionMissing,
    #[error("the object is not in the state of the condition")]
    ConditionFailed,
    #[error(transparent)]
    KeyInUse(#[from] KeyInUse),
    #[error("the key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] db::Error),
}

type Result<T> = std::result::Result<T, CatalogError>;

/// The products and customers.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(super) db: Db,
    keys: KeysInUse<(RequestKind, IdempotencyKey)>,
}

impl Catalog {
    pub(crate) fn new(db: &Db) -> Catalog {
        Catalog { db: db.clone(), keys: KeysInUse::default() }
    }

    /// Stores a new product.
    pub(crate) async fn create_product(
        &self,
        new: &NewProduct,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Product>> {
        let content = json!([new.name.as_str(), new.price.minor(), new.currency.code()]);
        let request = keyed(RequestKind::CreateProduct, key, content);
        let _guard = self.guard(request.as_ref())?;
        answered(db::products::create(&self.db, new, request.as_ref()).await?)
    }

    /// Stores a new customer.
    pub(crate) async fn create_customer(
        &self,
        new: &NewCustomer,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Customer>> {
        let content = json!([new.name.as_str(), new.email.as_str()]);
        let request = keyed(RequestKind::CreateCustomer, key, content);
        let _guard = self.guard(request.as_ref())?;
        answered(db::customers::create(&self.db, new, request.as_ref()).await?)
    }

    /// Restores an archived product or customer; one that is not archived stays as it is.
    pub(crate) async fn restore<R: Record>(
        &self,
        id: R::Id,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<R>> {
        let request = keyed(R::RESTORE, key, json!([id.to_string()]));
        let _guard = self.guard(request.as_ref())?;
        let restored = R::restore(&self.db, id, request.as_ref()).await?;
        answered(restored.ok_or(CatalogError::Unknown)?)
    }

    fn guard(
        &self,
        request: Option<&KeyedRequest>,
    ) -> std::result::Result<Option<KeyGuard<(RequestKind, IdempotencyKey)>>, KeyInUse> {
        request.map(|request| self.keys.enter((request.kind, request.key.clone()))).transpose()
    }
}

fn keyed(
    kind: RequestKind,
    key: Option<IdempotencyKey>,
    content: serde_json::Value,
) -> Option<KeyedRequest> {
    key.map(|key| KeyedRequest { kind, key, content: content.to_string() })
}

fn answered<T>(keyed: Keyed<T>) -> Result<Answered<T>> {
    match keyed {
        Keyed::Done(answer) => Ok(Answered { answer, replayed: false }),
        Keyed::Repeated(answer) => Ok(Answered { answer, replayed: true }),
        Keyed::Reused => Err(CatalogError::KeyReused),
    }
}
