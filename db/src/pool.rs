use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use deadpool_postgres::{Hook, HookError};
use service::Readiness;
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

use super::{Error, Settings};
use crate::pool_metrics::Pools;

/// How much longer than the server's own limit the client waits for an answer, before it takes
/// the connection for dead.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// How long a silent peer is taken for alive.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// How often it is then asked, and how far apart.
const KEEPALIVE_PROBES: u32 = 2;
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(5);
/// How old a connection may get.
const AGE_MAX: Duration = Duration::from_secs(3600);

/// What the parameters of a statement look like.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A database, with a bounded pool of connections to it. Clones share the pool.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    timeout: Duration,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({:?})", self.pool.status())
    }
}

impl Db {
    /// A pool that connects when it is first used; its connections live on `runtime`.
    ///
    /// # Errors
    /// If the pool cannot be built at all.
    pub fn new(settings: &Settings, runtime: Handle) -> Result<Db, Error> {
        Db::open(settings, runtime, config(settings))
    }

    /// The same for one who only looks: PostgreSQL refuses whatever would write.
    ///
    /// # Errors
    /// If the pool cannot be built at all.
    pub fn read_only(settings: &Settings, runtime: Handle) -> Result<Db, Error> {
        let mut config = config(settings);
        let options = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{options} -c default_transaction_read_only=on"));
        Db::open(settings, runtime, config)
    }

    fn open(settings: &Settings, runtime: Handle, config: Config) -> Result<Db, Error> {
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_connect(
            config,
            ConnectOn { runtime },
            ManagerConfig { recycling_method },
        );
        let timeout = Some(settings.statement_timeout);
        let pool = Pool::builder(manager)
            .max_size(settings.pool_max)
            .timeouts(deadpool_postgres::Timeouts {
                wait: timeout,
                create: timeout,
                recycle: timeout,
            })
            .pre_recycle(Hook::sync_fn(|_, metrics| {
                if metrics.age() < AGE_MAX { Ok(()) } else { Err(HookError::message("old")) }
            }))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| Error::Refused(e.to_string()))?;
        Ok(Db { pool, timeout: settings.statement_timeout + GRACE })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.query("select", &[]).await.map(drop)
    }

    /// Adds the database to `readiness` as the component `name`.
    pub fn add_readiness(&self, readiness: &Readiness, name: &'static str) {
        let db = self.clone();
        readiness.add(name, move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|_| "does not answer".to_owned()) }
        });
    }

    /// Exposes the use of the pool's connections under `pool_name`.
    pub fn expose(&self, metrics: &Metrics, pool_name: &'static str) {
        let (gauges, pool) = (metrics.get::<Pools>().pool(pool_name), self.pool.clone());
        metrics.on_scrape(move || {
            let status = pool.status();
            let used = status.size.saturating_sub(status.available);
            for (gauge, count) in [
                (&gauges.idle, status.available),
                (&gauges.used, used),
                (&gauges.max, status.max_size),
                (&gauges.pending, status.waiting),
            ] {
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        });
    }

    /// A session for whoever has to keep one.
    pub(crate) async fn session(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }

    /// Runs a statement that may be run twice: it is run again at once, on another connection,
    /// when the first one turns out to be dead.
    pub(crate) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        match self.query_once(sql, params).await {
            Err(Error::Unavailable(first)) => {
                log::debug!("asking the database again: {first}");
                self.query_once(sql, params).await
            }
            other => other,
        }
    }

    /// Runs a statement that must not be run twice.
    pub(crate) async fn query_once(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        let client = self.pool.get().await?;
        let answer = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, params).await
        };
        let result = match tokio::time::timeout(self.timeout, answer).await {
            Ok(result) => result.map_err(Error::from),
            Err(_) => {
                // What made this one fall silent made the idle ones fall silent, too: whoever got
                // one of them would wait as long again.
                drop(self.pool.retain(|_, _| false));
                Err(Error::Unavailable("no answer in time".to_owned()))
            }
        };
        // A connection that failed is not handed out again, whatever state it is in.
        if matches!(result, Err(Error::Unavailable(_))) {
            drop(Object::take(client));
        }
        result
    }
}

/// Every statement is bounded in time. Every statement finds its rows through an index, one by one
/// from the arrays it is given, whatever the planner believes about a table that has just grown: so
/// one plan is as good for an empty table as for a full one and is made once for a connection. What
/// is hot lies in memory, where a page costs the same wherever it is. Compiling such a plan (jit) takes
/// a hundred times as long as running it.
pub(crate) fn config(settings: &Settings) -> Config {
    let mut config = Config::new();
    config
        .host(&settings.host)
        .port(settings.port)
        .user(&settings.user)
        .password(settings.password.reveal())
        .dbname(&settings.database)
        .application_name(settings.app)
        .connect_timeout(settings.statement_timeout)
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_PAUSE)
        .keepalives_retries(KEEPALIVE_PROBES)
        // A statement that the other machine has not even received by then will not be answered.
        .tcp_user_timeout(settings.statement_timeout)
        .options(format!(
            "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off \
             -c enable_mergejoin=off -c jit=off -c random_page_cost=1.1 -c statement_timeout={}",
            settings.statement_timeout.as_millis()
        ));
    config
}

type Connecting<'a> = Pin<
    Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + 'a>,
>;

/// Keeps every connection on one runtime. Left alone it would live on the thread of whoever
/// asked first, and die with it.
struct ConnectOn {
    runtime: Handle,
}

impl Connect for ConnectOn {
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let config = config.clone();
        let runtime = self.runtime.clone();
        Box::pin(async move {
            let connecting = runtime.spawn(async move { config.connect(NoTls).await });
            let Ok(connected) = connecting.await else {
                // The runtime is ending; the pool's own time limit answers the caller.
                return std::future::pending().await;
            };
            let (client, connection) = connected?;
            let driving = runtime.spawn(async move {
                if let Err(error) = connection.await {
                    log::debug!("a database connection ended: {error}");
                }
            });
            Ok((client, driving))
        })
    }
}
