use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::instrument::Seconds;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    /// Version of the program
    version: &'static str,
    /// Name of the program
    process: &'static str,
}

crate::metrics! {
    /// Metrics of the process, as the operating system reports them, under the names of Prometheus'
    /// own client libraries. They stay at zero on other systems than Linux.
    pub(super) struct ProcessMetrics {
        /// Always 1; the labels name the program and its version
        build: Family<BuildLabels, Gauge> = "ordermill_build_info",
        /// Processor time used, in user space and in the kernel; on Linux only
        cpu: Counter<f64, AtomicU64> = "process_cpu_seconds_total",
        /// Resident memory; on Linux only
        resident: Gauge = "process_resident_memory_bytes",
        /// Open file descriptors; on Linux only
        open_fds: Gauge = "process_open_fds",
        /// Limit of open file descriptors, 0 if there is no limit; on Linux only
        max_fds: Gauge = "process_max_fds",
        /// Start of the process, in Unix time; on Linux only
        started: Seconds = "process_start_time_seconds",
    }
}

impl ProcessMetrics {
    /// Sets the labels of the build.
    pub(super) fn name(&self, process: &'static str) {
        let labels = BuildLabels { version: env!("CARGO_PKG_VERSION"), process };
        self.build.get_or_create(&labels).set(1);
    }

    /// Reads the values. A value that cannot be read stays as it was.
    #[cfg(target_os = "linux")]
    pub(super) fn read(&self) {
        // A container may hide some files of /proc.
        let _unreadable = self.try_read();
    }

    /// Does nothing; the values are read on Linux only.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn read(&self) {}

    #[cfg(target_os = "linux")]
    fn try_read(&self) -> procfs::ProcResult<()> {
        use std::sync::atomic::Ordering::Relaxed;

        use procfs::process::{LimitValue, Process};

        let process = Process::myself()?;
        let stat = process.stat()?;
        let seconds = |ticks: u64| seconds(ticks, procfs::ticks_per_second());
        self.cpu.inner().store(seconds(stat.utime + stat.stime).to_bits(), Relaxed);
        let resident = stat.rss.saturating_mul(procfs::page_size());
        self.resident.set(i64::try_from(resident).unwrap_or(i64::MAX));
        // Without the descriptor that this call opens.
        let open = process.fd_count()?.saturating_sub(1);
        self.open_fds.set(i64::try_from(open).unwrap_or(i64::MAX));
        if let LimitValue::Value(max) = process.limits()?.max_open_files.soft_limit {
            self.max_fds.set(i64::try_from(max).unwrap_or(i64::MAX));
        }
        let boot = seconds_since_epoch(procfs::boot_time_secs()?);
        self.started.set(boot + seconds(stat.starttime));
        Ok(())
    }
}

/// `ticks` in seconds, exact up to 2³² seconds.
#[cfg(target_os = "linux")]
fn seconds(ticks: u64, per_second: u64) -> f64 {
    let per_second = per_second.max(1);
    let part = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    part(ticks / per_second) + part(ticks % per_second) / part(per_second)
}

#[cfg(target_os = "linux")]
fn seconds_since_epoch(seconds: u64) -> f64 {
    f64::from(u32::try_from(seconds).unwrap_or(u32::MAX))
}
