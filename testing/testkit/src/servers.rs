//! One PostgreSQL and one RabbitMQ for each test binary, a database and a virtual host for each
//! test. Tests that break servers start private ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::sync::OnceCell;

use crate::fail::OrFail;
use crate::postgres::Postgres;
use crate::rabbitmq::RabbitMq;
use crate::scratch_dir::ScratchDir;

/// Never dropped; the watchdogs end what is in it. Nothing in it belongs to a runtime, because each
/// test has its own and the first one to come here is not the last one to leave.
static SHARED: OnceCell<Servers> = OnceCell::const_new();

static NAMES: AtomicUsize = AtomicUsize::new(1);

/// Both servers, and the directory they live in. Fields are dropped in this order.
#[derive(Debug)]
pub struct Servers {
    /// The store.
    pub postgres: Postgres,
    /// The queue.
    pub rabbitmq: RabbitMq,
    _dir: ScratchDir,
}

/// The ones that all tests of this binary share. They must not be killed or stopped. Panics if they
/// can't be started.
pub async fn shared() -> &'static Servers {
    SHARED.get_or_init(async || private().await).await
}

/// New ones, to break; the caller owns them. Takes about five seconds. Panics if they can't be
/// started.
pub async fn private() -> Servers {
    start().await.or_fail("start PostgreSQL and RabbitMQ")
}

/// A name that no other test of this binary has: for a database or a virtual host.
pub fn fresh_name() -> String {
    format!("test_{}", NAMES.fetch_add(1, Ordering::Relaxed))
}

async fn start() -> Result<Servers> {
    let dir = ScratchDir::new()?;
    let (at_postgres, at_rabbitmq) = (dir.path().join("postgres"), dir.path().join("rabbitmq"));
    let (postgres, rabbitmq) =
        tokio::try_join!(Postgres::start(&at_postgres), RabbitMq::start(&at_rabbitmq))?;
    Ok(Servers { postgres, rabbitmq, _dir: dir })
}
