//! The stack of `make run`: everything on this machine, for one person to try. PostgreSQL and
//! RabbitMQ live under `.local/` of the project and keep their data from one run to the next.

mod home;
mod interrupt;
mod stack;
mod walkthrough;

use anyhow::Result;

use home::Home;
use interrupt::Interrupt;
use stack::Stack;

/// Starts it all, shows it, keeps it running until Ctrl-C or SIGTERM, and stops it in good order.
///
/// # Errors
/// If it is running already, or if something can't be started.
pub async fn run() -> Result<()> {
    let mut interrupt = Interrupt::watch()?;
    let mut home = Home::enter().await?;
    let stack = tokio::select! {
        () = interrupt.asked() => return Ok(()),
        stack = start(&mut home) => stack?,
    };
    tokio::select! {
        () = interrupt.asked() => {}
        never = stack.keep_running() => match never {},
    }
    say("stopping (Ctrl-C again kills)");
    tokio::select! {
        () = interrupt.asked() => say("killed"),
        stopped = stack.stop() => {
            stopped?;
            say("stopped; the data stays in .local for the next run");
        }
    }
    Ok(())
}

async fn start(home: &mut Home) -> Result<Stack> {
    let stack = Stack::start(home).await?;
    walkthrough::show(&stack, home).await?;
    Ok(stack)
}

/// Prints a line. A terminal that is gone is no reason to stop.
fn say(text: &str) {
    use std::io::Write;
    writeln!(std::io::stdout(), "{text}").ok();
}
