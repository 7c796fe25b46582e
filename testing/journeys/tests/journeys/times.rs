//! Times in answers and on terminals: RFC 3339 in UTC with exactly six fractional digits, for every
//! reading of the clock.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::world::World;

use super::operator::{DEAD_RESULTS, ask, command, dead_letter, tell};

/// Times without microseconds, as one in a million would be by itself.
const ROUND: [&str; 5] = [
    "update products set created_at = '2026-01-02 03:04:05Z', updated_at = '2026-01-02 03:04:05.1Z'",
    "update customers set created_at = '2026-01-02 03:04:05Z', updated_at = '2026-01-02 03:04:05.12Z',
            archived_at = '2026-01-02 03:04:05.123Z'",
    "update orders set created_at = '2026-01-02 03:04:05.1234Z', updated_at = '2026-01-02 03:04:05Z'",
    "update payments.payments set started_at = '2026-01-02 03:04:05Z',
            finished_at = '2026-01-02 03:04:05.5Z'",
    "update dead_letter_actions set begun_at = '2026-01-02 03:04:05Z',
            ended_at = '2026-01-02 03:04:05.12345Z'",
];

fn is_time(text: &str) -> bool {
    let date: Vec<char> = text.chars().take(11).collect();
    date.len() == 11
        && date.iter().enumerate().all(|(i, c)| match i {
            4 | 7 => *c == '-',
            10 => *c == 'T',
            _ => c.is_ascii_digit(),
        })
}

fn assert_six_digits(text: &str, place: &str) {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.trim_end_matches('Z');
    let six = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
    assert!(six && text.len() == 27 && text.ends_with('Z'), "{text} in {place}");
}

/// Asserts it of every time in `value`, and returns how many there are.
fn times_in(value: &Value, place: &str) -> usize {
    match value {
        Value::String(text) if is_time(text) => {
            assert_six_digits(text, place);
            1
        }
        Value::Array(values) => values.iter().map(|value| times_in(value, place)).sum(),
        Value::Object(fields) => fields.values().map(|value| times_in(value, place)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[tokio::test]
async fn every_time_has_six_fractional_digits() {
    let mut world = World::start().await;
    world.add_auditor(&[("AUDIT_EVERY_MS", "200")]).await;
    let order = world.place_order().await;
    world.eventually_settled(&order).await;
    let nonsense: Vec<String> = ["nonsense", "more nonsense"].map(str::to_owned).into();
    dead_letter(&world, DEAD_RESULTS, "unreadable", &nonsense).await;
    let letters = ask(&world, 0, "/dead-letters").await.json();
    let letter = letters["data"][0]["id"].as_str().unwrap().to_owned();
    let discard = json!({"by": "anna", "note": "nonsense"});
    let path = format!("/dead-letters/{letter}/discard");
    assert_eq!(tell(&world, 0, &path, discard).await.status, 200);
    for statement in ROUND {
        world.sql(statement).await;
    }

    let id = order.id;
    for (path, least) in [
        ("/products/1".to_owned(), 2),
        ("/products".to_owned(), 2),
        ("/customers/1".to_owned(), 3),
        (format!("/orders/{id}"), 2),
        ("/orders".to_owned(), 2),
        (format!("/orders/{id}/timeline"), 3),
    ] {
        let found = times_in(&world.get(&path).await.json(), &path);
        assert!(found >= least, "{found} times in {path}");
    }
    for path in ["/dead-letters", "/dead-letters/actions"] {
        assert!(times_in(&ask(&world, 0, path).await.json(), path) >= 1, "{path}");
    }
    for arguments in [["list"], ["actions"]] {
        let (_, text) = command(&world, &arguments).await;
        let times: Vec<&str> = text.split_whitespace().filter(|word| is_time(word)).collect();
        assert!(!times.is_empty(), "{text}");
        times.iter().for_each(|time| assert_six_digits(time, &text));
    }
    let url = world.auditor(0).ops_url("/audit.json");
    testkit::eventually("a complete audit", super::ledger::LONG, async || {
        let report = world.send(world.http().request(Method::GET, &url)).await;
        report.status == 200 && times_in(&report.json(), "/audit.json") >= 2
    })
    .await;
}
