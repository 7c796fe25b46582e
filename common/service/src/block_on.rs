use std::io;

use tokio::runtime::Builder;

/// Runs `program` to its end on the current thread, and flushes the log. Blocking tasks of the
/// runtime are not awaited: a name look-up cannot be cancelled, and one whose DNS server is silent
/// takes longer than any drain time.
///
/// # Errors
/// If the runtime cannot be built.
pub fn block_on<T>(program: impl Future<Output = T>) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let output = runtime.block_on(program);
    runtime.shutdown_background();
    log::logger().flush();
    Ok(output)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_end_does_not_wait_for_a_blocking_task() {
        let (_never, answer) = mpsc::channel::<()>();
        let (started, wait_started) = tokio::sync::oneshot::channel();
        let lookup = async {
            let hangs = move || (started.send(()).is_ok(), answer.recv().is_ok());
            let _never_joined = tokio::task::spawn_blocking(hangs);
            wait_started.await
        };
        block_on(lookup).unwrap().unwrap();
    }
}
