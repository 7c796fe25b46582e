//! What PostgreSQL alone does with an order's first step, one row and one commit at a time, on a
//! copy of the same tables: `pgbench -M prepared -c 64`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::installed;
use crate::postgres::{PASSWORD, USER};
use crate::scratch_dir::ScratchDir;
use crate::world::World;

const DATABASE: &str = "yardstick";

/// An order with its outbox row; ids ascend, as the services' do.
const SCRIPT: &str = "
with placed as (
    insert into orders (id, customer_id, product_id, quantity, total_minor, currency,
                        payment_method)
    select lpad(to_hex(nextval('ids')), 32, '0')::uuid, c.id, p.id, 1, p.price_minor, p.currency,
           'pm_card_visa'
      from products p join customers c on c.id = 1 where p.id = 1
    returning id)
insert into outbox (order_id, leased_until, request_id)
select id, now(), '0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5' from placed;
";

pub(super) struct Yardstick {
    port: u16,
    bin: PathBuf,
    script: ScratchDir,
}

impl Yardstick {
    /// Copies the world's tables, with the seed and without orders.
    pub(super) async fn prepare(world: &World) -> Result<Yardstick> {
        let postgres = world.postgres();
        postgres.create_database(DATABASE).await?;
        let script = ScratchDir::new()?;
        std::fs::write(script.path().join("place.sql"), SCRIPT.replace('\n', " "))?;
        let bin = installed::postgres(None)?;
        let yardstick = Yardstick { port: postgres.port(), bin, script };
        let dump = finish(yardstick.tool("pg_dump", world.name())).await?;
        let copy = yardstick.script.path().join("copy.sql");
        std::fs::write(&copy, dump + "\ncreate sequence public.ids;")?;
        let mut psql = yardstick.tool("psql", DATABASE);
        psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--file"]).arg(copy);
        finish(psql).await?;
        Ok(yardstick)
    }

    /// Transactions per second.
    pub(super) async fn run(&self, seconds: u64) -> Result<f64> {
        let mut pgbench = self.tool("pgbench", DATABASE);
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--client=64", "--jobs=1"]);
        pgbench.arg(format!("--time={seconds}")).arg("--file");
        pgbench.arg(self.script.path().join("place.sql"));
        let output = finish(pgbench).await?;
        let line = output.lines().find(|line| line.starts_with("tps = "));
        let tps = line.and_then(|line| line.split_whitespace().nth(2));
        Ok(tps.with_context(|| format!("read pgbench's output:\n{output}"))?.parse()?)
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

/// Runs a program to its end; its output.
pub(super) async fn finish(mut program: Command) -> Result<String> {
    let output = tokio::task::spawn_blocking(move || program.output()).await??;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{complaint}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
