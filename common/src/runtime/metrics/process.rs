use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::book::Book;
use super::{Program, Seconds};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    process: &'static str,
}

/// What the operating system knows of this process, under the names that Prometheus' own clients
/// use. Only Linux is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct ProcessMetrics {
    build: Family<BuildLabels, Gauge>,
    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
    started: Seconds,
}

impl ProcessMetrics {
    pub(super) fn put_in(&self, book: &mut Book, program: Program) {
        let version = env!("CARGO_PKG_VERSION");
        let labels = BuildLabels { version, process: program.as_str() };
        self.build.get_or_create(&labels).set(1);
        let m = self.clone();
        book.gauge("ordermill_build_info", "1; what runs stands in the labels", m.build);
        #[cfg(target_os = "linux")]
        {
            book.counter("process_cpu_seconds_total", "Processor time used", m.cpu);
            book.gauge("process_resident_memory_bytes", "Memory in use", m.resident);
            book.gauge("process_open_fds", "Open file descriptors", m.open_fds);
            book.gauge("process_max_fds", "File descriptors that may be open", m.max_fds);
            book.gauge("process_start_time_seconds", "When it started, in Unix time", m.started);
        }
    }

    /// Asks. What cannot be read stays as it was.
    #[cfg(target_os = "linux")]
    pub(super) fn look(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        if let Some(seconds) = linux::cpu_seconds() {
            self.cpu.inner().store(seconds.to_bits(), Relaxed);
        }
        for (gauge, read) in [
            (&self.resident, linux::resident_bytes()),
            (&self.open_fds, linux::open_fds()),
            (&self.max_fds, linux::max_fds()),
        ] {
            if let Some(value) = read {
                gauge.set(value);
            }
        }
        if let Some(seconds) = linux::start_seconds() {
            self.started.set(seconds);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn look(&self) {}
}

/// `/proc`, as proc(5) describes it.
#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{read_dir, read_to_string};

    /// Clock ticks in a second, `sysconf(_SC_CLK_TCK)`: what user space is told is 100 on every
    /// architecture that we are built for.
    const TICKS: f64 = 100.0;

    /// Field `number` of `/proc/self/stat`. The second one is a name that may hold blanks, in
    /// parentheses.
    fn stat(number: usize) -> Option<f64> {
        let text = read_to_string("/proc/self/stat").ok()?;
        let behind = text.rsplit_once(") ")?.1;
        behind.split(' ').nth(number.checked_sub(3)?)?.parse().ok()
    }

    pub(super) fn cpu_seconds() -> Option<f64> {
        let (user, system) = (stat(14)?, stat(15)?);
        Some((user + system) / TICKS)
    }

    pub(super) fn start_seconds() -> Option<f64> {
        let since_boot = stat(22)? / TICKS;
        let text = read_to_string("/proc/stat").ok()?;
        let boot = text.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(boot.trim().parse::<f64>().ok()? + since_boot)
    }

    pub(super) fn resident_bytes() -> Option<i64> {
        let text = read_to_string("/proc/self/status").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: i64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Without the one that the question itself opens.
    pub(super) fn open_fds() -> Option<i64> {
        let count = read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
        i64::try_from(count).ok()
    }

    pub(super) fn max_fds() -> Option<i64> {
        let text = read_to_string("/proc/self/limits").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        // "unlimited" is no number, and then there is none.
        line.split_whitespace().next()?.parse().ok()
    }
}
