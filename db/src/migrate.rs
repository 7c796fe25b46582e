use refinery::error::Kind;
use refinery::{Migration, Runner};
use service::{Backoff, Tasks};
use tokio_postgres::NoTls;

use crate::error::{describe, refusal};
use crate::pool::{GRACE, config};
use crate::{Error, Settings};

mod shop {
    refinery::embed_migrations!("migrations/shop");
}

mod payments {
    refinery::embed_migrations!("migrations/payments");
}

mod logs {
    refinery::embed_migrations!("migrations/logs");
}

/// Key of the advisory lock of a migration: "ordermil" in ASCII, which no other program uses.
const LOCK: i64 = 0x6f72_6465_726d_696c;

/// A set of tables, migrated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Customers, products, orders, outbox.
    Shop,
    /// Payments, and the simulated gateway's ledger.
    Payments,
    /// Log lines.
    Logs,
}

/// Repeats [`migrate`] while the database is unavailable, until the tables are up to date or
/// `tasks` stop.
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

/// Brings the tables up to date. Any number of processes may call this at the same time: one
/// migrates, the others wait.
///
/// # Errors
/// [`Error::Refused`] if a migration fails; the migration is rolled back, the migrations before it
/// stay.
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
        let runner = which.runner().map_err(|e| Error::Refused(e.to_string()))?;
        let report = runner.run_async(&mut client).await;
        let report = report.map_err(|error| match client.is_closed() {
            true => Error::Unavailable(reason(&error)),
            false => Error::Refused(with_cure(&error, settings)),
        })?;
        for migration in report.applied_migrations() {
            log::info!("migration applied: {migration}");
        }
        Ok(())
    };
    // `work` owns the client: its end closes the connection, which releases the lock.
    let (result, _closed) = tokio::join!(work, connection);
    result
}

impl Migrations {
    fn runner(self) -> Result<Runner, refinery::Error> {
        let (embedded, table) = match self {
            Migrations::Shop => (shop::migrations::runner(), "migrations_shop"),
            Migrations::Payments => (payments::migrations::runner(), "migrations_payments"),
            Migrations::Logs => (logs::migrations::runner(), "migrations_logs"),
        };
        let files: Result<Vec<Migration>, _> =
            embedded.get_migrations().iter().map(with_line_feeds).collect();
        let mut runner = Runner::new(&files?);
        runner.set_migration_table_name(table);
        // During a rolling restart an older process meets the migrations of a newer one.
        Ok(runner.set_abort_missing(false))
    }
}

/// A migration with the line ends of the repository. refinery compares the checksums of the files
/// with those that were applied, and a checkout on Windows may have other line ends.
fn with_line_feeds(file: &Migration) -> Result<Migration, refinery::Error> {
    let sql = file.sql().unwrap_or_default().replace("\r\n", "\n");
    Migration::unapplied(&file.to_string(), &sql)
}

/// The text of an error, with the server's answer.
fn reason(error: &refinery::Error) -> String {
    if let Kind::Connection(step, cause) = error.kind() {
        format!("{step}: {}", describe(cause.as_ref()))
    } else {
        error.to_string()
    }
}

/// The same, and what to do about it.
fn with_cure(error: &refinery::Error, settings: &Settings) -> String {
    let Settings { database, user, .. } = settings;
    let code = refusal(error).map(|refusal| refusal.code().code());
    let cure = match code {
        // A table, type or schema of this name exists.
        Some("42P07" | "42710" | "42P06") => format!(
            "the database {database:?} has tables of another application; create a database for \
             Ordermill alone, and name it in POSTGRES_DB"
        ),
        // Since PostgreSQL 15 only the owner of a database may create tables in its schema public.
        Some("42501") => format!(
            "the role {user:?} may not create tables in {database:?}; make it the owner: alter \
             database {database:?} owner to {user:?}"
        ),
        // A search path that is empty, or names no schema that exists.
        Some("3F000") => format!(
            "the role {user:?} has no schema to create tables in; give it one: alter role {user:?} \
             set search_path to public"
        ),
        _ => return reason(error),
    };
    format!("{}: {cure}", reason(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_do_not_depend_on_line_ends() {
        for which in [Migrations::Shop, Migrations::Payments, Migrations::Logs] {
            for file in which.runner().unwrap().get_migrations() {
                let text = file.sql().unwrap();
                assert!(text.contains('\n') && !text.contains('\r'), "{file}");
                let windows =
                    Migration::unapplied(&file.to_string(), &text.replace('\n', "\r\n")).unwrap();
                assert_ne!(windows.checksum(), file.checksum());
                assert_eq!(with_line_feeds(&windows).unwrap().checksum(), file.checksum());
            }
        }
    }
}
