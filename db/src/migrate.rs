use service::{Backoff, Tasks};
use tokio_postgres::NoTls;

use super::pool::{GRACE, config};
use super::{Error, Settings};

mod shop {
    refinery::embed_migrations!("migrations/shop");
}

mod payments {
    refinery::embed_migrations!("migrations/payments");
}

mod logs {
    refinery::embed_migrations!("migrations/logs");
}

/// Any number that no other program takes as an advisory lock: "ordermil" in ASCII.
const LOCK: i64 = 0x6f72_6465_726d_696c;

/// Which tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Customers, products, orders, outbox.
    Shop,
    /// Payments, and the simulated gateway's books.
    Payments,
    /// Log lines.
    Logs,
}

/// [`migrate`], again and again while the database is away, until it is done or `tasks` stop.
///
/// # Errors
/// If a migration fails.
pub async fn migrate_when_there(
    settings: &Settings,
    which: Migrations,
    tasks: &Tasks,
) -> Result<(), Error> {
    let mut backoff = Backoff::for_server();
    let stopping = tasks.stopping();
    loop {
        let tried = tokio::select! {
            tried = migrate(settings, which) => tried,
            () = stopping.cancelled() => return Ok(()),
        };
        match tried {
            Err(Error::Unavailable(why)) => log::warn!("waiting for the database: {why}"),
            done => return done,
        }
        backoff.wait().await;
    }
}

/// Brings the tables up to date. Any number of processes may call it at the same time: one
/// migrates, the others wait for it.
///
/// # Errors
/// [`Error::Refused`] if a migration fails; it is undone, the ones before it stay.
pub async fn migrate(settings: &Settings, which: Migrations) -> Result<(), Error> {
    let mut config = config(settings);
    // A migration may take as long as it needs.
    config.options("-c statement_timeout=0");
    let connecting =
        tokio::time::timeout(settings.statement_timeout + GRACE, config.connect(NoTls));
    let Ok(connected) = connecting.await else {
        return Err(Error::Unavailable("no answer in time".to_owned()));
    };
    let (mut client, connection) = connected?;
    let work = async move {
        client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
        let (mut runner, table) = match which {
            Migrations::Shop => (shop::migrations::runner(), "migrations_shop"),
            Migrations::Payments => (payments::migrations::runner(), "migrations_payments"),
            Migrations::Logs => (logs::migrations::runner(), "migrations_logs"),
        };
        runner.set_migration_table_name(table);
        // An older process beside a newer one, as during a rolling restart, is not an error.
        let runner = runner.set_abort_missing(false);
        let report = runner.run_async(&mut client).await;
        let report = report.map_err(|e| match client.is_closed() {
            true => Error::Unavailable(e.to_string()),
            false => Error::Refused(e.to_string()),
        })?;
        for migration in report.applied_migrations() {
            log::info!("migrated: {migration}");
        }
        Ok(())
    };
    // `work` owns the client: its end closes the connection, and that frees the lock.
    let (result, _closed) = tokio::join!(work, connection);
    result
}
