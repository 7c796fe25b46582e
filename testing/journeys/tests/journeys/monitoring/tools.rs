//! Prometheus's and Alertmanager's own tools check the shipped files: the settings are valid, the
//! rules pass their unit tests, and every expression of a dashboard is valid.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use testkit::binaries::workspace;
use testkit::installed;
use testkit::monitoring::shipped;
use testkit::scratch_dir::ScratchDir;

use super::dashboards;

/// Runs a tool, and ends the test with the tool's output if it fails.
fn content(tool: &Path, arguments: &[&str]) {
    let mut command = Command::new(tool);
    let output = command.current_dir(shipped()).args(arguments).output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&told));
}

/// The check includes the rules.
#[test]
fn the_settings_of_prometheus_are_right() {
    let promtool = installed::promtool().unwrap();
    content(
        &promtool,
        &["check", "config", "--lint=all", "--lint-fatal", "prometheus/prometheus.yml"],
    );
}

#[test]
fn the_settings_of_alertmanager_are_right() {
    content(&installed::amtool().unwrap(), &["check-config", "alertmanager/alertmanager.yml"]);
}

/// Docker creates no file in a directory that is mounted read-only, as this one is: a mount there
/// has to cover a shipped file, or the container does not start.
#[test]
fn the_mount_for_real_mail_covers_a_shipped_file() {
    let manual = std::fs::read_to_string(workspace().join("docs/operations.md")).unwrap();
    let mounts = manual.lines().filter_map(|line| {
        let (_, place) = line.trim().strip_prefix("- ./my-")?.split_once(':')?;
        place.strip_suffix(":ro")
    });
    let mounts: Vec<_> = mounts.collect();
    assert_eq!(mounts.len(), 2, "{mounts:?}");
    for place in mounts {
        let inside = place.strip_prefix("/etc/alertmanager/");
        let there = inside.is_none_or(|name| shipped().join("alertmanager").join(name).is_file());
        assert!(there, "{place}");
    }
}

#[test]
fn every_rule_does_what_its_unit_tests_say() {
    let tests = shipped().join("prometheus/tests");
    let mut files: Vec<_> = std::fs::read_dir(tests).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    content(&installed::promtool().unwrap(), &[&["test", "rules"], &*files].concat());
}

#[test]
fn every_expression_of_a_dashboard_is_valid() {
    let dir = ScratchDir::new().unwrap();
    let rules = dir.path().join("rules.yml");
    let mut text = "groups:\n- name: dashboards\n  rules:\n".to_owned();
    for (name, dashboard) in dashboards::all() {
        for (number, (_, expression)) in dashboards::expressions(&dashboard).iter().enumerate() {
            let expression = expression.replace("$__rate_interval", "1m").replace("$__range", "1h");
            let record = format!("{}:{number}", name.replace(['.', '-'], "_"));
            // JSON is YAML
            let expression = serde_json::to_string(&expression).unwrap();
            writeln!(text, "  - record: {record}\n    expr: {expression}").unwrap();
        }
    }
    std::fs::write(&rules, text).unwrap();
    content(&installed::promtool().unwrap(), &["check", "rules", rules.to_str().unwrap()]);
}
