use std::time::Duration;

use service::{Env, Secret, Setting};

/// Where one set of tables lives, and how patient to be with it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Database name.
    pub database: String,
    /// The most connections held at a time.
    pub pool_max: usize,
    /// How long one statement may take, and how long to wait for a connection.
    pub statement_timeout: Duration,
    /// Shown in `pg_stat_activity`.
    pub app: &'static str,
}

struct Names {
    host: &'static str,
    port: &'static str,
    user: &'static str,
    password: &'static str,
    database: &'static str,
    pool_max: &'static str,
    statement_timeout: &'static str,
}

const SHOP: Names = Names {
    host: "POSTGRES_HOST",
    port: "POSTGRES_PORT",
    user: "POSTGRES_USER",
    password: "POSTGRES_PASSWORD",
    database: "POSTGRES_DB",
    pool_max: "POSTGRES_POOL_MAX",
    statement_timeout: "POSTGRES_STATEMENT_TIMEOUT_MS",
};

/// What a deployment sets to move the payment tables elsewhere; each falls back to its
/// namesake above.
const PAYMENTS: Names = Names {
    host: "PAYMENTS_POSTGRES_HOST",
    port: "PAYMENTS_POSTGRES_PORT",
    user: "PAYMENTS_POSTGRES_USER",
    password: "PAYMENTS_POSTGRES_PASSWORD",
    database: "PAYMENTS_POSTGRES_DB",
    pool_max: "PAYMENTS_POSTGRES_POOL_MAX",
    statement_timeout: "PAYMENTS_POSTGRES_STATEMENT_TIMEOUT_MS",
};

/// The same for the log lines.
const LOGS: Names = Names {
    host: "LOGS_POSTGRES_HOST",
    port: "LOGS_POSTGRES_PORT",
    user: "LOGS_POSTGRES_USER",
    password: "LOGS_POSTGRES_PASSWORD",
    database: "LOGS_POSTGRES_DB",
    pool_max: "LOGS_POSTGRES_POOL_MAX",
    statement_timeout: "LOGS_POSTGRES_STATEMENT_TIMEOUT_MS",
};

impl Settings {
    /// Where customers, products, orders and the outbox live.
    pub fn read(env: &mut Env, app: &'static str) -> Settings {
        let defaults = Settings {
            host: "localhost".to_owned(),
            port: 5432,
            user: "postgres".to_owned(),
            password: Secret::new("postgres"),
            database: "ordermill".to_owned(),
            pool_max: 16,
            statement_timeout: Duration::from_secs(5),
            app,
        };
        read(env, &SHOP, &defaults)
    }

    /// Where payments live: where the orders do, unless told otherwise.
    pub fn read_payments(env: &mut Env, app: &'static str) -> Settings {
        Settings::read_both(env, app).1
    }

    /// Where the orders live, and where the payments do.
    pub fn read_both(env: &mut Env, app: &'static str) -> (Settings, Settings) {
        let shop = Settings::read(env, app);
        let payments = read(env, &PAYMENTS, &shop);
        (shop, payments)
    }

    /// Where log lines live: where the orders do, unless told otherwise.
    pub fn read_logs(env: &mut Env, app: &'static str) -> Settings {
        let shop = Settings::read(env, app);
        read(env, &LOGS, &shop)
    }
}

fn read(env: &mut Env, names: &Names, default: &Settings) -> Settings {
    let setting = |name, unit, help| Setting { name, unit, help };
    let host = setting(names.host, "host name or address", "Where PostgreSQL listens.");
    let port = setting(names.port, "TCP port", "Where PostgreSQL listens.");
    let user = setting(names.user, "text", "The role to connect as.");
    let password = setting(names.password, "text", "Its password.");
    let database = setting(names.database, "text", "The database.");
    let pool_max = setting(names.pool_max, "connections", "The most connections held at a time.");
    let timeout = setting(
        names.statement_timeout,
        "milliseconds",
        "How long one statement may take, and how long to wait for a connection.",
    );
    let default_ms = u64::try_from(default.statement_timeout.as_millis()).unwrap_or(u64::MAX);
    Settings {
        host: env.text(&host, &default.host),
        port: env.number(&port, default.port, 1..=u16::MAX),
        user: env.text(&user, &default.user),
        password: env.secret(&password, default.password.reveal()),
        database: env.text(&database, &default.database),
        pool_max: env.number(&pool_max, default.pool_max, 1..=1000),
        statement_timeout: env.millis(&timeout, default_ms, 100..=600_000),
        app: default.app,
    }
}
