//! The routes of a server, each declared once. `HEAD` and `405` with `Allow` follow from the methods
//! of a path.

use std::collections::BTreeMap;
use std::future::ready;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route, guard,
};

use crate::problem::Problem;

/// The routes of a server by path. actix-web takes the first match, and `{` sorts behind the characters
/// of a literal path: `/orders/export` comes before `/orders/{id}`.
#[derive(Default)]
pub struct Routes(BTreeMap<String, PathRoutes>);

/// The methods of one path.
#[derive(Default)]
struct PathRoutes {
    allowed: Vec<Method>,
    routes: Vec<Route>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.allowed()).finish()
    }
}

impl Routes {
    /// Adds the handler of a method; a handler of `GET` serves `HEAD` too.
    pub fn add<F, Args>(&mut self, method: Method, path: &str, handler: F)
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let routes = self.0.entry(path.to_owned()).or_default();
        let (methods, route) = match method {
            Method::GET => {
                let reads = guard::Any(guard::Get()).or(guard::Head());
                (vec![Method::GET, Method::HEAD], web::route().guard(reads))
            }
            other => (vec![other.clone()], web::method(other)),
        };
        routes.allowed.extend(methods);
        routes.routes.push(route.to(handler));
    }

    /// Each path with the methods that it accepts.
    pub fn allowed(&self) -> impl Iterator<Item = (&str, &[Method])> {
        self.0.iter().map(|(path, routes)| (path.as_str(), routes.allowed.as_slice()))
    }

    /// The resources, in the order in which a server must register them.
    pub fn into_resources(self) -> impl Iterator<Item = Resource> {
        self.0.into_iter().map(|(path, routes)| routes.into_resource(&path))
    }

    /// Registers the resources.
    pub fn configure(self, config: &mut ServiceConfig) {
        for resource in self.into_resources() {
            config.service(resource);
        }
    }
}

impl PathRoutes {
    fn into_resource(self, path: &str) -> Resource {
        let allowed = self.allowed;
        let refuse = move || ready(Err::<HttpResponse, _>(Problem::method_not_allowed(&allowed)));
        let resource = web::resource(path).default_service(web::to(refuse));
        self.routes.into_iter().fold(resource, Resource::route)
    }
}

/// The answer to a path that has no route: a `404`.
///
/// # Errors
/// Always.
pub async fn unknown_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!("There is nothing at `{}`.", request.path())))
}

#[cfg(test)]
mod tests {
    use actix_web::App;
    use actix_web::http::header::ALLOW;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};

    use super::*;
    use crate::request::with_request_id;

    fn routes() -> Routes {
        let answer =
            |status: u16| move || ready(HttpResponse::build(status.try_into().unwrap_or_default()));
        let mut routes = Routes::default();
        routes.add(Method::GET, "/things/{id}", answer(200));
        routes.add(Method::GET, "/things", answer(202));
        routes.add(Method::POST, "/things", answer(201));
        routes.add(Method::POST, "/things/import", answer(204));
        routes
    }

    #[tokio::test]
    async fn each_method_reaches_its_handler_and_others_are_refused_with_allow() {
        let app = App::new()
            .wrap(from_fn(with_request_id))
            .configure(|config| routes().configure(config))
            .default_service(web::to(unknown_route));
        let app = init_service(app).await;
        for (method, path, status, allow) in [
            (Method::GET, "/things", 202, None),
            (Method::HEAD, "/things", 202, None),
            (Method::POST, "/things", 201, None),
            (Method::PUT, "/things", 405, Some("GET, HEAD, POST")),
            (Method::GET, "/things/1", 200, None),
            (Method::POST, "/things/1", 405, Some("GET, HEAD")),
            (Method::POST, "/things/import", 204, None),
            (Method::GET, "/things/import", 405, Some("POST")),
            (Method::GET, "/nothing", 404, None),
        ] {
            let request = TestRequest::with_uri(path).method(method.clone()).to_request();
            let answer = call_service(&app, request).await;
            let allowed = answer.headers().get(ALLOW).map(|value| value.to_str().unwrap());
            assert_eq!((answer.status().as_u16(), allowed), (status, allow), "{method} {path}");
        }
    }
}
