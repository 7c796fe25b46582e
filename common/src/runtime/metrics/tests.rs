use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// What is promised to whoever builds on these names: name, type, labels.
const PROMISED: &str = include_str!("promised.txt");

/// A program's text with one series of each family in it.
fn shown(program: Program) -> String {
    let metrics = Metrics::of(program);
    metrics.stations.at("place").batch(1, std::time::Duration::from_millis(1));
    drop(metrics.broker.connecting("publish"));
    drop(metrics.messages.publishing());
    drop(metrics.messages.sent_to("q"));
    metrics.messages.consuming("q").arrived().ended();
    drop(metrics.pools.of("shop"));
    metrics.health.show([("database", true)]);
    metrics.http.begin("GET", Some("/orders".to_owned())).answered(200);
    for family in [&metrics.audit.violations, &metrics.audit.pending] {
        family.get_or_create(&KindLabels { kind: "lost" }).set(1);
    }
    metrics.audit.found.get_or_create(&KindLabels { kind: "lost" }).inc();
    metrics.render().unwrap()
}

/// What a text says of each name that a query can use: its type, and the labels of its series.
fn exposed(text: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut found: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let (mut helped, mut typed) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(words.len() > 5, "{line}");
            helped = name.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, helped, "a type without a help");
            let suffix = if kind == "counter" { "_total" } else { "" };
            typed = format!("{name}{suffix}");
            let before = found.insert(typed.clone(), (kind.to_owned(), BTreeSet::new()));
            assert!(before.is_none(), "{name} stands there twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&typed), "{line} stands below {typed}");
            let labels =
                line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
            let names = labels.split(',').filter_map(|l| Some(l.split_once('=')?.0.to_owned()));
            let names = names.filter(|name| name != "le");
            found.get_mut(&typed).unwrap().1.extend(names);
        }
    }
    found
}

#[test]
fn every_promised_name_is_exposed_with_its_type_and_labels_and_no_other() {
    let mut everything = BTreeMap::new();
    for program in Program::ALL {
        everything.extend(exposed(&shown(program)));
    }
    let shown: BTreeSet<String> = everything
        .into_iter()
        .map(|(name, (kind, labels))| {
            format!("{kind} {name} {}", labels.into_iter().collect::<Vec<_>>().join(","))
        })
        .map(|line| line.trim_end().to_owned())
        .collect();
    let promised: BTreeSet<String> = PROMISED.lines().map(str::to_owned).collect();
    let (missing, new): (Vec<_>, Vec<_>) =
        (promised.difference(&shown).collect(), shown.difference(&promised).collect());
    assert!(missing.is_empty() && new.is_empty(), "missing: {missing:#?}, new: {new:#?}");
}

#[test]
fn a_name_that_a_client_made_up_gets_into_no_label() {
    let metrics = Metrics::of(Program::OrderManagement);
    for i in 0..200 {
        metrics.http.begin(&format!("METHOD{i}"), None).answered(404);
    }
    let text = metrics.render().unwrap();
    let counts: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_count{"))
        .collect();
    assert_eq!(
        counts,
        ["http_server_request_duration_seconds_count{http_request_method=\"_OTHER\",\
          http_route=\"unmatched\",http_response_status_code=\"404\"} 200"]
    );
}

#[test]
fn what_has_worked_shows_its_failures_before_the_first_one() {
    let metrics = Metrics::of(Program::OrderManagement);
    let failures = || {
        let text = metrics.render().unwrap();
        let failed = |line: &&str| line.contains("_count{") && line.contains("code=\"50");
        text.lines().filter(failed).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let answer = |status| metrics.http.begin("POST", Some("/orders".to_owned())).answered(status);
    answer(422);
    assert_eq!(failures(), "");
    answer(201);
    let shown = failures();
    for wanted in ["http_response_status_code=\"500\"} 0", "http_response_status_code=\"503\"} 0"] {
        assert!(shown.contains(wanted), "{shown}");
    }
    answer(503);
    answer(201);
    assert!(failures().contains("http_response_status_code=\"503\"} 1"), "{}", failures());
}

#[test]
fn a_request_is_active_until_it_is_answered_or_dropped() {
    let metrics = Metrics::of(Program::OrderManagement);
    let active = || {
        let text = metrics.render().unwrap();
        let post = "http_server_active_requests{http_request_method=\"POST\"} ";
        text.lines().find_map(|l| l.strip_prefix(post).map(str::to_owned)).unwrap()
    };
    let counted = "http_server_request_duration_seconds_count{";
    let counts = || metrics.render().unwrap().contains(counted);
    let first = metrics.http.begin("POST", None);
    let second = metrics.http.begin("POST", None);
    assert_eq!(active(), "2");
    drop(first);
    assert!(!counts(), "a client that left has no answer");
    second.answered(201);
    assert_eq!(active(), "0");
    assert!(counts());
}

#[test]
fn a_panic_is_a_500() {
    let metrics = Metrics::of(Program::OrderManagement);
    let answering = std::panic::AssertUnwindSafe(|| {
        let _counted = metrics.http.begin("POST", Some("/orders".to_owned()));
        panic!("on purpose");
    });
    assert!(std::panic::catch_unwind(answering).is_err());
    assert!(metrics.render().unwrap().contains("http_response_status_code=\"500\""));
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_knows_itself() {
    let text = Metrics::of(Program::Auditor).render().unwrap();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|l| l.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_max_fds") >= value("process_open_fds"));
    assert!(value("process_cpu_seconds_total") < 1e4);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let started = value("process_start_time_seconds");
    assert!((now - 3600.0..now + 2.0).contains(&started), "{started} and now it is {now}");
}

#[test]
fn what_is_asked_for_at_the_scrape_is_as_it_is_then() {
    let metrics = Metrics::of(Program::PaymentProcessor);
    let waiting = metrics.stations.at("settle").waiting;
    let depth = Arc::new(std::sync::atomic::AtomicI64::new(3));
    let seen = depth.clone();
    metrics.at_scrape(move || {
        waiting.set(seen.load(std::sync::atomic::Ordering::Relaxed));
    });
    let line = |n| format!("ordermill_stage_waiting{{stage=\"settle\"}} {n}\n");
    assert!(metrics.render().unwrap().contains(&line(3)));
    depth.store(0, std::sync::atomic::Ordering::Relaxed);
    assert!(metrics.render().unwrap().contains(&line(0)));
}
