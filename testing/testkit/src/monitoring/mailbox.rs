//! A real SMTP server that keeps every mail in a directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use crate::eventually::wait_for;
use crate::watchdog::{Environment, Guarded, Program};
use crate::{installed, log_file, ports};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// A received mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `Subject`.
    pub subject: String,
    /// `To`.
    pub to: String,
    /// The text.
    pub text: String,
}

/// The server. Dropping it kills it.
#[derive(Debug)]
pub struct Mailbox {
    port: u16,
    mails: PathBuf,
    _process: Guarded,
}

impl Mailbox {
    /// Starts a server on a free port of 127.0.0.1, with its mails in `dir`.
    pub async fn start(dir: &Path) -> Result<Mailbox> {
        let port = ports::free()?;
        let (mails, log) = (dir.join("mails"), dir.join("smtp.log"));
        let process = Guarded::start(&Program {
            path: installed::aiosmtpd()?,
            arguments: [
                "--nosetuid".into(),
                format!("--listen=127.0.0.1:{port}").into(),
                "--class=aiosmtpd.handlers.Mailbox".into(),
                mails.clone().into(),
            ]
            .into(),
            variables: Vec::new(),
            environment: Environment::Inherited,
            log: log.clone(),
            user: None,
            stop_signal: Signal::SIGKILL,
        })?;
        let greeted = wait_for("the mail server", START_DEADLINE, async || greeting(port).await);
        greeted.await.with_context(|| log_file::tail(&log, 20))?;
        Ok(Mailbox { port, mails, _process: process })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails received so far.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let mut mails = Vec::new();
        for entry in std::fs::read_dir(self.mails.join("new"))? {
            let raw = std::fs::read(entry?.path())?;
            mails.push(read(&String::from_utf8_lossy(&raw)));
        }
        Ok(mails)
    }
}

async fn greeting(port: u16) -> Result<()> {
    let mut lines = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?).lines();
    let line = lines.next_line().await?.context("no greeting")?;
    anyhow::ensure!(line.starts_with("220 "), "{line}");
    Ok(())
}

/// Parses a mail of Alertmanager: headers, then one part in quoted-printable.
fn read(raw: &str) -> Mail {
    let raw = raw.replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").unwrap_or((&raw, ""));
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    Mail { subject: header("Subject:"), to: header("To:"), text: unquoted(body) }
}

/// Decodes ASCII in quoted-printable (RFC 2045, 6.7).
fn unquoted(text: &str) -> String {
    text.replace("=\n", "").replace("=3D", "=")
}
