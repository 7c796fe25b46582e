//! What holds for whatever bytes come in from outside: nothing here panics on what it is given,
//! whatever that is, unless a property is broken. libFuzzer looks for such bytes (`make fuzz`,
//! `fuzz/`); the tests of this crate run every property over the bytes that it found worth keeping
//! (`fuzz/corpus/`).

mod api;
mod decimal;
mod envelope;
mod messages;
mod words;

pub use api::{customer_body, order_body, page_query, product_body};
pub use envelope::envelope;
pub use messages::{payment_requests, payment_results};
pub use words::words;

/// What can be asked of any bytes. Panics if it does not hold for these.
pub type Property = fn(&[u8]);

/// Every property, under the name of its fuzz target and of its directory in `fuzz/corpus/`.
pub const ALL: [(&str, Property); 8] = [
    ("customer_body", customer_body),
    ("envelope", envelope),
    ("order_body", order_body),
    ("page_query", page_query),
    ("payment_requests", payment_requests),
    ("payment_results", payment_results),
    ("product_body", product_body),
    ("words", words),
];
