use std::time::Duration;

use service::{Env, Secret, Setting};

/// Address, credentials and limits of the connections to one set of tables.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host name or address of PostgreSQL.
    pub host: String,
    /// TCP port of PostgreSQL.
    pub port: u16,
    /// Role to connect as.
    pub user: String,
    /// Password of the role.
    pub password: Secret,
    /// Name of the database.
    pub database: String,
    /// Maximum number of connections open at a time.
    pub pool_max: usize,
    /// Timeout of one statement, and of the wait for a connection.
    pub statement_timeout: Duration,
    /// Name of the program, shown in `pg_stat_activity`.
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

/// The settings of a deployment whose payments are in another database. Each defaults to its
/// `POSTGRES_*` counterpart.
const PAYMENTS: Names = Names {
    host: "PAYMENTS_POSTGRES_HOST",
    port: "PAYMENTS_POSTGRES_PORT",
    user: "PAYMENTS_POSTGRES_USER",
    password: "PAYMENTS_POSTGRES_PASSWORD",
    database: "PAYMENTS_POSTGRES_DB",
    pool_max: "PAYMENTS_POSTGRES_POOL_MAX",
    statement_timeout: "PAYMENTS_POSTGRES_STATEMENT_TIMEOUT_MS",
};

/// The settings of a deployment whose log lines are in another database, with the same defaults.
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
    /// Reads the settings of the shop's database: customers, products, orders, outbox.
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

    /// Reads the settings of the payments' database, the shop's by default.
    pub fn read_payments(env: &mut Env, app: &'static str) -> Settings {
        Settings::read_both(env, app).1
    }

    /// Reads the settings of the shop's and of the payments' database.
    pub fn read_both(env: &mut Env, app: &'static str) -> (Settings, Settings) {
        let shop = Settings::read(env, app);
        let payments = read(env, &PAYMENTS, &shop);
        (shop, payments)
    }

    /// Reads the settings of the log lines' database, the shop's by default.
    pub fn read_logs(env: &mut Env, app: &'static str) -> Settings {
        let shop = Settings::read(env, app);
        read(env, &LOGS, &shop)
    }
}

fn read(env: &mut Env, names: &Names, default: &Settings) -> Settings {
    let setting = |name, unit, help| Setting { name, unit, help };
    let host = setting(names.host, "host name or address", "Host of PostgreSQL.");
    let port = setting(names.port, "TCP port", "Port of PostgreSQL.");
    let user = setting(names.user, "text", "Role to connect as.");
    let password = setting(names.password, "text", "Password of the role.");
    let database = setting(names.database, "text", "Name of the database.");
    let pool_max =
        setting(names.pool_max, "connections", "Maximum number of connections open at a time.");
    let timeout = setting(
        names.statement_timeout,
        "milliseconds",
        "Timeout of one statement, and of the wait for a connection.",
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
