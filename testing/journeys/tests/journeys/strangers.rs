//! Other people's platforms: variables, databases and networks that are not ours.

use std::time::Duration;

use testkit::world::World;

use super::ledger::LONG;

/// A world whose processes the test starts.
async fn empty_world() -> World {
    World::builder().order_management(0).workers(0).start().await
}

#[tokio::test]
async fn variables_that_a_platform_injects_are_understood() {
    let mut world = empty_world().await;
    let port = world.isolation().postgres().port();
    // Kubernetes, for services called postgres, ops and exchange; `docker --link` for the last.
    world.set_env("POSTGRES_PORT", &format!("tcp://127.0.0.1:{port}"));
    world.set_env("POSTGRES_HOST", "");
    world.set_env("POSTGRES_SERVICE_PORT", &port.to_string());
    world.set_env("PAYMENTS_POSTGRES_PORT", &format!("tcp://127.0.0.1:{port}"));
    world.set_env("EXCHANGE_PORT", "tcp://10.96.12.9:5672");
    world.set_env("EXCHANGE_NAME", "/api/exchange");
    world.add_order_management().await;
    world.add_worker().await;
    world.ready().await;

    let order = world.place_order().await;

    world.eventually_settled(&order).await;
    let log = world.order_management(0).log();
    assert!(!log.contains("/api/exchange"), "{log}");
}

#[tokio::test]
async fn a_setting_that_is_not_used_does_not_stop_a_process() {
    let mut world = empty_world().await;
    let unused = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example:4318"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "collector"),
        ("OTEL_TRACES_SAMPLER_ARG", "endpoint=http://sampler:14250"),
        ("LOG_SHIP_BUFFER", "many"),
    ];
    for (name, value) in unused {
        world.set_env(name, value);
    }
    let port = world.isolation().postgres().port().to_string();
    world.set_worker_env("POSTGRES_PORT", "none of its business");
    world.set_worker_env("PAYMENTS_POSTGRES_PORT", &port);
    world.add_order_management().await;
    world.add_worker().await;

    world.ready().await;

    for process in [world.order_management(0), world.worker(0)] {
        for (name, _) in unused {
            let warned = format!("a setting that has no effect here is invalid: {name}=");
            assert!(process.log_contains(&warned), "{name}: {}", process.log_tail());
        }
    }
    assert!(world.worker(0).log_contains("POSTGRES_PORT=\"none of its business\""));
}

#[tokio::test]
async fn a_database_of_another_application_is_named_with_the_cure() {
    let mut world = empty_world().await;
    world.sql("create table orders (number int)").await;
    let shop = world.add_order_management().await;

    let exit = world.order_management(shop).wait_exit(LONG).await.unwrap();

    assert!(!exit.success());
    let log = world.order_management(shop).log();
    let first = log.lines().find(|line| line.contains("orders\" already exists")).unwrap_or(&log);
    assert!(first.contains("(42P07)"), "{first}");
    assert!(first.contains("POSTGRES_DB") && first.contains(world.name()), "{first}");
    assert!(!log.contains("db error"), "{log}");
}

#[tokio::test]
async fn a_role_that_may_not_create_tables_is_named_with_the_cure() {
    let mut world = empty_world().await;
    let role = format!("guest_{}", world.name());
    world.sql(&format!("create role \"{role}\" login password 'guest'")).await;
    world.set_env("POSTGRES_USER", &role);
    world.set_env("POSTGRES_PASSWORD", "guest\r");
    let shop = world.add_order_management().await;

    let exit = world.order_management(shop).wait_exit(LONG).await.unwrap();

    assert!(!exit.success());
    let log = world.order_management(shop).log();
    assert!(log.contains("(42501)") && log.contains("owner to"), "{log}");
    world.sql(&format!("drop role \"{role}\"")).await;
}

#[tokio::test]
async fn a_role_without_a_schema_is_named_with_the_cure() {
    let mut world = empty_world().await;
    let database = world.name().to_owned();
    world.sql(&format!("alter database \"{database}\" set search_path to ''")).await;
    let shop = world.add_order_management().await;

    let exit = world.order_management(shop).wait_exit(LONG).await.unwrap();

    assert!(!exit.success());
    let log = world.order_management(shop).log();
    assert!(log.contains("(3F000)") && log.contains("set search_path"), "{log}");
}

#[tokio::test]
async fn a_host_in_brackets_is_an_address() {
    let mut world = empty_world().await;
    world.set_env("POSTGRES_HOST", "[127.0.0.1]");
    world.set_env("BIND_ADDRESS", "[127.0.0.1]");
    world.add_order_management().await;
    world.ready_within(Duration::from_secs(60)).await;
}
