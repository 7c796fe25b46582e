//! The message bodies that the services exchange, and the envelope around them.
//!
//! A body is one JSON object, or a JSON array of objects (a *batch message*, in short *pack*). A
//! reader accepts both, ignores unknown fields, and accepts or refuses every object of a pack on
//! its own. docs/messages.md is the same contract for a worker written in another language.

mod body;
mod envelope;
mod json_amount;
mod signing;

pub use body::{BODY_MAX_BYTES, PACK_MAX, Part, PaymentRequest, PaymentResult};
pub use body::{decode_requests, decode_results, encode_requests, encode_results};
pub use domain::TraceParent;
pub use envelope::Envelope;
pub use json_amount::ExactNumber;
pub use signing::SigningKeys;
