//! Measurements that disturb the services little: `/proc`, `/metrics`, and PostgreSQL's own
//! counters.

pub(super) mod cpu;
pub(super) mod memory;
pub(super) mod metrics;
pub(super) mod rest;
pub(super) mod stat;
pub(super) mod storage;
