//! The programs, and what holds for all.

use super::Rule;
use super::Says::{Never, OnlyCrates, OnlyOf};

const ALL: &[&str] = &[
    "auditor/src/",
    "common/src/",
    "db/src/",
    "log-collector/src/",
    "order-management/src/",
    "payment-processor/src/",
];
const SERVICES: &[&str] =
    &["auditor/src/", "log-collector/src/", "order-management/src/", "payment-processor/src/"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        rooms: &["order-management/src/orders/"],
        except: &[],
        says: Never(&["actix_web", "common::broker", "order_management::api", "StatusCode"]),
        because: "what can be done to an order does not depend on how it is asked for",
    },
    Rule {
        rooms: &[
            "order-management/src/dead_letters.rs",
            "order-management/src/dead_letters/",
            "order-management/src/command.rs",
            "order-management/src/command/",
        ],
        except: &[],
        says: Never(&["actix_web", "order_management::api", "StatusCode"]),
        because: "what an operator can do does not depend on how it is asked for",
    },
    Rule {
        rooms: &["order-management/src/api/"],
        except: &[],
        says: Never(&[
            "common::broker",
            "order_management::relay",
            "order_management::payment_results",
            "order_management::config",
        ]),
        because: "HTTP speaks to use cases and reads; it publishes and consumes nothing",
    },
    Rule {
        rooms: &[
            "order-management/src/relay.rs",
            "order-management/src/relay/",
            "order-management/src/reconcile.rs",
            "order-management/src/payment_results.rs",
            "payment-processor/src/payment_requests.rs",
            "payment-processor/src/reply.rs",
        ],
        except: &[],
        says: Never(&["actix_web", "order_management::api"]),
        because: "what talks to the broker does not talk HTTP",
    },
    Rule {
        rooms: &[
            "payment-processor/src/charge.rs",
            "payment-processor/src/charge/",
            "payment-processor/src/gateway/",
        ],
        except: &[],
        says: Never(&["actix_web", "common::broker", "payment_processor::payment_requests"]),
        because: "charging does not depend on how it is asked for",
    },
    Rule {
        rooms: &["payment-processor/src/"],
        except: &["payment-processor/src/gateway/simulated.rs"],
        says: OnlyOf("db", PAYMENTS_ROOM),
        because: "the payment tables must be able to move to a database of their own",
    },
    Rule {
        rooms: &["payment-processor/src/gateway/simulated.rs"],
        except: &[],
        says: OnlyOf("db", &["gateway_ledger", "Db", "Error"]),
        because: "the simulated gateway stands for a company elsewhere: it has its ledger only",
    },
    Rule {
        rooms: &["order-management/src/"],
        except: &[],
        says: Never(&["db::payments", "db::gateway_ledger"]),
        because: "payments belong to the workers, who answer by message; timelines only read them",
    },
    Rule {
        rooms: &["order-management/src/", "payment-processor/src/"],
        except: &[],
        says: Never(&["db::audit"]),
        because: "whoever does the work does not audit it",
    },
    Rule {
        rooms: &["auditor/src/"],
        except: &[],
        says: OnlyOf("db", &["audit", "Db", "Error", "Settings"]),
        because: "the auditor reads what db::audit reads, and nothing there writes",
    },
    Rule {
        rooms: &["auditor/src/"],
        except: &[],
        says: Never(&["common::broker", "common::message"]),
        because: "the auditor looks at what is stored and needs no broker",
    },
    Rule {
        rooms: &["auditor/src/rules.rs", "auditor/src/findings.rs", "auditor/src/unfinished.rs"],
        except: &[],
        says: Never(&["actix_web", "tokio", "Db", "auditor::sources", "auditor::audit"]),
        because: "what is wrong depends on what was seen, and not on how",
    },
    Rule {
        rooms: &["auditor/src/", "order-management/src/", "payment-processor/src/"],
        except: &[],
        says: Never(&["db::logs", "LogFeed", "LogReader"]),
        because: "log lines are shipped and forgotten: only the collector reads and stores them",
    },
    Rule {
        rooms: &["log-collector/src/"],
        except: &[],
        says: OnlyOf(
            "db",
            &[
                "logs",
                "Db",
                "Error",
                "Settings",
                "Migrations",
                "migrate_when_there",
                "until_stored",
            ],
        ),
        because: "log lines must be able to live in a database of their own",
    },
    Rule {
        rooms: &["log-collector/src/"],
        except: &[],
        says: Never(&["common::message", "Publisher", "Consumer", "LogShipper"]),
        because: "the log collector has no part in the road, and does not ship its own lines",
    },
    Rule {
        rooms: &[
            "log-collector/src/line.rs",
            "log-collector/src/store.rs",
            "log-collector/src/query.rs",
        ],
        except: &[],
        says: Never(&["actix_web"]),
        because: "what is stored and asked for does not depend on HTTP",
    },
    Rule {
        rooms: SERVICES,
        except: &[],
        says: Never(&["lapin", "tokio_postgres", "deadpool_postgres", "refinery"]),
        because: "the broker is reached through common::broker, the store through db",
    },
    Rule {
        rooms: SERVICES,
        except: &[
            "auditor/src/main.rs",
            "log-collector/src/main.rs",
            "order-management/src/main.rs",
            "payment-processor/src/main.rs",
        ],
        says: Never(&[
            "auditor::app",
            "log_collector::app",
            "order_management::app",
            "payment_processor::app",
        ]),
        because: "app puts the parts together; a part that knows it makes a circle",
    },
    Rule {
        rooms: &["model/src/"],
        except: &[],
        says: OnlyCrates(&["stateright"]),
        because: "the model is of the protocol: with the code in it, it would agree with every mistake",
    },
    Rule {
        rooms: ALL,
        except: &[],
        says: Never(&[
            "testkit",
            "model",
            "stateright",
            "auditor::*",
            "common::*",
            "db::*",
            "log_collector::*",
            "order_management::*",
            "payment_processor::*",
        ]),
        because: "a glob over a crate hides what is used; the test kit and the model are for tests",
    },
    Rule {
        rooms: SERVICES,
        except: &[],
        says: Never(&["opentelemetry", "opentelemetry_sdk", "opentelemetry_otlp", "reqwest"]),
        because: "spans are recorded through common::trace",
    },
];

const PAYMENTS_ROOM: &[&str] =
    &["payments", "Db", "Error", "Settings", "Migrations", "migrate_when_there", "until_stored"];
