//! The road of an order as a model that is checked exhaustively: whatever is killed, cut, repeated
//! and overtaken, up to a bound, in every order in which it can happen.
//!
//! The model is of the protocol and not of the code, so it uses none of it. What ties the two
//! together: every [step](Verb) of the code names its function, and a test looks whether it is there.
//! `docs/model.md` says what is modelled and what is not.

mod check;
mod properties;
mod road;
mod state;
mod steps;
mod symmetry;
mod tell;
mod two;
mod variant;
mod verb;

pub use check::{Broken, Found, SpanRecord, check, goes_in_circles, shortest};
pub use road::{Orders, Road, Step};
pub use symmetry::representative;
pub use tell::tell;
pub use two::{Nth, Two};
pub use variant::Variant;
pub use verb::{Origin, Scope, Verb};
