//! Imports only go down: the table of ARCHITECTURE.md, "The rooms".

mod floors;
mod programs;

use super::code::{Named, paths};
use super::sources::{Source, none, product, workspace_crates};

/// One line of the table.
struct Rule {
    /// Which files, by the beginning of their path.
    rooms: &'static [&'static str],
    /// Which of them it does not hold for.
    except: &'static [&'static str],
    says: Says,
    because: &'static str,
}

enum Says {
    /// Of all crates in the workspace's manifest, only these and the file's own.
    OnlyCrates(&'static [&'static str]),
    /// None of these paths, nor what is below them. A capitalised word is a name in any path.
    Never(&'static [&'static str]),
    /// Of what is directly in the crate, only these.
    OnlyOf(&'static str, &'static [&'static str]),
}

use Says::{Never, OnlyCrates, OnlyOf};

/// Every line of it.
fn rules() -> impl Iterator<Item = &'static Rule> {
    floors::RULES.iter().chain(programs::RULES)
}

impl Rule {
    fn holds_for(&self, path: &str) -> bool {
        self.rooms.iter().any(|room| path.starts_with(room)) && !self.except.contains(&path)
    }

    fn breaks(&self, path: &[String], own: &str, crates: &[String]) -> bool {
        let first = path.first().map_or("", String::as_str);
        let second = path.get(1).map_or("", String::as_str);
        match self.says {
            OnlyCrates(names) => {
                first != own && crates.iter().any(|c| c == first) && !names.contains(&first)
            }
            OnlyOf(room, names) => first == room && !names.contains(&second),
            Never(names) => names.iter().any(|name| names_it(name, path)),
        }
    }

    fn violations(&self, source: &Source, crates: &[String]) -> Vec<String> {
        let own = own_crate(&source.path);
        let named = paths(&source.text).into_iter().map(|named| in_full(named, &source.path));
        let broken = named.filter(|named| self.breaks(&named.path, &own, crates));
        let report = |named: Named| {
            let (file, line, name) = (&source.path, named.line, named.path.join("::"));
            format!("{file}:{line}: `{name}`: {}", self.because)
        };
        broken.map(report).collect()
    }
}

fn names_it(name: &str, path: &[String]) -> bool {
    if name.starts_with(char::is_uppercase) {
        return path.iter().any(|part| part == name);
    }
    name.split("::").zip(path).all(|(want, is)| want == is)
        && name.split("::").count() <= path.len()
}

fn own_crate(file: &str) -> String {
    file.split('/').next().unwrap_or(file).replace('-', "_")
}

/// `crate::` and `super::` as the names they stand for. A `super::*` stays as it is: it stands in a
/// module of tests, whose `super` is the file itself.
fn in_full(named: Named, file: &str) -> Named {
    if named.path == ["super", "*"] {
        return named;
    }
    let mut module = vec![own_crate(file)];
    let (_, inside) = file.split_once("/src/").unwrap();
    let inside = inside.trim_end_matches(".rs").split('/');
    module.extend(inside.filter(|part| !["mod", "lib", "main"].contains(part)).map(str::to_owned));
    let mut path = named.path;
    path.retain({
        let mut first = true;
        move |part| std::mem::take(&mut first) || part != "self"
    });
    match path.first().map(String::as_str) {
        Some("crate") => module.truncate(1),
        Some("super") => {}
        _ => return Named { path, ..named },
    }
    let ups = path.iter().take_while(|part| *part == "super").count();
    module.truncate(module.len().saturating_sub(ups).max(1));
    module.extend(path.into_iter().skip(ups.max(1)));
    Named { path: module, ..named }
}

#[test]
fn imports_only_go_down() {
    let crates = workspace_crates();
    let mut found = Vec::new();
    for source in product() {
        let rules = rules().filter(|rule| rule.holds_for(&source.path));
        found.extend(rules.flat_map(|rule| rule.violations(&source, &crates)));
    }
    none("imports only go down (ARCHITECTURE.md, \"The rooms\")", &found);
}

/// A file and a line that must not stand in it.
const BAD: &[(&str, &str)] = &[
    ("common/src/domain/money.rs", "use lapin::Channel;"),
    ("common/src/domain/money.rs", "fn f() { tokio_postgres::connect(); }"),
    ("common/src/domain/order.rs", "use super::super::message::Envelope;"),
    ("common/src/message/body.rs", "use lapin::types::FieldTable;"),
    ("common/src/message/body.rs", "use crate::{domain::Amount, broker::Outgoing};"),
    ("common/src/runtime/batcher.rs", "use crate::domain::OrderId;"),
    ("common/src/broker/desk.rs", "use crate::domain::OrderId;"),
    ("db/src/orders/place.rs", "use common::{broker::Publisher, domain::Order};"),
    ("order-management/src/orders/place.rs", "fn f() -> actix_web::HttpResponse {}"),
    ("order-management/src/orders/place.rs", "fn f() { let c = http::StatusCode::OK; }"),
    ("order-management/src/api/orders.rs", "use common::broker::Publisher;"),
    ("order-management/src/dead_letters/act.rs", "use crate::api::routes;"),
    ("order-management/src/relay.rs", "use actix_web::web::Data;"),
    ("payment-processor/src/charge.rs", "use common::broker::Publisher;"),
    ("payment-processor/src/charge.rs", "use db::{Db, orders};"),
    ("payment-processor/src/charge.rs", "use db::gateway_ledger::Capture;"),
    ("payment-processor/src/charge/asking.rs", "use db::timeline::payments;"),
    ("payment-processor/src/gateway/simulated.rs", "use db::payments;"),
    ("order-management/src/api/orders.rs", "use db::{Db, payments};"),
    ("order-management/src/relay.rs", "use lapin::Channel;"),
    ("payment-processor/src/charge.rs", "use super::app::run;"),
    ("order-management/src/relay.rs", "use crate::app;"),
    ("db/src/outbox.rs", "use common::*;"),
    ("order-management/src/relay.rs", "use model::Road;"),
    ("model/src/road.rs", "use common::domain::OrderId;"),
    ("order-management/src/orders/survey.rs", "use db::audit::orders_of;"),
    ("auditor/src/sources.rs", "use db::{Db, orders};"),
    ("auditor/src/app.rs", "use common::broker::Publisher;"),
    ("auditor/src/rules.rs", "use crate::sources::IdRange;"),
    ("auditor/src/page.rs", "use tokio_postgres::Row;"),
    ("order-management/src/relay.rs", "use db::logs;"),
    ("log-collector/src/store.rs", "use db::orders;"),
    ("log-collector/src/app.rs", "use common::broker::{LogFeed, LogShipper};"),
    ("log-collector/src/line.rs", "use actix_web::HttpResponse;"),
    ("common/src/trace/export.rs", "use crate::message::Envelope;"),
    ("common/src/road.rs", "use crate::trace::Span;"),
    ("common/src/runtime/batcher.rs", "use crate::trace::Span;"),
    ("order-management/src/api/request.rs", "use opentelemetry::KeyValue;"),
];

#[test]
fn a_broken_rule_is_found_wherever_it_is_broken() {
    let crates = workspace_crates();
    let mut unbroken: Vec<_> = rules().collect();
    for (path, line) in BAD {
        let source = Source { path: (*path).to_owned(), text: format!("//! A room.\n\n{line}\n") };
        let breaks =
            |rule: &&Rule| rule.holds_for(path) && !rule.violations(&source, &crates).is_empty();
        let found: Vec<_> = rules().filter(breaks).collect();
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
