use std::time::{Duration, Instant};

use deadpool_postgres::{ClientWrapper, Object};

use crate::row::column;
use crate::{Db, Error};

/// Key of the advisory lock: "dead ltr" in ASCII, which no other program uses.
const LOCK: i64 = 0x6465_6164_206c_7472;
/// Pause between two tries to get the lock.
const PAUSE: Duration = Duration::from_millis(50);

/// The right to act on dead letters, which at most one session of all processes has at a time. Ends
/// when the value is dropped or the process dies.
pub struct DeadLetterLock {
    _session: ClientWrapper,
}

impl std::fmt::Debug for DeadLetterLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeadLetterLock")
    }
}

const TRY_LOCK: &str =
    "select set_config('application_name', $2, false), pg_try_advisory_lock($1) as got";
const HOLDER: &str = "
    select a.application_name as name
      from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.classid = ($1::bigint >> 32)::oid
       and l.objid = ($1::bigint & 4294967295)::oid
       and l.database = (select oid from pg_database where datname = current_database())";

/// Waits up to `timeout` for the lock. `name` describes the holder to other sessions while the lock
/// is held. The inner `Err` is the name of the session that has the lock.
pub async fn lock(
    db: &Db,
    name: &str,
    timeout: Duration,
) -> Result<Result<DeadLetterLock, String>, Error> {
    let start = Instant::now();
    // Taken out of the pool: a connection that is lent again would keep the lock and the name.
    let session = Object::take(db.session().await?);
    loop {
        let tried = session.query_one(TRY_LOCK, &[&LOCK, &name]).await?;
        if column(&tried, "got")? {
            return Ok(Ok(DeadLetterLock { _session: session }));
        }
        if start.elapsed() > timeout {
            let holder = session.query_opt(HOLDER, &[&LOCK]).await?;
            let holder = holder.map(|row| column(&row, "name")).transpose()?;
            return Ok(Err(holder.unwrap_or_default()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
