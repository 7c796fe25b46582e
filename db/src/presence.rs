//! The presence of a process: an advisory lock of a session of its own, which PostgreSQL releases as
//! soon as the process dies. It only saves time: behind a pooler that gives a session to several
//! clients, the lease of a row decides.

use deadpool_postgres::{ClientWrapper, Object};

use crate::row::column;
use crate::{Db, Error};

/// First key of the advisory locks: "ordh" in ASCII, which no other program uses. The second key is
/// the holder.
pub(crate) const CLASS: i32 = 0x6f72_6468;

/// The number of a process while it is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub(crate) i32);

impl Holder {
    /// A holder with a random number that is not negative.
    pub fn random() -> Holder {
        // The end of a version 7 UUID is random (RFC 9562, section 5.7).
        let [.., a, b, c, d] = *uuid::Uuid::now_v7().as_bytes();
        Holder(i32::from_be_bytes([a, b, c, d]) & i32::MAX)
    }
}

/// A session that has the lock of a holder. Ends when the value is dropped or the process dies.
pub struct Presence {
    session: ClientWrapper,
    holder: Holder,
    backend: i32,
}

impl std::fmt::Debug for Presence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Presence({:?})", self.holder)
    }
}

const LOCK: &str = "select pg_try_advisory_lock($1, $2) as got, pg_backend_pid() as backend";

/// Opens a session that holds the lock of `holder`; `None` if another session has this number.
pub async fn hold(db: &Db, holder: Holder) -> Result<Option<Presence>, Error> {
    // Taken out of the pool: a connection that is lent again would be closed some time.
    let session = Object::take(db.session().await?);
    let row = session.query_one(LOCK, &[&CLASS, &holder.0]).await?;
    let backend = column(&row, "backend")?;
    let got: bool = column(&row, "got")?;
    Ok(got.then_some(Presence { session, holder, backend }))
}

const STILL_HELD: &str = "
    select pg_backend_pid() = $3 and exists (
               select from pg_locks
                where locktype = 'advisory' and granted and objsubid = 2 and pid = $3
                  and classid::bigint = $1 and objid::bigint = $2) as held";

impl Presence {
    /// The holder.
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// Returns `true` if the session still has the lock. `false` behind a pooler that has given the
    /// session to another client.
    ///
    /// # Errors
    /// If the session has ended or does not answer.
    pub async fn holds(&self) -> Result<bool, Error> {
        let (class, holder) = (i64::from(CLASS), i64::from(self.holder.0));
        let row = self.session.query_one(STILL_HELD, &[&class, &holder, &self.backend]).await?;
        column(&row, "held")
    }
}
