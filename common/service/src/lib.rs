//! The common part of every program: settings, boot, tasks, shutdown, health, HTTP problems and
//! routes, and the ops server.

mod age;
mod allowed_hosts;
mod answer_body;
mod backoff;
mod block_on;
mod boot;
mod clock;
pub mod crash_point;
mod current_request;
mod env;
mod health;
mod http_metrics;
mod http_server;
mod injected;
mod listener;
mod open_files;
mod open_requests;
pub mod ops_server;
pub mod problem;
mod request;
mod routes;
mod service;
mod tasks;
mod trace_settings;

pub use age::parse_age;
pub use allowed_hosts::AllowedHosts;
pub use backoff::Backoff;
pub use block_on::block_on;
pub use boot::{CommonCommand, Invocation, NotLive, ProcessSettings, parse_args};
pub use clock::unix_seconds;
pub use crash_point::CrashPoint;
pub use current_request::{request_id, traceparent};
pub use env::{Env, InvalidSettings, Secret, Setting, SettingWithDefault};
pub use health::{ComponentState, Health, Readiness};
pub use http_metrics::{HTTP_METHODS, HttpMetrics, count_requests};
pub use http_server::{HttpSettings, serve_http};
pub use problem::{FieldError, Problem, ProblemBody, ProblemType};
pub use request::{Draining, with_request_id, with_request_span};
pub use routes::{Routes, unknown_route};
pub use service::{Program, Runtime, Service, StartError, TaskPanicked};
pub use tasks::Tasks;
pub use trace_settings::read_trace_settings;
