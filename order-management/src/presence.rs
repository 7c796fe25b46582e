//! The presence of this process, for the other ones: while it is present, its outbox rows are its own
//! until their lease is over; when it dies, they are free at once.

use std::time::Duration;

use db::presence::{Holder, Presence, hold};
use db::{Db, Error};
use service::{Backoff, Tasks};
use tokio::sync::watch;

/// Interval between two checks of the session.
const EVERY: Duration = Duration::from_secs(1);
/// Timeout of a check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The number under which this process is present at the moment, if it is.
#[derive(Clone, Debug)]
pub(crate) struct Present(watch::Receiver<Option<Holder>>);

impl Present {
    /// The holder of new leases.
    pub(crate) fn holder(&self) -> Option<Holder> {
        *self.0.borrow()
    }
}

/// Starts to be present, and stays so until the stop. Without a session, or behind a pooler that gives
/// the session to others, leases have no holder and end by time alone.
pub(crate) fn start(db: &Db, tasks: &Tasks) -> Present {
    let (holder, present) = watch::channel(None);
    tasks.spawn("presence", stay(db.clone(), holder, tasks.clone()));
    Present(present)
}

async fn stay(db: Db, holder: watch::Sender<Option<Holder>>, tasks: Tasks) {
    let stopping = tasks.stopping();
    let staying = async {
        let mut backoff = Backoff::for_server();
        loop {
            let ended = hold_once(&db, &holder).await;
            holder.send_replace(None);
            match ended {
                // Each further lock would stay in the pooler's session.
                Ok(Ended::Pooled) => {
                    log::info!("PostgreSQL is behind a pooler: leases end by time alone");
                    return;
                }
                Ok(Ended::Taken) => {}
                Err(error) => log::debug!("the presence of this process ended: {error}"),
            }
            backoff.wait().await;
        }
    };
    tokio::select! {
        () = staying => {}
        () = stopping.cancelled() => {}
    }
}

/// The end of a presence.
enum Ended {
    /// A pooler has given the session to another client.
    Pooled,
    /// Another process has the number.
    Taken,
}

/// Is present under a new number until the session is lost.
async fn hold_once(db: &Db, holder: &watch::Sender<Option<Holder>>) -> Result<Ended, Error> {
    let Some(presence) = hold(db, Holder::random()).await? else { return Ok(Ended::Taken) };
    while holds(&presence).await? {
        holder.send_replace(Some(presence.holder()));
        tokio::time::sleep(EVERY).await;
    }
    Ok(Ended::Pooled)
}

async fn holds(presence: &Presence) -> Result<bool, Error> {
    let checked = tokio::time::timeout(CHECK_TIMEOUT, presence.holds()).await;
    checked.unwrap_or_else(|_| Err(Error::Unavailable("no answer in time".to_owned())))
}
