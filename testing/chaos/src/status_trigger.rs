//! A trigger in the database under test that records every change of an order's status, whichever
//! session makes the change. The services do not use the trigger's table.

use std::time::Instant;

use anyhow::{Context, Result};

use testkit::world::World;

const TABLE: &str = "
    create table status_changes (
        order_id uuid not null, was text not null, became text not null,
        at timestamptz not null default clock_timestamp()
    )";
const FUNCTION: &str = "
    create function record_status_change() returns trigger language plpgsql as $$
    begin
        insert into status_changes
        values (old.id, old.status, coalesce(new.status::text, 'deleted'));
        return null;
    end $$";
const TRIGGER: &str = "
    create trigger record_status_change after update of status or delete on orders
    for each row execute function record_status_change()";

/// The campaign's beginning on two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// PostgreSQL's clock, in seconds since 1970.
    pub(super) epoch: f64,
    /// The clock of this process.
    pub(super) began: Instant,
}

/// Installs the trigger. The services' tables must exist.
///
/// # Errors
/// If PostgreSQL refuses a statement.
pub(super) async fn install(world: &World) -> Result<Origin> {
    for statement in [TABLE, FUNCTION, TRIGGER] {
        world.try_sql(statement, &[]).await.context("install the status trigger")?;
    }
    let now = "select extract(epoch from clock_timestamp())::float8";
    let rows = world.try_sql(now, &[]).await?;
    let epoch = rows.first().context("ask PostgreSQL for the time")?.try_get(0)?;
    Ok(Origin { epoch, began: Instant::now() })
}
