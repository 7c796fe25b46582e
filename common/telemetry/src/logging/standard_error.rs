//! Standard error, which may be a pipe that nobody reads: whoever logs never waits for it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::METRICS;

/// How much may wait to be read, in bytes; what is written past that is lost and counted. As much
/// again may be on its way out.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// The way to standard error. Clones share it.
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
    /// Whether something is on its way out.
    writing: bool,
    lost: u64,
}

impl NonBlockingStderr {
    /// The way to standard error; `None` if that is a plain file, which never waits for a reader.
    pub(super) fn open() -> io::Result<Option<NonBlockingStderr>> {
        let file = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let plain = file.metadata()?.is_file();
        if plain { Ok(None) } else { NonBlockingStderr::to(io::stderr()).map(Some) }
    }

    fn to(out: impl Write + Send + 'static) -> io::Result<NonBlockingStderr> {
        let outlet = NonBlockingStderr(Arc::default());
        let shared = outlet.0.clone();
        // A thread and no task: it may wait for ever, and the process ends without it.
        thread::Builder::new().name("log lines".to_owned()).spawn(move || shared.drain(out))?;
        Ok(outlet)
    }

    /// Waits until all that was written has left, at most `patience`.
    pub(super) fn flush(&self, patience: Duration) {
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), patience, busy);
        drop(waited);
    }

    /// Takes a whole line, or loses and counts it where there is no room.
    pub(super) fn put(&self, line: &[u8]) {
        if !self.take(line)
            && let Some(metrics) = METRICS.get()
        {
            metrics.lost.inc();
        }
    }

    /// Whether there was room for a line.
    fn take(&self, line: &[u8]) -> bool {
        let mut state = self.0.lock();
        let fits = state.waiting.len() + line.len() <= WAITING_BYTES_MAX;
        if fits {
            state.waiting.extend_from_slice(line);
        } else {
            state.lost += 1;
        }
        drop(state);
        self.0.changed.notify_all();
        fits
    }
}

/// Each call is one whole line.
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

    /// Writes whatever comes, for as long as the process lives.
    fn drain(&self, mut out: impl Write) {
        let mut taken = Vec::new();
        loop {
            let lost = self.next(&mut taken);
            // Nobody can be told that nobody listens.
            drop(out.write_all(&taken).and_then(|()| out.flush()));
            taken.clear();
            if lost > 0 {
                log::warn!(count = lost; "log lines were lost: nobody read standard error");
            }
        }
    }

    /// Waits for what waits, and takes all of it. How many lines were lost before that.
    fn next(&self, taken: &mut Vec<u8>) -> u64 {
        let mut state = self.lock();
        state.writing = false;
        self.changed.notify_all();
        let nothing = |state: &mut State| state.waiting.is_empty();
        let state = self.changed.wait_while(state, nothing);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.waiting, taken);
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
    fn nobody_waits_for_a_reader_and_what_fits_leaves_when_one_comes() {
        let (mut reader, writer) = io::pipe().unwrap();
        let outlet = NonBlockingStderr::to(writer).unwrap();
        // More than the pipe, what is on its way and what may wait take together.
        let taken = (0..5000).filter(|_| outlet.take(LINE)).count();
        outlet.flush(Duration::ZERO);
        assert!((1000..3000).contains(&taken), "{taken}");

        let mut read = vec![0; taken * LINE.len()];
        reader.read_exact(&mut read).unwrap();
        assert!(read.iter().all(|byte| *byte == b'x'));
        outlet.flush(Duration::from_secs(60));
        assert!(!outlet.0.lock().writing);
    }

    #[test]
    fn a_reader_that_left_holds_up_nothing() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let outlet = NonBlockingStderr::to(writer).unwrap();
        outlet.take(LINE);
        outlet.flush(Duration::from_secs(60));
        outlet.take(LINE);
        outlet.flush(Duration::from_secs(60));
        assert!(outlet.0.lock().waiting.is_empty());
    }
}
