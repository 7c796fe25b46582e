//! Imports only go down: the table of docs/decisions/0006-imports-only-go-down.md. Cargo refuses a
//! crate that the manifest does not name; these rules are about the manifests, and about the
//! modules inside a crate.

mod manifests;
mod modules;
mod names;
mod rule;

use super::paths::{Named, paths};
use super::sources::{Crate, Source, crate_of, crates, every, none, product};
use modules::RULES;
use rule::{Rule, Says};

impl Rule {
    fn is_about(&self, path: &str) -> bool {
        self.files.iter().any(|file| path.starts_with(file)) && !self.except.contains(&path)
    }

    fn breaks(&self, path: &[String]) -> bool {
        let part = |at| path.get(at).map_or("", String::as_str);
        match self.says {
            Says::OnlyOf(krate, names) => part(0) == krate && !names.contains(&part(1)),
            Says::Never(names) => names.iter().any(|name| is_below(path, name)),
        }
    }

    fn violations(&self, source: &Source, crates: &[Crate]) -> Vec<String> {
        let named = paths(&source.text).into_iter();
        let named = named.map(|named| (named.line, in_full(named, &source.path, crates)));
        let broken = named.filter(|(_, path)| self.breaks(path));
        let report = |(line, path): (usize, Vec<String>)| {
            format!("{}:{line}: `{}`: {}", source.path, path.join("::"), self.because)
        };
        broken.map(report).collect()
    }
}

fn is_below(path: &[String], name: &str) -> bool {
    if name.starts_with(char::is_uppercase) {
        return path.iter().any(|part| part == name);
    }
    let parts: Vec<&str> = name.split("::").collect();
    parts.len() <= path.len() && parts.iter().zip(path).all(|(want, is)| want == is)
}

/// `crate::`, `self::` and `super::` replaced by the modules that they mean. `super::*` stays: the
/// `super` of tests is the file itself.
fn in_full(named: Named, file: &str, crates: &[Crate]) -> Vec<String> {
    let supers = named.path.iter().take_while(|part| *part == "super").count();
    let first = named.path.first().map_or("", String::as_str);
    if !["crate", "self", "super"].contains(&first) || named.path == ["super", "*"] {
        return named.path;
    }
    let name = crate_of(file, crates).map_or("", |own| own.name.as_str());
    let mut module = vec![name.replace('-', "_")];
    if first != "crate" {
        let inside = file.split_once("/src/").map_or("", |(_, inside)| inside);
        let parts = inside.trim_end_matches(".rs").split('/');
        module.extend(parts.filter(|p| !["mod", "lib", "main"].contains(p)).map(str::to_owned));
        let ups = supers.saturating_sub(named.inline);
        module.truncate(module.len().saturating_sub(ups).max(1));
    }
    module.extend(named.path.into_iter().skip(supers.max(1)));
    module
}

#[test]
fn imports_only_go_down() {
    let crates = crates();
    let mut found = Vec::new();
    for source in product() {
        let rules = RULES.iter().filter(|rule| rule.is_about(&source.path));
        found.extend(rules.flat_map(|rule| rule.violations(source, &crates)));
    }
    none("imports only go down (docs/decisions/0006-imports-only-go-down.md)", &found);
}

/// A rule about a file that was renamed would hold for ever.
#[test]
fn every_rule_is_about_files_that_exist() {
    let paths: Vec<&str> = every().iter().map(|source| source.path.as_str()).collect();
    let files = RULES.iter().flat_map(|rule| rule.files.iter().chain(rule.except));
    let gone = files.filter(|file| !paths.iter().any(|path| path.starts_with(**file)));
    let gone: Vec<_> = gone.map(|file| format!("{file}: no such file: adapt the rule")).collect();
    none("rules are about files", &gone);
}

/// Files with a line that breaks a rule there.
const BAD: &[(&str, &str)] = &[
    ("order-management/src/orders/place.rs", "fn f() -> actix_web::HttpResponse {}"),
    ("order-management/src/orders/place.rs", "fn f() { let c = http::StatusCode::OK; }"),
    ("order-management/src/orders/place.rs", "use super::super::http::Problem;"),
    ("order-management/src/http/orders.rs", "use amqp::Publisher;"),
    ("order-management/src/http/orders.rs", "use crate::{config::Config, relay};"),
    ("order-management/src/dead_letters/act.rs", "use crate::http::routes;"),
    ("order-management/src/cli.rs", "use actix_web::web::Data;"),
    ("order-management/src/relay.rs", "use actix_web::web::Data;"),
    ("payment-processor/src/charge.rs", "use amqp::Publisher;"),
    ("payment-processor/src/charge.rs", "use db::{Db, orders};"),
    ("payment-processor/src/charge.rs", "use db::gateway_ledger::Capture;"),
    ("payment-processor/src/charge/asking.rs", "use db::timeline::payments;"),
    ("payment-processor/src/gateway/simulated.rs", "use db::payments;"),
    ("order-management/src/http/orders.rs", "use db::{Db, payments};"),
    ("payment-processor/src/charge.rs", "use super::app::run;"),
    ("order-management/src/relay.rs", "use crate::app;"),
    ("order-management/src/orders/overdue.rs", "use db::audit::orders_of;"),
    ("auditor/src/sources.rs", "use db::{Db, orders};"),
    ("auditor/src/rules.rs", "use crate::sources::Observation;"),
    ("order-management/src/relay.rs", "use db::logs;"),
    ("payment-processor/src/app.rs", "use log_shipping::LogReader;"),
    ("log-collector/src/store.rs", "use db::orders;"),
    ("log-collector/src/app.rs", "use log_shipping::{LogReader, LogShipper};"),
    ("log-collector/src/line.rs", "use actix_web::HttpResponse;"),
    ("common/telemetry/src/order_log.rs", "use crate::trace::Span;"),
    ("common/telemetry/src/trace/span.rs", "use super::super::order_log;"),
    ("common/telemetry/src/metrics/registry.rs", "use crate::trace::Span;"),
    ("common/service/src/tasks.rs", "use crate::service::Service;"),
    ("db/src/outbox.rs", "use domain::*;"),
];

#[test]
fn a_broken_rule_is_found_wherever_it_is_broken() {
    let crates = crates();
    let mut unbroken: Vec<&Rule> = RULES.iter().collect();
    for (path, line) in BAD {
        let source = Source::new(path, &format!("//! A file.\n\n{line}\n"));
        let breaks =
            |rule: &&Rule| rule.is_about(path) && !rule.violations(&source, &crates).is_empty();
        let found: Vec<_> = RULES.iter().filter(breaks).collect();
        assert!(!found.is_empty(), "{path} may say `{line}`");
        for rule in found {
            let first = rule.violations(&source, &crates).remove(0);
            assert!(first.starts_with(&format!("{path}:3: `")), "{first}");
            unbroken.retain(|other| !std::ptr::eq(*other, rule));
        }
    }
    let unbroken: Vec<_> = unbroken.iter().map(|rule| rule.because).collect();
    assert_eq!(unbroken, [""; 0], "rules without a sample that breaks them");
}
