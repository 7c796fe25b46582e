//! The route tables: one line for each handler. The handler's `#[utoipa::path]` declares method, path
//! and answers. Served routes, `HEAD`, `405` with `Allow`, and the document all follow from these tables.

use utoipa::OpenApi as _;

use super::document::{ApiDocument, DocumentedRoutes, OperatorsDocument};
use super::{customers, dead_letters, health, orders, products, timeline};

/// Makes [`DocumentedRoutes`] of a document's general texts and of handlers.
macro_rules! routes {
    ($texts:expr, [$($($handler:ident)::+),* $(,)?]) => {{
        let mut routes = DocumentedRoutes::new($texts);
        $({
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler)::+))]
            struct Declared;
            routes.add(Declared::openapi(), $($handler)::+);
        })*
        routes
    }};
}

/// The API.
pub(super) fn api() -> DocumentedRoutes {
    routes!(
        ApiDocument::openapi(),
        [
            orders::list,
            orders::place,
            orders::read,
            timeline::read,
            products::list,
            products::create,
            products::read,
            products::change,
            products::archive,
            products::restore,
            customers::list,
            customers::create,
            customers::read,
            customers::change,
            customers::archive,
            customers::restore,
            health::live,
            health::ready,
            health::actuator,
        ]
    )
}

/// The operators' routes on the ops port, beside those of every program.
pub(super) fn operators() -> DocumentedRoutes {
    routes!(
        OperatorsDocument::openapi(),
        [
            dead_letters::list,
            dead_letters::show,
            dead_letters::replay,
            dead_letters::replay_all,
            dead_letters::discard,
            dead_letters::actions,
            dead_letters::action,
        ]
    )
}

#[cfg(test)]
mod tests;
