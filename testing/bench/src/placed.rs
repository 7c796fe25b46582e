//! The orders placed after a moment, and what became of them. Ids ascend with time, so they are found
//! by the primary key, however many orders there were before.

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

    /// Those that are placed from now on. At the moment nobody places any.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn from_now_on(world: &World) -> Result<Placed> {
        let last = world.try_sql(LAST, &[]).await.context("look for the last order")?;
        let after = last.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        Ok(Placed { after })
    }

    /// How many of them are pending.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn pending(self, world: &World) -> Result<f64> {
        self.count(world, PENDING).await
    }

    /// How many of them are final.
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
