//! The shipped settings with other addresses and shorter intervals, so that a test sees in seconds
//! what an operator sees in a minute. Nothing else is changed.

use anyhow::{Result, ensure};

use super::shipped::shipped;
use crate::processes::Process;
use crate::world::World;

/// The ports of all targets, on 127.0.0.1.
#[derive(Clone, Debug, Default)]
pub(super) struct ScrapeTargets {
    pub(super) order_management: Vec<u16>,
    pub(super) workers: Vec<u16>,
    pub(super) auditors: Vec<u16>,
    pub(super) log_collectors: Vec<u16>,
    pub(super) rabbitmq: Vec<u16>,
    pub(super) exporter: Vec<u16>,
    pub(super) alertmanager: Vec<u16>,
}

impl ScrapeTargets {
    /// The targets of a world: its processes and its broker.
    pub(super) fn of(world: &World) -> ScrapeTargets {
        ScrapeTargets {
            order_management: ops_ports(&world.order_management),
            workers: ops_ports(&world.workers),
            auditors: ops_ports(&world.auditors),
            log_collectors: ops_ports(&world.log_collectors),
            rabbitmq: vec![world.isolation().rabbitmq().metrics_port()],
            ..ScrapeTargets::default()
        }
    }

    /// The settings of a Prometheus on port `own`.
    pub(super) fn prometheus(&self, own: u16) -> Result<String> {
        let found = |name: &str, port: u16, ports: &[u16]| {
            let shipped = format!(
                "dns_sd_configs: [{{names: [{name}], type: A, port: {port}, refresh_interval: 5s}}]"
            );
            (shipped, format!("static_configs: [{{targets: {}}}]", list(ports)))
        };
        let fixed = |address: &str, ports: &[u16]| (format!("[\"{address}\"]"), list(ports));
        let rules = shipped().join("prometheus/rules/*.yml");
        let changes = [
            found("order-management", 9100, &self.order_management),
            found("payment-processor", 9101, &self.workers),
            found("log-collector", 9103, &self.log_collectors),
            fixed("auditor:9102", &self.auditors),
            fixed("rabbitmq:15692", &self.rabbitmq),
            fixed("postgres-exporter:9187", &self.exporter),
            fixed("alertmanager:9093", &self.alertmanager),
            fixed("localhost:9090", &[own]),
            ("rules/*.yml".to_owned(), rules.display().to_string()),
            ("scrape_interval: 15s".to_owned(), "scrape_interval: 2s".to_owned()),
            ("evaluation_interval: 15s".to_owned(), "evaluation_interval: 1s".to_owned()),
        ];
        changed("prometheus/prometheus.yml", &changes)
    }
}

/// The settings of an Alertmanager that sends its mails to a port of 127.0.0.1.
pub(super) fn alertmanager(smtp_port: u16) -> Result<String> {
    let template = shipped().join("alertmanager/mail.tmpl");
    let changes = [
        ("mailpit:1025".to_owned(), format!("127.0.0.1:{smtp_port}")),
        ("mail.tmpl".to_owned(), template.display().to_string()),
        ("group_wait: 10s".to_owned(), "group_wait: 1s".to_owned()),
        ("group_interval: 1m".to_owned(), "group_interval: 1s".to_owned()),
    ];
    changed("alertmanager/alertmanager.yml", &changes)
}

fn ops_ports(processes: &[Process]) -> Vec<u16> {
    processes.iter().map(Process::ops_port).collect()
}

fn list(ports: &[u16]) -> String {
    let addresses: Vec<String> = ports.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    format!("[{}]", addresses.join(", "))
}

/// A shipped file with each text replaced. A missing text is an error: the test would otherwise run
/// with other settings than it assumes.
fn changed(file: &str, changes: &[(String, String)]) -> Result<String> {
    let mut text = std::fs::read_to_string(shipped().join(file))?;
    for (shipped, ours) in changes {
        ensure!(text.contains(shipped), "{file} does not contain {shipped}");
        text = text.replace(shipped, ours);
    }
    Ok(text)
}
