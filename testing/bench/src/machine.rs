//! What was measured, and on what.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;

use super::program::finish;
use testkit::binaries::workspace;
use testkit::rabbitmq::{PASSWORD, USER};
use testkit::world::World;

/// PostgreSQL's settings that decide whether a commit is on disk.
const DURABILITY: [&str; 4] = ["fsync", "synchronous_commit", "full_page_writes", "wal_level"];
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Names and what was found, in the order they are shown.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Facts(pub(super) Vec<(&'static str, String)>);

/// The time by PostgreSQL's clock, as it stands in a file's name: `20261120T083000Z`.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(super) async fn now(world: &World) -> Result<String> {
    let query = "select to_char(now() at time zone 'utc', 'YYYYMMDD\"T\"HH24MISS\"Z\"')";
    text(world, query).await
}

/// Looks at the machine and at a world whose services are ready. What can't be found out is left
/// out.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(super) async fn facts(world: &World) -> Result<Facts> {
    let mut facts = Vec::new();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    facts.push(("cores", format!("{cores}, shared by services, servers and load generator")));
    facts.extend(line_of("/proc/cpuinfo", "model name").map(|model| ("CPU", model)));
    facts.extend(line_of("/proc/meminfo", "MemTotal").map(|total| ("memory", total)));
    facts.extend(said("uname", &["-sr"]).await.map(|kernel| ("kernel", kernel)));
    facts.extend(said("rustc", &["--version"]).await.map(|version| ("rustc", version)));
    let commit = ["describe", "--always", "--dirty", "--abbrev=12"];
    facts.extend(said("git", &commit).await.map(|commit| ("commit", commit)));
    facts.push(("PostgreSQL", text(world, "show server_version").await?));
    for name in DURABILITY {
        facts.push((name, text(world, &format!("show {name}")).await?));
    }
    facts.extend(broker(world).await.unwrap_or_default());
    Ok(Facts(facts))
}

async fn text(world: &World, query: &str) -> Result<String> {
    let rows = world.try_sql(query, &[]).await.with_context(|| query.to_owned())?;
    Ok(rows.first().with_context(|| query.to_owned())?.try_get(0)?)
}

/// The version, and what kinds of queues there really are.
async fn broker(world: &World) -> Result<Vec<(&'static str, String)>> {
    let base = world.tenancy().rabbitmq().management_url();
    let ask = async |path: String| -> Result<Value> {
        let request = world.http().get(format!("{base}/api/{path}"));
        let answer = request.basic_auth(USER, Some(PASSWORD)).send().await?.error_for_status()?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    };
    let overview = ask("overview".to_owned()).await?;
    let field = |name: &str| overview.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let version = format!("{}, Erlang {}", field("rabbitmq_version"), field("erlang_version"));
    let queues = ask(format!("queues/{}", world.name())).await?;
    let kinds = queues.as_array().into_iter().flatten();
    let mut kinds: Vec<&str> = kinds.filter_map(|queue| queue.get("type")?.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let messages = "persistent, mandatory, confirmed; acked after the commit".to_owned();
    Ok(vec![("RabbitMQ", version), ("queues", kinds.join(", ")), ("messages", messages)])
}

async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace());
    let output = finish(command, PATIENCE).await.ok()?;
    Some(output.trim().to_owned())
}

fn line_of(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
