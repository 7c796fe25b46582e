//! The two bodies that travel between the services, and the envelope around them.
//!
//! A body is one object or a JSON array of them (a *pack*); a reader takes both, ignores fields
//! it does not know, and judges every object of a pack on its own. docs/messages.md is the same
//! contract for a worker written in another language.

mod body;
mod envelope;
mod json_amount;

pub use body::{BODY_MAX_BYTES, PACK_MAX, Part, PaymentRequest, PaymentResult};
pub use body::{decode_requests, decode_results, encode_requests, encode_results};
pub use domain::TraceParent;
pub use envelope::Envelope;
pub use json_amount::ExactNumber;
