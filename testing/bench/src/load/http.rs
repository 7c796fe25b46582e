//! A minimal HTTP/1.1 client, which costs little beside the measured services: one blocking
//! connection, requests written as they are, answers with a `Content-Length`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Timeout of one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bound of one answer in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// A keep-alive connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    /// The last answer, from its first byte.
    buffer: Vec<u8>,
}

/// An answer, valid until the next request is sent.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a str,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If no server listens at the address.
    pub(super) fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Client { stream, buffer: Vec::new() })
    }

    /// Sends a request and reads its answer. After an error the connection is unusable.
    ///
    /// # Errors
    /// If the connection fails or is silent for 10 s, or if the answer is malformed.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).context("send a request")?;
        self.buffer.clear();
        loop {
            self.receive()?;
            let Some(head) = head(&self.buffer)? else { continue };
            while self.buffer.len() < head.end {
                self.receive()?;
            }
            let body = self.buffer.get(head.body_at..head.end).context("the answer is cut off")?;
            return Ok(Answer { status: head.status, body: std::str::from_utf8(body)? });
        }
    }

    fn receive(&mut self) -> Result<()> {
        let mut some = [0; 4096];
        let count = self.stream.read(&mut some).context("wait for an answer")?;
        ensure!(count > 0, "the connection was closed");
        self.buffer.extend(some.iter().take(count));
        ensure!(self.buffer.len() <= ANSWER_MAX, "an answer is longer than {ANSWER_MAX} bytes");
        Ok(())
    }
}

/// The status of an answer, and the position of its body.
#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    body_at: usize,
    end: usize,
}

/// Parses the head; `None` while it is incomplete.
fn head(buffer: &[u8]) -> Result<Option<Head>> {
    let Some(length) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(buffer.get(..length).unwrap_or_default())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok()).context("no HTTP status")?;
    let body_length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body_at = length + 4;
    let end = body_at + body_length.context("an answer without Content-Length")?;
    Ok(Some(Head { status, body_at, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_contains_the_status_and_the_end_of_the_answer() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\nLocation: /x\r\n\r\n{\"a\":1}";
        let found = head(answer).unwrap().unwrap();
        assert_eq!((found.status, found.end), (201, answer.len()));
        assert_eq!(head(b"HTTP/1.1 201 Created\r\nContent-").unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
