//! One PostgreSQL and one RabbitMQ per test binary, with a database and a virtual host per test.
//! Tests that break servers start private ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::sync::OnceCell;

use crate::fail::OrFail;
use crate::postgres::Postgres;
use crate::rabbitmq::RabbitMq;
use crate::scratch_dir::ScratchDir;

/// The shared servers. They are never dropped; the watchdogs end them. They belong to no runtime,
/// because each test has its own, and the first test to use the servers is not the last.
static SHARED: OnceCell<Servers> = OnceCell::const_new();

static NAMES: AtomicUsize = AtomicUsize::new(1);

/// Both servers with their directory. Fields are dropped in this order.
#[derive(Debug)]
pub struct Servers {
    /// PostgreSQL.
    pub postgres: Postgres,
    /// RabbitMQ.
    pub rabbitmq: RabbitMq,
    _dir: ScratchDir,
}

/// The servers that all tests of this binary share. No test may kill or stop them. Panics if they
/// can't be started.
pub async fn shared() -> &'static Servers {
    SHARED.get_or_init(async || private().await).await
}

/// Starts servers that the caller owns and may break. Takes about five seconds. Panics if they
/// can't be started.
pub async fn private() -> Servers {
    start().await.or_fail("start PostgreSQL and RabbitMQ")
}

/// A name for a database or a virtual host that no other test of this binary has.
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
