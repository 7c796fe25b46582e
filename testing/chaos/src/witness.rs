//! Somebody who writes down every change of a status, whoever makes it: a trigger in the database
//! under test. The services know nothing of it.

use std::time::Instant;

use anyhow::{Context, Result};

use testkit::world::World;

const TABLE: &str = "
    create table witness (
        order_id uuid not null, was text not null, became text not null,
        at timestamptz not null default clock_timestamp()
    )";
const FUNCTION: &str = "
    create function witness() returns trigger language plpgsql as $$
    begin
        insert into witness values (old.id, old.status, coalesce(new.status::text, 'deleted'));
        return null;
    end $$";
const TRIGGER: &str = "
    create trigger witness after update of status or delete on orders
    for each row execute function witness()";

/// The database's clock at the beginning, as seconds of its epoch, and ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// By PostgreSQL.
    pub(super) epoch: f64,
    /// Ours.
    pub(super) began: Instant,
}

/// From here on every change is written down. The tables must be there.
///
/// # Errors
/// If the database does not do it.
pub(super) async fn take_place(world: &World) -> Result<Origin> {
    for statement in [TABLE, FUNCTION, TRIGGER] {
        world.try_sql(statement, &[]).await.context("place the witness")?;
    }
    let now = "select extract(epoch from clock_timestamp())::float8";
    let rows = world.try_sql(now, &[]).await?;
    let epoch = rows.first().context("ask PostgreSQL for the time")?.try_get(0)?;
    Ok(Origin { epoch, began: Instant::now() })
}
