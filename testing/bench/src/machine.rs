//! The machine and the servers of a run.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;

use super::program::finish;
use testkit::binaries::workspace;
use testkit::rabbitmq::{PASSWORD, USER};
use testkit::world::World;

/// PostgreSQL's settings for the durability of a commit.
const DURABILITY: [&str; 4] = ["fsync", "synchronous_commit", "full_page_writes", "wal_level"];
const PROGRAM_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Names and values, in the order of the report.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Facts(pub(super) Vec<(&'static str, String)>);

/// Returns the time by PostgreSQL's clock, in the form of a report's file name: `20261120T083000Z`.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(super) async fn now(world: &World) -> Result<String> {
    let query = "select to_char(now() at time zone 'utc', 'YYYYMMDD\"T\"HH24MISS\"Z\"')";
    text(world, query).await
}

/// Reads the facts about the machine and about a world whose services are ready. A fact that can't
/// be read is left out.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(super) async fn facts(world: &World) -> Result<Facts> {
    let mut facts = Vec::new();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    facts.push(("cores", format!("{cores}, shared by services, servers and load generator")));
    facts.extend(line_of("/proc/cpuinfo", "model name").map(|model| ("CPU", model)));
    facts.extend(line_of("/proc/meminfo", "MemTotal").map(|total| ("memory", total)));
    facts.extend(output_of("uname", &["-sr"]).await.map(|kernel| ("kernel", kernel)));
    facts.extend(output_of("rustc", &["--version"]).await.map(|version| ("rustc", version)));
    let commit = ["describe", "--always", "--dirty", "--abbrev=12"];
    facts.extend(output_of("git", &commit).await.map(|commit| ("commit", commit)));
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

/// The version of RabbitMQ, and the types of the world's queues.
async fn broker(world: &World) -> Result<Vec<(&'static str, String)>> {
    let base = world.isolation().rabbitmq().management_url();
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

async fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace());
    let output = finish(command, PROGRAM_TIMEOUT).await.ok()?;
    Some(output.trim().to_owned())
}

fn line_of(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
