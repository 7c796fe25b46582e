//! Standard error without waiting: it may be a pipe whose reader has stopped.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::metrics;

/// Maximum number of bytes that wait to be written; a line past it is lost and counted. As many
/// bytes again may be in the write that is in progress.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// Standard error behind a bounded buffer and a thread that writes. Clones share both.
#[derive(Clone, Debug)]
pub(super) struct NonBlockingStderr(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// True while the thread writes.
    writing: bool,
    /// Lines lost since the last report.
    lost: u64,
}

impl NonBlockingStderr {
    /// Opens standard error; `None` if it is a plain file, whose writes do not wait for a reader.
    ///
    /// # Errors
    /// If the type of the file cannot be read, or the thread cannot be started.
    pub(super) fn open() -> io::Result<Option<NonBlockingStderr>> {
        let file = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let plain = file.metadata()?.is_file();
        if plain { Ok(None) } else { NonBlockingStderr::new(io::stderr()).map(Some) }
    }

    fn new(out: impl Write + Send + 'static) -> io::Result<NonBlockingStderr> {
        let stderr = NonBlockingStderr(Arc::default());
        let shared = stderr.0.clone();
        // Not a task: a write may block for ever, and the process ends without this thread.
        thread::Builder::new().name("log lines".to_owned()).spawn(move || shared.run(out))?;
        Ok(stderr)
    }

    /// Waits until all lines are written, for `timeout` at most.
    pub(super) fn flush(&self, timeout: Duration) {
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), timeout, busy);
        drop(waited);
    }

    /// Adds a whole line, or loses and counts the line if there is no room.
    pub(super) fn put(&self, line: &[u8]) {
        if !self.try_put(line)
            && let Some(metrics) = metrics::counted()
        {
            metrics.lost.inc();
        }
    }

    /// Returns false if there was no room for the line.
    fn try_put(&self, line: &[u8]) -> bool {
        let mut state = self.0.lock();
        let was_idle = !state.writing && state.waiting.is_empty();
        let fits = state.waiting.len() + line.len() <= WAITING_BYTES_MAX;
        if fits {
            state.waiting.extend_from_slice(line);
        } else {
            state.lost += 1;
        }
        drop(state);
        // The thread waits only while it is idle, and a notification is a system call.
        if was_idle {
            self.0.changed.notify_all();
        }
        fits
    }
}

/// Each call of `write` is one whole line.
impl Write for NonBlockingStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines for as long as the process lives.
    fn run(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        loop {
            let lost = self.next(&mut lines);
            // A failure to write to standard error has no other place to be reported.
            drop(out.write_all(&lines).and_then(|()| out.flush()));
            lines.clear();
            if lost > 0 {
                log::warn!(count = lost; "log lines were lost: standard error was not read");
            }
        }
    }

    /// Waits for lines and swaps all of them into the empty `lines`. Returns the number of lines
    /// that were lost before.
    fn next(&self, lines: &mut Vec<u8>) -> u64 {
        let mut state = self.lock();
        state.writing = false;
        self.changed.notify_all();
        let is_idle = |state: &mut State| state.waiting.is_empty();
        let state = self.changed.wait_while(state, is_idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.waiting, lines);
        state.writing = true;
        std::mem::take(&mut state.lost)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const LINE: &[u8] = &[b'x'; 1000];

    #[test]
    fn logging_does_not_wait_for_a_reader_and_the_lines_that_fit_are_written_later() {
        let (mut reader, writer) = io::pipe().unwrap();
        let stderr = NonBlockingStderr::new(writer).unwrap();
        // More than the pipe, the write in progress and the buffer hold together.
        let fitting = (0..5000).filter(|_| stderr.try_put(LINE)).count();
        stderr.flush(Duration::ZERO);
        assert!((1000..3000).contains(&fitting), "{fitting}");

        let mut read = vec![0; fitting * LINE.len()];
        reader.read_exact(&mut read).unwrap();
        assert!(read.iter().all(|byte| *byte == b'x'));
        stderr.flush(Duration::from_secs(60));
        assert!(!stderr.0.lock().writing);
    }

    #[test]
    fn a_closed_pipe_blocks_nothing() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let stderr = NonBlockingStderr::new(writer).unwrap();
        stderr.try_put(LINE);
        stderr.flush(Duration::from_secs(60));
        stderr.try_put(LINE);
        stderr.flush(Duration::from_secs(60));
        assert!(stderr.0.lock().waiting.is_empty());
    }
}
