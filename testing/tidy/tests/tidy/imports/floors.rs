//! The floors below the programs.

use super::Rule;
use super::Says::{Never, OnlyCrates};

pub(super) const RULES: &[Rule] = &[
    Rule {
        rooms: &["common/src/domain/"],
        except: &[],
        says: OnlyCrates(&["serde", "thiserror", "uuid", "time", "proptest"]),
        because: "the domain knows no HTTP, AMQP, SQL or runtime",
    },
    Rule {
        rooms: &["common/src/domain/"],
        except: &[],
        says: Never(&["common::message", "common::broker", "common::runtime"]),
        because: "the domain is at the bottom",
    },
    Rule {
        rooms: &["common/src/message/"],
        except: &[],
        says: OnlyCrates(&["serde", "serde_json", "thiserror", "proptest"]),
        because: "a message is text, whatever carries it",
    },
    Rule {
        rooms: &["common/src/message/"],
        except: &[],
        says: Never(&["common::broker", "common::runtime"]),
        because: "a message does not know who carries it",
    },
    Rule {
        rooms: &["common/src/runtime/"],
        except: &[],
        says: Never(&[
            "lapin",
            "tokio_postgres",
            "common::domain",
            "common::message",
            "common::broker",
        ]),
        because: "the runtime knows nothing of orders and queues",
    },
    Rule {
        rooms: &["common/src/broker/"],
        except: &[],
        says: Never(&["actix_web", "tokio_postgres", "common::domain"]),
        because: "the broker carries messages and does not understand them",
    },
    Rule {
        rooms: &["db/src/"],
        except: &[],
        says: Never(&["lapin", "actix_web", "common::broker"]),
        because: "the store knows neither HTTP nor AMQP",
    },
    Rule {
        rooms: &["common/src/trace/"],
        except: &[],
        says: Never(&["lapin", "actix_web", "common::message", "common::broker", "common::road"]),
        because: "a span is recorded about what others do",
    },
    Rule {
        rooms: &["common/src/road.rs"],
        except: &[],
        says: Never(&[
            "lapin",
            "actix_web",
            "tokio",
            "common::message",
            "common::broker",
            "common::trace",
        ]),
        because: "a line is told by whoever did the work",
    },
    Rule {
        rooms: &["common/src/runtime/"],
        except: &[],
        says: Never(&["common::trace", "common::road", "opentelemetry"]),
        because: "spans and the road's lines stand on the runtime",
    },
];
