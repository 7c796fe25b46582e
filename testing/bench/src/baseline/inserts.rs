//! S: the rate of PostgreSQL alone for the first step of an order, one row and one commit at a
//! time, on a copy of Ordermill's tables: `pgbench -M prepared -c 64`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::super::program::finish;
use testkit::installed;
use testkit::postgres::{PASSWORD, USER};
use testkit::scratch_dir::ScratchDir;
use testkit::world::World;

/// The copy by `pg_dump`: with the seed rows and without orders.
const TEMPLATE: &str = "baseline_template";
/// Created for each round, so that each begins with empty tables, as the services do.
const DATABASE: &str = "baseline";
/// Time that a tool may take in addition to its load.
const GRACE: Duration = Duration::from_secs(60);

/// Inserts an order with its outbox row; ids ascend, as those of the services.
const SCRIPT: &str = "
with placed as (
    insert into orders (id, customer_id, product_id, quantity, total_minor, currency,
                        payment_method)
    select lpad(to_hex(nextval('ids')), 32, '0')::uuid, c.id, p.id, 1, p.price_minor, p.currency,
           'pm_card_visa'
      from products p join customers c on c.id = 1 where p.id = 1
    returning id)
insert into outbox (leased_until, orders, order_ids, request_ids)
select now(), 1, array[id], array['0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5'] from placed;
";

/// The copy of the tables.
#[derive(Debug)]
pub(crate) struct Inserts {
    port: u16,
    bin: PathBuf,
    script: ScratchDir,
}

impl Inserts {
    /// Copies the tables of a world in which no order has been placed.
    ///
    /// # Errors
    /// If PostgreSQL's tools are not installed or fail.
    pub(crate) async fn prepare(world: &World) -> Result<Inserts> {
        let script = ScratchDir::new()?;
        std::fs::write(script.path().join("place.sql"), SCRIPT.replace('\n', " "))?;
        let port = world.isolation().postgres().port();
        let inserts = Inserts { port, bin: installed::postgres(None)?, script };
        let dump = finish(inserts.tool("pg_dump", world.name()), GRACE).await?;
        let copy = inserts.script.path().join("copy.sql");
        std::fs::write(&copy, dump + "\ncreate sequence public.ids;")?;
        inserts.sql(&format!("create database {TEMPLATE}")).await?;
        let mut psql = inserts.tool("psql", TEMPLATE);
        psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--file"]).arg(copy);
        finish(psql, GRACE).await?;
        Ok(inserts)
    }

    /// Returns the transactions per second of a load of this length.
    ///
    /// # Errors
    /// If `pgbench` is not installed or fails.
    pub(crate) async fn run(&self, long: Duration) -> Result<f64> {
        self.sql(&format!("create database {DATABASE} template {TEMPLATE}")).await?;
        self.sql("checkpoint").await?;
        let mut pgbench = self.tool("pgbench", DATABASE);
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--client=64", "--jobs=1"]);
        pgbench.arg(format!("--time={}", long.as_secs())).arg("--file");
        pgbench.arg(self.script.path().join("place.sql"));
        let output = finish(pgbench, long + GRACE).await?;
        self.sql(&format!("drop database {DATABASE}")).await?;
        let line = output.lines().find(|line| line.starts_with("tps = "));
        let tps = line.and_then(|line| line.split_whitespace().nth(2));
        Ok(tps.with_context(|| format!("read pgbench's output:\n{output}"))?.parse()?)
    }

    async fn sql(&self, statement: &str) -> Result<()> {
        let mut psql = self.tool("psql", "postgres");
        psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--command", statement]);
        finish(psql, GRACE).await.map(drop)
    }

    fn tool(&self, name: &str, database: &str) -> Command {
        let mut tool = Command::new(self.bin.join(name));
        tool.args(["--host=127.0.0.1", &format!("--port={}", self.port)]);
        tool.arg(format!("--username={USER}")).env("PGPASSWORD", PASSWORD);
        match name {
            "pgbench" => tool.env("PGDATABASE", database),
            _ => tool.arg(format!("--dbname={database}")),
        };
        tool
    }
}
