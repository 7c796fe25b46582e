//! The auditor: holds the orders, the payments and the gateway's books against each other while
//! everything runs. It only reads, and needs no broker.

mod app;
mod audit;
mod check;
mod config;
mod findings;
mod judge;
mod look;
mod page;
mod report;
mod unfinished;

use std::process::ExitCode;

use common::runtime::{begin, live};
use config::Config;

const ABOUT: &str = "auditor: holds orders, payments and the simulated gateway's books against each \
                     other, and only reads. Shows what it finds at / and /audit.json of OPS_PORT, \
                     and as numbers at /metrics.\n\n`auditor check` looks at the orders of the last \
                     hour and at those that are late, `auditor check --all` at everything. Both \
                     print what is wrong and end: with 0 if nothing is, 1 if something is, 2 if \
                     they could not look.";

/// What `check` ends with when it could not look.
const COULD_NOT_LOOK: u8 = 2;

fn main() -> ExitCode {
    let failure = match std::env::args().nth(1).as_deref() {
        Some("check") => ExitCode::from(COULD_NOT_LOOK),
        _ => ExitCode::FAILURE,
    };
    match begun() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            failure
        }
    }
}

fn begun() -> anyhow::Result<ExitCode> {
    let Some(begun) = begin(ABOUT, &["check"], Config::read)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let config = begun.config;
    let words: Vec<&str> = begun.command.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => live(app::run(config))?.map(|()| ExitCode::SUCCESS),
        ["check"] => live(check::run(config, check::Extent::Recent))?,
        ["check", "--all"] => live(check::run(config, check::Extent::All))?,
        _ => anyhow::bail!("check takes nothing but --all"),
    }
}
