//! Nothing outlives a test run that was killed.
//!
//! The victim is this test binary itself, started once more for one ignored "test" that starts
//! everything and then waits to be killed.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::processes::{Process, ProcessSpec};
use testkit::scratch_dir::ScratchDir;
use testkit::{eventually, process_table, servers};

const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn servers_processes_and_files_go_when_their_owner_is_killed() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "own::watchdog::owner_to_be_killed", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let dirs: Vec<String> = lines
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|line| line.rsplit_once("DIR ").map(|(_, dir)| dir.to_owned()))
        .take(2)
        .collect();
    assert_eq!(dirs.len(), 2, "the owner did not start");
    let using = |dir: &str| {
        let all = process_table::all();
        all.into_iter().filter(|process| process.command.contains(dir)).collect::<Vec<_>>()
    };
    assert!(dirs.iter().all(|dir| !using(dir).is_empty()));

    owner.kill().unwrap();
    owner.wait().unwrap();

    for dir in &dirs {
        eventually("every process and the directory to be gone", DEADLINE, async || {
            let left = using(dir);
            if left.is_empty() && !std::fs::exists(dir).unwrap() { Ok(()) } else { Err(left) }
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "started by the test above, and killed by it"]
async fn owner_to_be_killed() {
    let servers = servers::shared().await;
    let dir = ScratchDir::new().unwrap();
    let service = sleeper(&dir);
    println!("\nDIR {}", servers.postgres.log().parent().unwrap().parent().unwrap().display());
    println!("DIR {}", dir.path().display());
    service.wait_exit(DEADLINE).await.unwrap();
}

/// Any program that mentions the directory in its command line and lives until it is ended.
fn sleeper(dir: &ScratchDir) -> Process {
    let script = dir.path().join("sleeper");
    let waits = "#!/bin/sh\necho sleeping\nmkfifo $0.end 2>/dev/null\nread -r _ <>$0.end\n";
    std::fs::write(&script, waits).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    Process::start(ProcessSpec {
        name: "sleeper".into(),
        binary: script,
        variables: Vec::new(),
        ops_port: testkit::ports::free().unwrap(),
        log: dir.path().join("log"),
    })
    .unwrap()
}

#[tokio::test]
async fn a_process_tells_how_it_ended_and_what_it_said() {
    let dir = ScratchDir::new().unwrap();
    let process = sleeper(&dir);
    eventually("its first words", DEADLINE, async || process.log_contains("sleeping")).await;

    process.sigstop().unwrap();
    process.sigcont().unwrap();
    assert!(process.is_running());
    process.sigterm().unwrap();
    assert_eq!(process.wait_exit(DEADLINE).await.unwrap().code(), Some(128 + 15));

    process.start_again().unwrap();
    process.sigkill().await.unwrap();
    assert_eq!(process.wait_exit(DEADLINE).await.unwrap().code(), Some(128 + 9));
    assert!(!process.is_running());
}
