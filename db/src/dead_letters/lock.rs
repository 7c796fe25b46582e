use std::time::{Duration, Instant};

use deadpool_postgres::{ClientWrapper, Object};

use crate::row::column;
use crate::{Db, Error};

/// Any number that no other program takes as an advisory lock: "dead ltr" in ASCII.
const LOCK: i64 = 0x6465_6164_206c_7472;
/// Between two tries to get the lock.
const PAUSE: Duration = Duration::from_millis(50);

/// The right to handle dead letters, which one session has at a time, over all processes. It ends
/// when this is dropped, or its process dies.
pub struct DeadLetterLock {
    _session: ClientWrapper,
}

impl std::fmt::Debug for DeadLetterLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeadLetterLock")
    }
}

const TAKE: &str =
    "select set_config('application_name', $2, false), pg_try_advisory_lock($1) as got";
const HOLDER: &str = "
    select a.application_name as name
      from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.classid = ($1::bigint >> 32)::oid
       and l.objid = ($1::bigint & 4294967295)::oid
       and l.database = (select oid from pg_database where datname = current_database())";

/// Waits up to `patience` for the lock. `name` is what others see meanwhile; `Err` within is what
/// they see of whoever has it.
pub async fn lock(
    db: &Db,
    name: &str,
    patience: Duration,
) -> Result<Result<DeadLetterLock, String>, Error> {
    let begun = Instant::now();
    // A session of its own: it would keep the lock, and the name, when it is handed on.
    let session = Object::take(db.session().await?);
    loop {
        let taken = session.query_one(TAKE, &[&LOCK, &name]).await?;
        if column(&taken, "got")? {
            return Ok(Ok(DeadLetterLock { _session: session }));
        }
        if begun.elapsed() > patience {
            let holder = session.query_opt(HOLDER, &[&LOCK]).await?;
            let holder = holder.map(|row| column(&row, "name")).transpose()?;
            return Ok(Err(holder.unwrap_or_default()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
