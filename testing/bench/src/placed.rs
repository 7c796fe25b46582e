//! The orders placed after a moment, by status. Ids ascend with time, so the primary key finds
//! these orders, regardless of the number of earlier orders.

use anyhow::{Context, Result};
use uuid::Uuid;

use testkit::number::rows;
use testkit::world::World;

const LAST: &str = "select id from orders order by id desc limit 1";
const PENDING: &str = "select count(*) from orders where id > $1 and status = 'Pending'";
const FINAL: &str = "select count(*) from orders where id > $1 and status <> 'Pending'";

/// Orders with a greater id than this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    after: Uuid,
}

impl Placed {
    /// Every order of the world.
    pub(super) fn ever() -> Placed {
        Placed { after: Uuid::nil() }
    }

    /// The orders that are placed from now on. No client may place orders during the call.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn from_now_on(world: &World) -> Result<Placed> {
        let last = world.try_sql(LAST, &[]).await.context("read the last order's id")?;
        let after = last.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        Ok(Placed { after })
    }

    /// The number of pending orders.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn pending(self, world: &World) -> Result<f64> {
        self.count(world, PENDING).await
    }

    /// The number of final orders.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn settled(self, world: &World) -> Result<f64> {
        self.count(world, FINAL).await
    }

    async fn count(self, world: &World, query: &str) -> Result<f64> {
        let found = world.try_sql(query, &[&self.after]).await.context("count orders")?;
        Ok(rows(found.first().context("count orders")?.try_get(0)?))
    }
}
