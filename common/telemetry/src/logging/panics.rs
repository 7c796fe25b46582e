use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

/// Logs each panic from now on as an `ERROR` line, in the format of the other lines: it reaches the
/// log store as well, and does not wait for the reader of standard error.
pub(super) fn log_panics() {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !log::log_enabled!(log::Level::Error) {
            return default_hook(info);
        }
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            log::error!(backtrace:%; "{info}");
        } else {
            log::error!("{info}");
        }
    }));
}
