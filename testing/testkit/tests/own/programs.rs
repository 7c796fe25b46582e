//! The programs of the test kit, on other people's machines.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(120);
const PROGRAMS: [&str; 2] =
    [env!("CARGO_BIN_EXE_ordermill-local"), env!("CARGO_BIN_EXE_ordermill-world")];

#[tokio::test]
async fn help_is_printed_and_nothing_is_started() {
    for program in PROGRAMS {
        for (argument, success) in [("--help", true), ("--version", true), ("--port=1", false)] {
            let run = Command::new(program).arg(argument).kill_on_drop(true).output();
            let output = timeout(DEADLINE, run).await.expect("the program ends").unwrap();
            assert_eq!(output.status.success(), success, "{program} {argument}: {output:?}");
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("starting"), "{program} {argument}: {text}");
        }
    }
}

#[tokio::test]
async fn a_proxy_for_other_machines_is_not_asked_about_this_one() {
    let mut world = Command::new(PROGRAMS[1])
        .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(world.stdout.take().unwrap()).lines();
    let first = timeout(DEADLINE, lines.next_line()).await.expect("a world in time").unwrap();
    assert!(first.is_some_and(|line| line.starts_with("http://127.0.0.1:")));
    drop(world.stdin.take());
    assert!(timeout(DEADLINE, world.wait()).await.expect("the world ends").unwrap().success());
}
