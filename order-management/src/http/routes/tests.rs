use std::collections::BTreeSet;

use actix_web::App;
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web::ServiceConfig;
use serde_json::Value;

use super::*;
use crate::swagger_switch::SwaggerUi;

/// The pages around the document, which does not list them.
const PAGES: [&str; 4] = ["/", "/api-docs/openapi.json", "/swagger-ui", "/swagger-ui/{file:.*}"];
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

type Configure = fn(&mut ServiceConfig);

fn tables() -> [(DocumentedRoutes, Configure); 2] {
    [
        (api(), |routes| crate::http::api(routes, SwaggerUi::On)),
        (operators(), |routes| crate::http::operators(routes, SwaggerUi::On)),
    ]
}

fn paths_of(routes: &DocumentedRoutes) -> serde_json::Map<String, Value> {
    serde_json::to_value(&routes.document).unwrap()["paths"].as_object().unwrap().clone()
}

/// The methods of a path in the document, and `HEAD` where there is `GET`.
fn methods_of(operations: &Value) -> BTreeSet<String> {
    let mut methods: BTreeSet<String> =
        operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
    if methods.contains("GET") {
        methods.insert("HEAD".to_owned());
    }
    methods
}

#[test]
fn every_route_that_is_served_is_documented() {
    for (mut table, _) in tables() {
        let document = paths_of(&table);
        crate::http::pages::add_pages(&mut table.routes, SwaggerUi::On);
        let served = table.routes.allowed().filter(|(path, _)| !PAGES.contains(path));
        let served: Vec<_> = served.collect();
        assert_eq!(served.len(), document.len());
        for (path, methods) in served {
            let methods: BTreeSet<String> = methods.iter().map(Method::to_string).collect();
            assert_eq!(methods, methods_of(&document[path]), "{path}");
        }
    }
}

/// The status of an answer, and `Allow`. The app has no database: a handler that is reached answers 404,
/// 415 or 500.
async fn ask(configure: Configure, method: &str, path: &str) -> (u16, Option<String>) {
    let app = init_service(App::new().configure(configure)).await;
    let request = TestRequest::with_uri(path).method(method.parse().unwrap());
    let answer = match try_call_service(&app, request.to_request()).await {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let allow = answer.headers().get(ALLOW).map(|allow| allow.to_str().unwrap().to_owned());
    (answer.status().as_u16(), allow)
}

#[tokio::test]
async fn every_method_in_the_document_is_served_and_every_other_is_refused_with_allow() {
    for (table, configure) in tables() {
        for (path, operations) in &paths_of(&table) {
            let documented = methods_of(operations);
            for method in METHODS {
                let (status, allow) = ask(configure, method, &path.replace("{id}", "1")).await;
                let allow: Option<BTreeSet<String>> =
                    allow.map(|allow| allow.split(", ").map(str::to_owned).collect());
                if documented.contains(method) {
                    assert_ne!(status, 405, "{method} {path}");
                } else {
                    assert_eq!(
                        (status, allow.as_ref()),
                        (405, Some(&documented)),
                        "{method} {path}"
                    );
                }
            }
        }
        assert_eq!(ask(configure, "GET", "/nowhere").await.0, 404);
    }
}

#[test]
fn every_operation_lists_the_problems_of_its_input_and_no_others() {
    for (table, _) in tables() {
        for (path, operations) in &paths_of(&table) {
            let operations = operations.as_object().unwrap();
            operations.iter().for_each(|(_, operation)| assert_problems(path, operation));
        }
    }
}

fn assert_problems(path: &str, operation: &Value) {
    let id = &operation["operationId"];
    if operation["tags"][0] == "health" {
        return;
    }
    let responses = operation["responses"].as_object().unwrap();
    let has_body = operation.get("requestBody").is_some();
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let has_query = parameters.iter().any(|parameter| parameter["in"] == "query");
    let header = |name: &str| parameters.iter().find(|parameter| parameter["name"] == name);
    let has_key = header("Idempotency-Key").is_some();
    let condition = header("If-Match");
    for (status, listed) in [
        ("400", has_body),
        ("404", path.contains('{')),
        ("408", has_body),
        ("413", has_body),
        ("415", has_body),
        ("412", condition.is_some()),
        ("422", has_body || has_query || has_key || condition.is_some()),
        ("428", condition.is_some_and(|header| header["required"] == true)),
        ("304", header("If-None-Match").is_some()),
        ("500", true),
        ("503", true),
    ] {
        assert_eq!(responses.contains_key(status), listed, "{status} of {id}");
    }
    for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
        let body = &response["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(body, "#/components/schemas/ProblemBody", "{status} of {id}");
    }
}

#[test]
fn a_key_works_on_every_post() {
    for (table, _) in tables() {
        for (path, operations) in paths_of(&table) {
            let Some(post) = operations.get("post") else { continue };
            let parameters = post["parameters"].as_array().unwrap();
            let has_key = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
            assert!(has_key && post["responses"].get("409").is_some(), "{path}");
        }
    }
}

/// The places in `value`, as JSON pointers, at which `fits` is true.
fn places(value: &Value, at: &str, fits: &dyn Fn(&str, &Value) -> bool) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let own = inner.iter().filter(|(name, value)| fits(name, value));
    let own: Vec<String> = own.map(|(name, _)| format!("{at}/{name}")).collect();
    let below = inner.iter().flat_map(|(name, value)| places(value, &format!("{at}/{name}"), fits));
    own.into_iter().chain(below).collect()
}

#[test]
fn no_schema_divides_decimals_and_no_field_of_a_request_may_be_null() {
    let is_multiple = |name: &str, _: &Value| name == "multipleOf";
    let is_null = |name: &str, value: &Value| name == "type" && value.to_string().contains("null");
    let is_a_type_null = |_: &str, value: &Value| value["type"] == "null";
    for (table, _) in tables() {
        let document = serde_json::to_value(&table.document).unwrap();
        assert_eq!(places(&document, "", &is_multiple), [""; 0]);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas {
            let is_request =
                name.ends_with("Patch") || name.ends_with("Body") && name != "ProblemBody";
            if is_request {
                assert_eq!(places(schema, name, &is_null), [""; 0]);
                assert_eq!(places(schema, name, &is_a_type_null), [""; 0]);
            }
        }
    }
}
