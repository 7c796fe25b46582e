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
        Reading { names: &SHOP, overridden_by: None }.read(env, &Settings::development(app))
    }

    /// Reads the settings of the payments' database. Those of the shop's are the defaults.
    pub fn read_payments(env: &mut Env, app: &'static str) -> Settings {
        Settings::read_alone(env, &PAYMENTS, app)
    }

    /// Reads the settings of the shop's and of the payments' database.
    pub fn read_both(env: &mut Env, app: &'static str) -> (Settings, Settings) {
        let shop = Settings::read(env, app);
        let payments = Reading { names: &PAYMENTS, overridden_by: None }.read(env, &shop);
        (shop, payments)
    }

    /// Reads the settings of the log lines' database. Those of the shop's are the defaults.
    pub fn read_logs(env: &mut Env, app: &'static str) -> Settings {
        Settings::read_alone(env, &LOGS, app)
    }

    /// Reads the settings of a process that does not use the shop's database. A setting of the shop
    /// has an effect there only where it is the default of one that is not given.
    fn read_alone(env: &mut Env, names: &Names, app: &'static str) -> Settings {
        let defaults = Reading { names: &SHOP, overridden_by: Some(names) };
        let shop = defaults.read(env, &Settings::development(app));
        Reading { names, overridden_by: None }.read(env, &shop)
    }

    /// The settings of an empty environment.
    fn development(app: &'static str) -> Settings {
        Settings {
            host: "localhost".to_owned(),
            port: 5432,
            user: "postgres".to_owned(),
            password: Secret::new("postgres"),
            database: "ordermill".to_owned(),
            pool_max: 16,
            statement_timeout: Duration::from_secs(5),
            app,
        }
    }
}

/// The names to read, and those that replace them where they are given.
struct Reading<'a> {
    names: &'a Names,
    overridden_by: Option<&'a Names>,
}

impl Reading<'_> {
    fn read(&self, env: &mut Env, default: &Settings) -> Settings {
        let names = self.names;
        let setting = |name, unit, help| Setting { name, unit, help };
        let user = setting(names.user, "text", "Role to connect as.");
        let password = setting(names.password, "text", "Password of the role.");
        let database = setting(names.database, "text", "Name of the database.");
        let (host, port) = self.read_address(env, default);
        Settings {
            host,
            port,
            user: env.text(&user, &default.user),
            password: env.secret(&password, default.password.reveal()),
            database: env.text(&database, &default.database),
            pool_max: self.read_pool_max(env, default),
            statement_timeout: self.read_statement_timeout(env, default),
            app: default.app,
        }
    }

    /// Host and port. Where a platform puts the address of a service into the variable of the port
    /// (`POSTGRES_PORT=tcp://10.96.12.7:5432`), the host is by default that address, and the port
    /// that of the service, if the host is the service.
    fn read_address(&self, env: &mut Env, default: &Settings) -> (String, u16) {
        let Names { host, port, .. } = *self.names;
        let service = env.injected(port).cloned();
        let known = service.as_ref().map_or(&default.host, |service| &service.host);
        let form = "host name or address";
        let setting = Setting { name: host, unit: form, help: "Host of PostgreSQL." };
        let host = env.parsed(setting.with_default(known.clone(), known), |text| {
            Ok(text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text).to_owned())
        });
        let alias = port.trim_end_matches("_PORT");
        let service = service.filter(|service| service.host == host || is_called(&host, alias));
        let known = service.map_or(default.port, |service| service.port);
        let setting = Setting { name: port, unit: "TCP port", help: "Port of PostgreSQL." };
        let used = self.is_used(env, |names| names.port);
        (host, env.read_if(used, |env| env.number(&setting, known, 1..=u16::MAX)))
    }

    fn read_pool_max(&self, env: &mut Env, default: &Settings) -> usize {
        let setting = Setting {
            name: self.names.pool_max,
            unit: "connections",
            help: "Maximum number of connections open at a time.",
        };
        let used = self.is_used(env, |names| names.pool_max);
        env.read_if(used, |env| env.number(&setting, default.pool_max, 1..=1000))
    }

    fn read_statement_timeout(&self, env: &mut Env, default: &Settings) -> Duration {
        let setting = Setting {
            name: self.names.statement_timeout,
            unit: "milliseconds",
            help: "Timeout of one statement, and of the wait for a connection.",
        };
        let default_ms = u64::try_from(default.statement_timeout.as_millis()).unwrap_or(u64::MAX);
        let used = self.is_used(env, |names| names.statement_timeout);
        env.read_if(used, |env| env.millis(&setting, default_ms, 100..=600_000))
    }

    /// Returns false if another setting replaces this one.
    fn is_used(&self, env: &Env, name: impl Fn(&Names) -> &'static str) -> bool {
        self.overridden_by.is_none_or(|names| !env.has(name(names)))
    }
}

/// Returns true if `host` is the service whose variables begin with `alias`: `postgres` or
/// `postgres.shop.svc` for `POSTGRES`.
fn is_called(host: &str, alias: &str) -> bool {
    let name = host.split('.').next().unwrap_or(host);
    name.replace('-', "_").eq_ignore_ascii_case(alias)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_address_that_a_platform_injects_is_understood() {
        let injected = ("POSTGRES_PORT", "tcp://10.96.12.7:6432");
        for (host, wanted) in [
            (None, ("10.96.12.7", 6432)),
            (Some("10.96.12.7"), ("10.96.12.7", 6432)),
            (Some("postgres.shop.svc.cluster.local"), ("postgres.shop.svc.cluster.local", 6432)),
            (Some("db.example.com"), ("db.example.com", 5432)),
        ] {
            let host = host.map(|host| ("POSTGRES_HOST", host));
            let mut env = env(&host.into_iter().chain([injected]).collect::<Vec<_>>());
            let (shop, payments) = Settings::read_both(&mut env, "test");
            assert_eq!((shop.host.as_str(), shop.port), wanted);
            assert_eq!((payments.host.as_str(), payments.port), wanted);
            env.finish().unwrap();
        }
    }

    #[test]
    fn a_default_that_is_replaced_may_have_any_value() {
        let wrong = ("POSTGRES_PORT", "many");
        let mut replaced = env(&[wrong, ("PAYMENTS_POSTGRES_PORT", "6000")]);
        assert_eq!(Settings::read_payments(&mut replaced, "test").port, 6000);
        replaced.finish().unwrap();
        let mut used = env(&[wrong]);
        Settings::read_payments(&mut used, "test");
        used.finish().unwrap_err();
    }

    #[test]
    fn an_address_in_brackets_is_an_address() {
        let mut env = env(&[("POSTGRES_HOST", "[::1]")]);
        assert_eq!(Settings::read(&mut env, "test").host, "::1");
    }
}
