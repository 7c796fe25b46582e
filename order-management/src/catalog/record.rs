//! The common form of products and customers.

use std::fmt::Display;

use db::idempotency::{Keyed, KeyedRequest, RequestKind};
use db::{Db, Error, customers, products};
use domain::{Customer, CustomerChange, CustomerId, Product, ProductChange, ProductId};

/// A stored object that can be changed, archived and restored.
pub(crate) trait Record: Sized {
    /// Its id.
    type Id: Copy + Display;
    /// New values.
    type Change;
    /// The kind of a request to restore one.
    const RESTORE: RequestKind;

    async fn get(db: &Db, id: Self::Id) -> Result<Option<Self>, Error>;
    /// Changes the object if it is as `seen`, if given. `None` if nothing changed.
    async fn update(
        db: &Db,
        id: Self::Id,
        change: &Self::Change,
        seen: Option<&Self>,
    ) -> Result<Option<Self>, Error>;
    /// Archives the object if it is as `seen`, if given. `false` if nothing is archived.
    async fn archive(db: &Db, id: Self::Id, seen: Option<&Self>) -> Result<bool, Error>;
    async fn restore(
        db: &Db,
        id: Self::Id,
        request: Option<&KeyedRequest>,
    ) -> Result<Option<Keyed<Self>>, Error>;

    fn is_archived(&self) -> bool;
    /// Returns `true` if the object has the new values already.
    fn has(&self, change: &Self::Change) -> bool;
}

/// Implements [`Record`] with the statements of a module of `db`.
macro_rules! record {
    ($record:ty, $id:ty, $change:ty, $restore:ident, $statements:ident) => {
        impl Record for $record {
            type Id = $id;
            type Change = $change;
            const RESTORE: RequestKind = RequestKind::$restore;

            async fn get(db: &Db, id: $id) -> Result<Option<Self>, Error> {
                $statements::get(db, id).await
            }

            async fn update(
                db: &Db,
                id: $id,
                change: &$change,
                seen: Option<&Self>,
            ) -> Result<Option<Self>, Error> {
                $statements::update(db, id, change, seen).await
            }

            async fn archive(db: &Db, id: $id, seen: Option<&Self>) -> Result<bool, Error> {
                $statements::archive(db, id, seen).await
            }

            async fn restore(
                db: &Db,
                id: $id,
                request: Option<&KeyedRequest>,
            ) -> Result<Option<Keyed<Self>>, Error> {
                $statements::restore(db, id, request).await
            }

            fn is_archived(&self) -> bool {
                self.archived_at.is_some()
            }

            fn has(&self, change: &$change) -> bool {
                change.is_nothing_for(self)
            }
        }
    };
}

record!(Product, ProductId, ProductChange, RestoreProduct, products);
record!(Customer, CustomerId, CustomerChange, RestoreCustomer, customers);
