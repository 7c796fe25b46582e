//! The monitoring: the shipped rules, dashboards and settings of `deploy/monitoring`.

mod alerts;
mod dashboards;
mod mail;
mod names;
mod promql;
mod tools;
