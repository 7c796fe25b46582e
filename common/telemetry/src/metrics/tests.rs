use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

crate::metrics! {
    /// Metrics for these tests.
    struct TestMetrics {
        /// Items that
        /// wait.
        waiting: Gauge = "test_waiting",
        /// Items by outcome
        outcomes: Outcomes = "test_items_total",
    }
}

crate::counters_by! {
    /// Items.
    struct Outcomes by "outcome" {
        /// A good one.
        good = "good",
        /// A bad one.
        bad = "bad",
    }
}

#[test]
fn a_metric_is_exposed_under_its_own_name_with_its_doc_comment_as_help() {
    let metrics = Metrics::new("test");
    metrics.get::<TestMetrics>().outcomes.good.inc();
    let text = metrics.render().unwrap();
    for line in [
        "# HELP test_waiting Items that wait.",
        "test_waiting 0",
        "# HELP test_items Items by outcome.",
        "test_items_total{outcome=\"good\"} 1",
        "test_items_total{outcome=\"bad\"} 0",
        "ordermill_build_info{version=\"0.1.0\",process=\"test\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in {text}");
    }
}

#[test]
fn a_set_is_exposed_once_and_all_its_clones_count_into_it() {
    let metrics = Metrics::new("test");
    metrics.get::<TestMetrics>().outcomes.bad.inc();
    metrics.get::<TestMetrics>().outcomes.bad.inc();
    let text = metrics.render().unwrap();
    assert!(text.contains("test_items_total{outcome=\"bad\"} 2"), "{text}");
    assert_eq!(text.matches("# TYPE test_items ").count(), 1);
}

#[test]
fn a_hook_sets_the_current_value_at_each_scrape() {
    let metrics = Metrics::new("test");
    let waiting = metrics.get::<TestMetrics>().waiting;
    let depth = Arc::new(AtomicI64::new(3));
    let seen = depth.clone();
    metrics.on_scrape(move || {
        waiting.set(seen.load(Ordering::Relaxed));
    });
    assert!(metrics.render().unwrap().contains("test_waiting 3\n"));
    depth.store(0, Ordering::Relaxed);
    assert!(metrics.render().unwrap().contains("test_waiting 0\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_reports_its_memory_descriptors_and_start() {
    let text = Metrics::new("test").render().unwrap();
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
