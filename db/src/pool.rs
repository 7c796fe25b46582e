use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use deadpool_postgres::{Connect, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use deadpool_postgres::{Hook, HookError};
use service::Readiness;
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

use crate::error::describe;
use crate::pool_metrics::Pools;
use crate::unreadable::RowMetrics;
use crate::{Error, Settings};

/// Time by which the client's timeout of a statement exceeds the server's. A connection without an
/// answer by then counts as dead.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// Time without traffic before the first TCP keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// Number of unanswered probes after which a connection counts as dead.
const KEEPALIVE_PROBES: u32 = 2;
/// Pause between two probes.
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(5);
/// Age at which a connection is replaced.
const AGE_MAX: Duration = Duration::from_secs(3600);

/// Parameters of a statement.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A database with a bounded pool of connections. Clones share the pool.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    timeout: Duration,
    /// A statement that ran into its time limit is not run a second time.
    pub(crate) gives_up: bool,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({:?})", self.pool.status())
    }
}

impl Db {
    /// Opens a pool, which connects at its first use. The connections run on `runtime`.
    ///
    /// # Errors
    /// If the pool cannot be built at all.
    pub fn new(settings: &Settings, runtime: Handle) -> Result<Db, Error> {
        Db::open(settings, runtime, config(settings))
    }

    /// Opens a pool whose connections can only read: PostgreSQL refuses every write.
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
        Ok(Db { pool, timeout: settings.statement_timeout + GRACE, gives_up: false })
    }

    /// Runs an empty statement.
    ///
    /// # Errors
    /// If the database does not answer.
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
        drop(metrics.get::<RowMetrics>());
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

    /// A connection of the pool, for callers that need several statements on the same one.
    pub(crate) async fn session(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }

    /// Runs a statement that may be run twice. If the connection turns out to be dead, the
    /// statement is run once more, on another connection.
    pub(crate) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let begun = Instant::now();
        match self.query_once(sql, params).await {
            Err(Error::Unavailable(first)) if self.repeats_after(begun.elapsed()) => {
                log::debug!("repeating a statement on another connection: {first}");
                self.query_once(sql, params).await
            }
            other => other,
        }
    }

    fn repeats_after(&self, taken: Duration) -> bool {
        !self.gives_up || taken + GRACE < self.timeout
    }

    /// Runs a statement that must not be run twice.
    pub(crate) async fn query_once(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        let client = self.pool.get().await?;
        let running = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, params).await
        };
        let result = match tokio::time::timeout(self.timeout, running).await {
            Ok(result) => result.map_err(Error::from),
            Err(_) => {
                // The cause of the silence affects the idle connections as well; the next statement
                // on one of them would wait as long again.
                drop(self.pool.retain(|_, _| false));
                Err(Error::Unavailable("no answer in time".to_owned()))
            }
        };
        // The state of a connection that failed is unknown: the pool must not lend it again.
        if matches!(result, Err(Error::Unavailable(_))) {
            drop(Object::take(client));
        }
        result
    }
}

/// Connection parameters. The server bounds the time of every statement, and the planner is pinned:
///
/// * Every statement finds its rows through an index, one by one from its arrays, even while the
///   statistics of a table that has just grown are wrong. One generic plan is as good for an empty
///   table as for a full one, and is made once for a connection.
/// * The hot pages are in memory, where a random page costs as much as the next one.
/// * Compiling such a plan (jit) takes a hundred times as long as running it.
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
        // A statement that the server's machine has not acknowledged by then gets no answer.
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

/// Runs every connection on one runtime. By default a connection runs on the thread that asked for
/// it first, and ends with that thread.
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
                // The runtime is ending; the pool's own timeout ends the caller's wait.
                return std::future::pending().await;
            };
            let (client, connection) = connected?;
            let driving = runtime.spawn(async move {
                if let Err(error) = connection.await {
                    log::debug!("database connection ended: {}", describe(&error));
                }
            });
            Ok((client, driving))
        })
    }
}
