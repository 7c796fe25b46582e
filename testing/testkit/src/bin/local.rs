//! `make run`: see [`testkit::local`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let run = async || testkit::local::run().await;
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ordermill-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}
