//! The rules about modules inside a crate.

use super::rule::Rule;
use super::rule::Says::{Never, OnlyOf};

const PRODUCT: &[&str] = &[
    "auditor/src/",
    "common/",
    "db/src/",
    "log-collector/src/",
    "order-management/src/",
    "payment-processor/src/",
];
const PROGRAMS: &[&str] =
    &["auditor/src/", "log-collector/src/", "order-management/src/", "payment-processor/src/"];
/// The items of `db` for the workers: their tables, and the pool.
const PAYMENTS: &[&str] =
    &["payments", "Db", "Error", "Settings", "Migrations", "migrate_when_there", "until_stored"];
/// The items of `db` for the collector: its tables, and the pool.
const LOGS: &[&str] = &[
    "logs",
    "Db",
    "Error",
    "Reads",
    "Settings",
    "Migrations",
    "migrate_when_there",
    "until_stored",
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        files: &["order-management/src/orders/"],
        except: &[],
        says: Never(&["actix_web", "amqp", "order_management::http", "StatusCode"]),
        because: "a use case is the same for every door",
    },
    Rule {
        files: &[
            "order-management/src/dead_letters.rs",
            "order-management/src/dead_letters/",
            "order-management/src/cli.rs",
            "order-management/src/cli/",
        ],
        except: &[],
        says: Never(&["actix_web", "order_management::http", "StatusCode"]),
        because: "an operator's action is the same for every door",
    },
    Rule {
        files: &["order-management/src/http/"],
        except: &[],
        says: Never(&[
            "amqp",
            "order_management::relay",
            "order_management::payment_results",
            "order_management::config",
        ]),
        because: "HTTP calls use cases and reads; it publishes and consumes nothing",
    },
    Rule {
        files: &[
            "order-management/src/relay.rs",
            "order-management/src/relay/",
            "order-management/src/reconcile.rs",
            "order-management/src/payment_results.rs",
        ],
        except: &[],
        says: Never(&["actix_web", "order_management::http"]),
        because: "the broker's side does not speak HTTP",
    },
    Rule {
        files: &[
            "payment-processor/src/charge.rs",
            "payment-processor/src/charge/",
            "payment-processor/src/gateway/",
        ],
        except: &[],
        says: Never(&["amqp", "payment_processor::payment_requests"]),
        because: "a charge is the same, however it is requested",
    },
    Rule {
        files: &["payment-processor/src/"],
        except: &["payment-processor/src/gateway/simulated.rs"],
        says: OnlyOf("db", PAYMENTS),
        because: "the payment tables must be able to move to a database of their own",
    },
    Rule {
        files: &["payment-processor/src/gateway/simulated.rs"],
        except: &[],
        says: OnlyOf("db", &["gateway_ledger", "Db", "Error"]),
        because: "the simulated gateway stands for another company: it has its ledger only",
    },
    Rule {
        files: &["order-management/src/"],
        except: &[],
        says: Never(&["db::payments", "db::gateway_ledger"]),
        because: "payments belong to the workers, who answer by message; timelines only read them",
    },
    Rule {
        files: &["order-management/src/", "payment-processor/src/"],
        except: &[],
        says: Never(&["db::audit"]),
        because: "the program that does the work does not audit it",
    },
    Rule {
        files: &["auditor/src/"],
        except: &[],
        says: OnlyOf("db", &["audit", "Db", "Error", "Settings"]),
        because: "the auditor reads what db::audit reads, and nothing there writes",
    },
    Rule {
        files: &["auditor/src/rules.rs", "auditor/src/rules/", "auditor/src/unfinished.rs"],
        except: &[],
        says: Never(&["actix_web", "tokio", "Db", "auditor::sources", "auditor::audit"]),
        because: "a judgement is computed from an observation, without I/O",
    },
    Rule {
        files: &["auditor/src/", "order-management/src/", "payment-processor/src/"],
        except: &[],
        says: Never(&["db::logs", "LogReader"]),
        because: "the services ship log lines; only the collector reads and stores them",
    },
    Rule {
        files: &["log-collector/src/"],
        except: &[],
        says: OnlyOf("db", LOGS),
        because: "log lines must be able to live in a database of their own",
    },
    Rule {
        files: &["log-collector/src/"],
        except: &[],
        says: Never(&["Publisher", "LogShipper"]),
        because: "the collector has no part in the order pipeline, and does not ship its own lines",
    },
    Rule {
        files: &[
            "log-collector/src/line.rs",
            "log-collector/src/store.rs",
            "log-collector/src/query.rs",
        ],
        except: &[],
        says: Never(&["actix_web"]),
        because: "storing and searching lines do not depend on HTTP",
    },
    Rule {
        files: PROGRAMS,
        except: &[
            "auditor/src/main.rs",
            "log-collector/src/main.rs",
            "order-management/src/lib.rs",
            "payment-processor/src/main.rs",
        ],
        says: Never(&[
            "auditor::app",
            "log_collector::app",
            "order_management::app",
            "payment_processor::app",
        ]),
        because: "app.rs wires the parts; a part that imports it makes a circle",
    },
    Rule {
        files: &["common/telemetry/src/trace.rs", "common/telemetry/src/trace/"],
        except: &[],
        says: Never(&["telemetry::order_log"]),
        because: "a span is recorded about the work, without a log line",
    },
    Rule {
        files: &["common/telemetry/src/order_log.rs", "common/telemetry/src/metrics/"],
        except: &[],
        says: Never(&["telemetry::trace"]),
        because: "log lines and metrics do not depend on traces",
    },
    Rule {
        files: &["common/service/src/"],
        except: &["common/service/src/lib.rs"],
        says: Never(&["service::service"]),
        because: "service.rs wires the parts; a part that imports it makes a circle",
    },
    Rule {
        files: PRODUCT,
        except: &[],
        says: Never(&[
            "amqp::*",
            "batcher::*",
            "db::*",
            "domain::*",
            "log_shipping::*",
            "messages::*",
            "service::*",
            "telemetry::*",
        ]),
        because: "a glob over a crate hides which of its items are used",
    },
];
