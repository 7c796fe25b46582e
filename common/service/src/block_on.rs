use std::io;

use tokio::runtime::Builder;

/// Runs `life` to its end, and lets the last log lines leave. Nothing else is waited for then: the
/// resolver looks up names on a thread that nobody can stop, and one whose server is silent takes
/// longer than any drain time.
///
/// # Errors
/// If there can be no runtime.
pub fn block_on<T>(life: impl Future<Output = T>) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let end = runtime.block_on(life);
    runtime.shutdown_background();
    log::logger().flush();
    Ok(end)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_end_does_not_wait_for_what_cannot_be_stopped() {
        let (_never, answer) = mpsc::channel::<()>();
        let (began, begun) = tokio::sync::oneshot::channel();
        let lookup = async {
            let hangs = move || (began.send(()).is_ok(), answer.recv().is_ok());
            let _never_joined = tokio::task::spawn_blocking(hangs);
            begun.await
        };
        block_on(lookup).unwrap().unwrap();
    }
}
