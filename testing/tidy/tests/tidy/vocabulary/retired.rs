//! Identifiers that the glossary replaced.

/// The files in which an identifier is retired.
#[derive(Clone, Copy, Debug)]
enum Files {
    Every,
    /// All but those under `testing/`.
    Product,
    /// Those whose path begins so.
    Below(&'static str),
}

/// An identifier with its successor.
#[derive(Debug)]
pub(super) struct Retired {
    name: &'static str,
    /// The name may also be one of several words of an identifier: `road` in `RoadFindings`.
    in_parts: bool,
    files: Files,
    pub(super) instead: &'static str,
}

impl Retired {
    /// Returns true if `identifier` is this one.
    pub(super) fn is(&self, identifier: &str) -> bool {
        identifier == self.name
            || (self.in_parts && parts(identifier).any(|part| part.to_lowercase() == self.name))
    }
}

/// The words of an identifier in snake case or camel case.
fn parts(identifier: &str) -> impl Iterator<Item = &str> {
    identifier.split('_').flat_map(|word| {
        let camel = word.chars().any(char::is_lowercase);
        let starts = word.char_indices().filter(move |(_, c)| camel && c.is_uppercase());
        let mut starts: Vec<usize> = starts.map(|(at, _)| at).filter(|at| *at > 0).collect();
        starts.insert(0, 0);
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([word.len()]).collect();
        starts.into_iter().zip(ends).filter_map(|(start, end)| word.get(start..end))
    })
}

/// The identifiers that are retired in the file at `path`.
pub(super) fn retired(path: &str) -> impl Iterator<Item = &'static Retired> {
    let product = !path.starts_with("testing/");
    RETIRED.iter().filter(move |retired| match retired.files {
        Files::Every => true,
        Files::Product => product,
        Files::Below(room) => path.starts_with(room),
    })
}

const fn in_parts(name: &'static str, instead: &'static str) -> Retired {
    Retired { name, in_parts: true, files: Files::Every, instead }
}

const fn every(name: &'static str, instead: &'static str) -> Retired {
    Retired { name, in_parts: false, files: Files::Every, instead }
}

const fn product(name: &'static str, instead: &'static str) -> Retired {
    Retired { name, in_parts: false, files: Files::Product, instead }
}

const fn below(room: &'static str, name: &'static str, instead: &'static str) -> Retired {
    Retired { name, in_parts: false, files: Files::Below(room), instead }
}

const BATCHER: &str = "common/batcher/";
const AMQP: &str = "common/amqp/";
const SERVICE: &str = "common/service/";
const WORKER: &str = "payment-processor/";
const AUDITOR: &str = "auditor/";

const RETIRED: &[Retired] = &[
    in_parts("station", "stage"),
    in_parts("stations", "stages"),
    in_parts("desk", "dead_letter_lock, or delivery"),
    in_parts("lookout", "queue_inspector"),
    in_parts("whisper", "order_log::debug"),
    in_parts("road", "pipeline, or order_log"),
    in_parts("parked", "dead_lettered"),
    in_parts("books", "ledger"),
    every("Gather", "Batcher"),
    every("gather", "batcher"),
    every("GatherLimits", "BatchLimits"),
    every("NotGathered", "SubmitError"),
    every("leave_all", "submit_detached"),
    below(BATCHER, "quiet", "wait_idle"),
    below(BATCHER, "Line", "Queue"),
    below(BATCHER, "Group", "Submission"),
    below(BATCHER, "Door", "CloseOnDrop"),
    below(BATCHER, "Left", "AbandonOnDrop"),
    below(AMQP, "Handler", "MessageHandler"),
    below(AMQP, "Received", "IncomingMessage"),
    below(AMQP, "Done", "Ack"),
    below(AMQP, "Leave", "Forward"),
    below(AMQP, "Back", "Requeue"),
    below(AMQP, "Own", "PartProperties"),
    below(AMQP, "Worker", "ConsumerTask"),
    product("Fate", "Disposition"),
    product("Departure", "Forward"),
    product("departure", "forward"),
    product("Fault", "BrokerError"),
    below(AMQP, "Link", "PublisherConnection"),
    product("Away", "Disconnected"),
    every("PATIENCE", "a name that ends in _TIMEOUT"),
    every("FAREWELL", "a name that ends in _TIMEOUT"),
    every("GOODBYE", "a name that ends in _TIMEOUT"),
    every("LAST_BREATH", "a name that ends in _TIMEOUT"),
    every("Patience", "RetryPolicy"),
    every("Told", "SpanRecord"),
    every("spelled", "encode"),
    product("tell", "order_log::info"),
    below("common/telemetry/src/metrics", "numbers", "metrics"),
    product("Book", "Registry"),
    product("put_in", "register"),
    product("at_scrape", "on_scrape"),
    below(SERVICE, "begin", "parse_args"),
    below(SERVICE, "leave", "drain"),
    below(SERVICE, "Begun", "Invocation"),
    every("Leaving", "Draining"),
    every("Discreet", "RedactingLogger"),
    every("Outlet", "NonBlockingStderr"),
    below("order-management/", "wish", "request, or command"),
    below("order-management/", "Wish", "Request, or Command"),
    every("Deed", "Action"),
    every("Trouble", "DeadLetterError"),
    every("Manner", "TestCard"),
    every("NoAnswer", "GatewayError"),
    below(WORKER, "Asked", "GatewayResult"),
    product("Due", "PendingPublish"),
    product("Relayed", "Published, or Kept"),
    below(AUDITOR, "Bench", "Rules"),
    below(AUDITOR, "Sight", "Observation"),
    below(AUDITOR, "Stretch", "IdRange"),
    product("strays", "orphans"),
    below(WORKER, "Starting", "ChargeAttempt"),
    below(WORKER, "Started", "ChargeAttempt"),
    below(WORKER, "Verdicted", "ChargeAttempt"),
    below(WORKER, "Charging", "ChargeAttempt"),
    below(WORKER, "Charged", "ChargeAttempt"),
    every("house", "tidy"),
    every("tour", "walkthrough"),
    every("witness", "status_trigger"),
    every("yardstick", "baseline"),
    every("intruder", "adversary"),
    every("tenancy", "isolation"),
];

#[test]
fn parts_of_identifiers_are_found() {
    let found: Vec<&str> = parts("ParkedMessage").chain(parts("a_ROAD_b")).collect();
    assert_eq!(found, ["Parked", "Message", "a", "ROAD", "b"]);
}
