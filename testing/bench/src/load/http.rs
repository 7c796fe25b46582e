//! As little of an HTTP/1.1 client as costs next to nothing beside what it measures: one blocking
//! connection, requests written as they are, answers with a `Content-Length`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nothing that is asked for here has an answer as long as this.
const ANSWER_MAX: usize = 64 * 1024;

/// A connection that is kept.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    /// The last answer, from its first byte.
    buffer: Vec<u8>,
}

/// An answer, as long as the next request is not sent.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a str,
}

impl Client {
    /// # Errors
    /// If nobody listens there.
    pub(super) fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { stream, buffer: Vec::new() })
    }

    /// Sends a request and reads its answer. After an error the connection is of no use.
    ///
    /// # Errors
    /// If the connection fails or is silent for 10 s, or if the answer is not understood.
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

/// What is in front of a body, and where that ends.
#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    body_at: usize,
    end: usize,
}

/// Nothing while the head is not complete.
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
    fn a_head_tells_the_status_and_where_the_answer_ends() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\nLocation: /x\r\n\r\n{\"a\":1}";
        let found = head(answer).unwrap().unwrap();
        assert_eq!((found.status, found.end), (201, answer.len()));
        assert_eq!(head(b"HTTP/1.1 201 Created\r\nContent-").unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
