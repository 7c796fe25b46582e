//! The order pipeline as a model that is checked exhaustively: processes are killed, connections
//! cut, messages repeated and overtaken, up to a bound, in every possible order.
//!
//! The model describes the protocol and uses none of the code. The link between the two: every
//! [step](Verb) of the code names its function, and a test checks that the function exists.
//! `docs/model.md` lists the parts that are modelled and those that are not.

mod check;
mod describe;
mod pipeline;
mod properties;
mod state;
mod steps;
mod symmetry;
mod two;
mod variant;
mod verb;

pub use check::{Broken, DescribedStep, Found, check, goes_in_circles, shortest};
pub use describe::describe;
pub use pipeline::{Orders, Pipeline, Step};
pub use symmetry::representative;
pub use two::{Nth, Two};
pub use variant::Variant;
pub use verb::{Origin, Scope, Verb};
