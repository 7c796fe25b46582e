//! Files for other people's platforms agree with each other.

use super::sources::{none, read};

/// The value behind the first `key` in `text`, up to the end of the line.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim)
}

/// The lines of one service in docker-compose.yml.
fn service<'a>(compose: &'a str, name: &str) -> Vec<&'a str> {
    let heading = format!("  {name}:");
    let lines = compose.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.starts_with("   ") || line.is_empty()).collect()
}

#[test]
fn prometheus_asks_each_program_under_a_name_that_it_allows() {
    let (compose, prometheus) =
        (read("docker-compose.yml"), read("deploy/monitoring/prometheus/prometheus.yml"));
    let targets =
        prometheus.split("targets: [\"").skip(1).filter_map(|rest| rest.split(':').next());
    let mut found = Vec::new();
    for name in targets {
        let lines = service(&compose, name);
        let ours = lines.iter().any(|line| line.contains("image: ordermill-"));
        let allowed = lines.iter().find_map(|line| line.trim().strip_prefix("OPS_ALLOWED_HOSTS: "));
        let allowed = allowed.is_some_and(|names| names.split(',').any(|n| n.trim() == name));
        if ours && !allowed {
            found.push(format!(
                "docker-compose.yml: OPS_ALLOWED_HOSTS of {name} does not list {name}"
            ));
        }
    }
    none("an ops port answers Prometheus", &found);
    assert!(!service(&compose, "auditor").is_empty());
}

#[test]
fn the_data_of_postgresql_is_in_its_volume_in_every_version() {
    let compose = read("docker-compose.yml");
    let dir = value(&compose, "PGDATA:").expect("PGDATA in docker-compose.yml");
    assert!(compose.contains(&format!("volumes: [\"postgres:{dir}\"]")), "{dir} is not the volume");
}

#[test]
fn migrations_have_line_feeds_in_every_checkout() {
    let rules = read(".gitattributes");
    assert!(rules.lines().any(|line| line == "*.sql text eol=lf"), "{rules}");
}

#[test]
fn the_images_listen_over_ipv6_and_ipv4() {
    let dockerfile = read("Dockerfile");
    for name in ["BIND_ADDRESS", "OPS_BIND_ADDRESS"] {
        assert!(dockerfile.contains(&format!(" {name}=::")), "{name}");
    }
}
