//! The operator's interface to dead letters: over HTTP and as a subcommand.

use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::world::{Reply, World};

use super::ledger::LONG;

pub(super) const REQUESTS: &str = "processingorders";
pub(super) const RESULTS: &str = "processedorders";
pub(super) const DEAD_REQUESTS: &str = "processingorders.dead";
pub(super) const DEAD_RESULTS: &str = "processedorders.dead";

/// `GET` from the ops port of an order-management process.
pub(super) async fn ask(world: &World, i: usize, path: &str) -> Reply {
    world.send(world.http().get(world.order_management(i).ops_url(path))).await
}

/// `POST` to the ops port of an order-management process.
pub(super) async fn tell(world: &World, i: usize, path: &str, body: Value) -> Reply {
    try_tell(world, i, path, body).await.unwrap()
}

/// [`tell`] with an error instead of a panic, for use while the process is killed.
pub(super) async fn try_tell(
    world: &World,
    i: usize,
    path: &str,
    body: Value,
) -> reqwest::Result<Reply> {
    let url = world.order_management(i).ops_url(path);
    world.try_send(world.http().request(Method::POST, url).json(&body)).await
}

/// The list of dead letters.
pub(super) async fn listed(world: &World, query: &str) -> Vec<Value> {
    let reply = ask(world, 0, &format!("/dead-letters?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].as_array().unwrap().clone()
}

/// Waits until this many dead letters are listed, and returns them.
pub(super) async fn eventually_listed(world: &World, query: &str, count: usize) -> Vec<Value> {
    eventually("the letters to lie there", LONG, async || {
        let letters = listed(world, query).await;
        if letters.len() == count { Ok(letters) } else { Err(letters.len()) }
    })
    .await
}

/// Waits until a queue has this many ready messages.
pub(super) async fn eventually_deep(world: &World, queue: &str, depth: usize) {
    eventually(&format!("{depth} messages in {queue}"), LONG, async || {
        let seen = world.queue_depth(queue).await;
        if usize::try_from(seen) == Ok(depth) { Ok(()) } else { Err(seen) }
    })
    .await;
}

/// Dead-letters bodies as the services do.
pub(super) async fn dead_letter(world: &World, queue: &str, reason: &str, bodies: &[String]) {
    let (connection, channel) = world.channel().await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut headers = FieldTable::default();
    headers.insert("x-reason".into(), AMQPValue::LongString(reason.into()));
    headers.insert("x-attempts".into(), AMQPValue::LongLongInt(1));
    headers.insert("x-last-at".into(), AMQPValue::Timestamp(1_790_000_000));
    let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sends = bodies.iter().map(|body| {
        let (channel, properties) = (&channel, properties.clone());
        async move {
            let sent = channel.basic_publish(
                "".into(),
                queue.into(),
                options,
                body.as_bytes(),
                properties,
            );
            assert_eq!(sent.await.unwrap().await.unwrap(), Confirmation::Ack(None));
        }
    });
    join_all(sends).await;
    connection.close(200, "done".into()).await.unwrap();
}

/// Runs `dead-letters` with these arguments; returns the exit code and the output.
pub(super) async fn command(world: &World, arguments: &[&str]) -> (i32, String) {
    let arguments = [&["dead-letters"], arguments].concat();
    let output = world.order_management(0).run(&arguments).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// The command to replay all dead letters of a reason.
pub(super) fn all_of(reason: &str) -> Value {
    json!({"by": "anna", "reason": reason})
}

/// Blocks writes to `dead_letter_actions` until `released` has a row: before every `what` after the
/// first `spared` rows with an end.
pub(super) async fn hold(world: &World, what: &str, spared: usize) {
    for statement in [
        "create table if not exists released (yes bool)".to_owned(),
        "drop trigger if exists hold on dead_letter_actions".to_owned(),
        format!(
            "create or replace function hold() returns trigger language plpgsql as $$ begin
               if (select count(*) from dead_letter_actions where outcome <> 'begun') >= {spared}
               then
                 while not exists (select from released) loop perform pg_sleep(0.01); end loop;
               end if;
               return null;
             end $$"
        ),
        format!(
            "create trigger hold before {what} on dead_letter_actions
               for each statement execute function hold()"
        ),
    ] {
        world.sql(&statement).await;
    }
}

const HELD: &str = "
    select count(*) from pg_stat_activity
     where wait_event = 'PgSleep' and query ilike '%dead_letter_actions%'
       and application_name = 'order-management' and datname = current_database()";
const LET_GO: &str = "
    select pg_terminate_backend(pid) from pg_stat_activity
     where query ilike '%dead_letter_actions%' and application_name = 'order-management'
       and datname = current_database()";

/// Kills order-management 0 while its write is blocked. The write does not happen.
pub(super) async fn kill_held(world: &World) {
    held(world).await;
    world.order_management(0).sigkill().await.unwrap();
    world.sql(LET_GO).await;
    world.sql("drop trigger hold on dead_letter_actions").await;
}

/// Waits until a write is blocked.
pub(super) async fn held(world: &World) {
    eventually("a write to be blocked", LONG, async || world.count(HELD).await == 1).await;
}
