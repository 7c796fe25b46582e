//! Properties that hold for any bytes from outside. A function of this crate panics only if its
//! property is broken. libFuzzer searches for such bytes (`make fuzz`, `fuzz/`); the tests of this
//! crate run every property over the inputs that the fuzzer kept (`fuzz/corpus/`).

mod api;
mod decimal;
mod envelope;
mod messages;
mod values;

pub use api::{customer_body, order_body, page_query, product_body};
pub use envelope::envelope;
pub use messages::{payment_requests, payment_results};
pub use values::values;

/// A property of any bytes. Panics if it does not hold for these.
pub type Property = fn(&[u8]);

/// Every property with the name of its fuzz target and of its directory in `fuzz/corpus/`.
pub const ALL: [(&str, Property); 8] = [
    ("customer_body", customer_body),
    ("envelope", envelope),
    ("order_body", order_body),
    ("page_query", page_query),
    ("payment_requests", payment_requests),
    ("payment_results", payment_results),
    ("product_body", product_body),
    ("values", values),
];
