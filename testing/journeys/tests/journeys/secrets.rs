//! No log line, answer or metric contains a password, at any log level and in any fault.

use std::path::Path;
use std::process::Command;

use reqwest::Method;
use testkit::binaries;
use testkit::eventually;
use testkit::world::World;

use super::ledger::{LONG, balance, eventually_logged};

/// A password without a part that could occur elsewhere by chance.
const BROKER: &str = "Tr0mbone-broker";
const SHOP: &str = "Tr0mbone-shop";
const PAYMENTS: &str = "Tr0mbone-payments";
const MARK: &str = "Tr0mbone";

/// A filter that names the libraries, which log only warnings by default.
const EVERYTHING: &str = "trace,lapin=trace,actix_server=trace,refinery_core=trace,tokio_postgres=trace,tracing=trace,mio=trace";

fn none_in(text: &str, place: &str) {
    // Also as bytes in `Debug` form, as in a dump of a frame.
    let bytes = MARK.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    for shape in [MARK, bytes.as_str(), &base64(MARK)] {
        let line = text.lines().find(|line| line.contains(shape));
        assert_eq!(line, None, "a secret stands in {place}");
    }
}

/// Base64 of complete groups only, so that the result is found within a longer text, too.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = text.as_bytes().chunks_exact(3).map(|three| {
        let bits = three.iter().fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift) & 63]))
    });
    groups.flatten().collect()
}

/// Checks all output of every process: the log, and every page of its ports.
async fn none_told(world: &World) {
    for process in world.processes() {
        none_in(&process.log(), process.name());
        if !process.is_running() {
            continue;
        }
        for path in ["/health/live", "/health/ready", "/actuator/health", "/metrics", "/nothing"] {
            let reply = world.send(world.http().get(process.ops_url(path))).await;
            none_in(&format!("{} {:?}", reply.text, reply.headers), path);
        }
    }
}

#[tokio::test]
async fn right_passwords_appear_in_no_output() {
    let mut world = World::builder().order_management(0).workers(0).private_servers().start().await;
    let vhost = world.name().to_owned();
    world.rabbitmq().create_user(&vhost, "bearer", BROKER).await.unwrap();
    world.sql(&format!("create role bearer superuser login password '{SHOP}'")).await;
    let broker = world.broker_url("bearer", BROKER);
    world.set_env("RUST_LOG", EVERYTHING);
    world.set_env("AMQP_SERVER_URL", &broker);
    world.set_env("POSTGRES_USER", "bearer");
    world.set_env("POSTGRES_PASSWORD", SHOP);
    world.add_order_management().await;
    world.add_worker().await;
    world.ready().await;
    let orders = world.place_orders(5).await;
    balance(&world, &orders).await;
    // lapin's own lines are logged
    eventually_logged(world.worker(0), "DEBUG lapin").await;

    for path in ["/orders/0", "/nothing", "/health/ready", "/orders?limit=x", "/orders/%00"] {
        let reply = world.get(path).await;
        none_in(&format!("{} {:?}", reply.text, reply.headers), path);
    }
    // Both servers vanish while all components are connected.
    world.rabbitmq().kill().await.unwrap();
    world.postgres().kill().await.unwrap();
    eventually("both to be missed", LONG, async || {
        let reply = world.get("/health/ready").await.text;
        reply.contains("not connected") && reply.contains("does not answer")
    })
    .await;
    let reply = world.send(world.request(Method::GET, "/products/1")).await;
    assert_eq!(reply.status, 503);
    none_in(&reply.text, "a 503");
    none_told(&world).await;
}

#[tokio::test]
async fn customers_and_their_payment_methods_appear_in_no_output() {
    let world = World::builder().env("RUST_LOG", EVERYTHING).start().await;
    let customer = serde_json::json!({"name": MARK, "email": format!("{MARK}@naboo.com")});
    let reply = world.send(world.request(Method::POST, "/customers").json(&customer)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let orders = [world.place_order_with(&format!("pm_{MARK}")).await];
    balance(&world, &orders).await;
    let statements = "DEBUG tokio_postgres::prepare";
    for process in world.processes() {
        eventually_logged(process, statements).await;
        none_in(&process.log(), process.name());
    }
}

#[tokio::test]
async fn wrong_passwords_appear_in_no_output() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    world.set_env("RUST_LOG", EVERYTHING);
    let broker = world.broker_url("guest", BROKER);
    world.set_env("AMQP_SERVER_URL", &broker);
    world.set_env("POSTGRES_PASSWORD", SHOP);
    world.set_worker_env("PAYMENTS_POSTGRES_PASSWORD", PAYMENTS);
    world.add_order_management().await;
    world.add_worker().await;
    for process in world.processes() {
        eventually("both refusals to be logged", LONG, async || {
            process.log_contains("ACCESS_REFUSED") && process.log_contains("28P01")
        })
        .await;
    }
    none_told(&world).await;
}

#[tokio::test]
async fn invalid_settings_are_reported_without_their_secrets() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    for (name, value) in [
        ("AMQP_SERVER_URL", format!("amqp://user:{BROKER}@[nonsense")),
        ("POSTGRES_PASSWORD", SHOP.to_owned()),
        ("PREFETCH", "none".to_owned()),
    ] {
        world.set_env(name, &value);
    }
    world.set_worker_env("PAYMENTS_POSTGRES_PASSWORD", PAYMENTS);
    world.add_order_management().await;
    world.add_worker().await;
    for process in world.processes() {
        let exit = process.wait_exit(LONG).await.unwrap();
        assert!(!exit.success() && process.log_contains("AMQP_SERVER_URL=(hidden)"));
    }
    none_told(&world).await;
    let binaries = binaries::fresh().await.unwrap();
    for binary in [&binaries.order_management, &binaries.payment_processor] {
        none_in(&help(binary), "--help");
    }
}

fn help(binary: &Path) -> String {
    let output = Command::new(binary)
        .arg("--help")
        .env("AMQP_SERVER_URL", format!("amqp://user:{BROKER}@127.0.0.1/%2f"))
        .env("POSTGRES_PASSWORD", SHOP)
        .env("PAYMENTS_POSTGRES_PASSWORD", PAYMENTS)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
