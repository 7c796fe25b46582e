//! Open loop: orders at a fixed rate, even if the system does not keep up. Times begin at the
//! moment at which an order was scheduled, so that a system that stalls does not hide the stall by
//! delaying its clients (no coordinated omission).
//!
//! Clients are threads, because a thread wakes up within 0.1 ms, while a timer of the runtime ticks
//! in milliseconds. A thread sends the next order that is due and polls it until it is final.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use hdrhistogram::Histogram;

use super::http::Client;
use testkit::world::World;

/// Most orders in flight. An order beyond it is sent later than scheduled, and its times include
/// the delay.
const CLIENTS: usize = 64;
/// Interval between two polls of an order.
const POLL_INTERVAL: Duration = Duration::from_micros(500);
/// Longest time from an order's placement to its final status.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between the start of the clients and the first order.
const HEAD_START: Duration = Duration::from_millis(200);

/// Times in microseconds, with three significant digits.
pub(crate) type Times = Histogram<u64>;

/// Times of all orders, each from its scheduled moment.
#[derive(Clone, Debug)]
pub(crate) struct OpenLoopTimes {
    /// To the `201`.
    pub(crate) answered: Times,
    /// To the poll that returned a final status.
    pub(crate) settled: Times,
}

impl OpenLoopTimes {
    /// Creates empty histograms.
    ///
    /// # Errors
    /// None in practice: the bounds are constant and valid.
    pub(crate) fn empty() -> Result<OpenLoopTimes> {
        let minute = 60_000_000;
        let answered = Histogram::new_with_bounds(1, minute, 3).map_err(|e| anyhow!("{e}"))?;
        Ok(OpenLoopTimes { settled: answered.clone(), answered })
    }

    /// Adds the times of another load.
    ///
    /// # Errors
    /// None in practice: all histograms have the same bounds.
    pub(crate) fn add(&mut self, other: &OpenLoopTimes) -> Result<()> {
        self.answered.add(&other.answered).map_err(|e| anyhow!("{e}"))?;
        self.settled.add(&other.settled).map_err(|e| anyhow!("{e}"))
    }
}

/// Loads the first order-management with `per_s` orders a second for this long, and waits until
/// each of them is final.
///
/// # Errors
/// If an order is not answered with 201 or does not become final within 30 s.
pub(crate) async fn run(world: &World, per_s: u32, long: Duration) -> Result<OpenLoopTimes> {
    let url = world.url(0, "");
    let address: SocketAddr = url.trim_start_matches("http://").parse().context(url.clone())?;
    let orders = u32::try_from((long * per_s).as_secs())?;
    let every = Duration::from_secs(1) / per_s;
    tokio::task::spawn_blocking(move || all(address, orders, every)).await?
}

/// The state that the clients share.
struct Shared {
    address: SocketAddr,
    begin: Instant,
    every: Duration,
    orders: u32,
    next: AtomicU32,
    times: Mutex<OpenLoopTimes>,
}

fn all(address: SocketAddr, orders: u32, every: Duration) -> Result<OpenLoopTimes> {
    let (begin, next) = (Instant::now() + HEAD_START, AtomicU32::new(0));
    let times = Mutex::new(OpenLoopTimes::empty()?);
    let shared = Shared { address, begin, every, orders, next, times };
    thread::scope(|scope| {
        let clients: std::io::Result<Vec<_>> = (0..CLIENTS)
            .map(|number| {
                let named = thread::Builder::new().name(format!("client {number}"));
                named.spawn_scoped(scope, || shared.client())
            })
            .collect();
        for client in clients? {
            client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(shared.times.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Shared {
    /// Runs one client: order after order, until no more are due.
    fn client(&self) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        let post = post(self.address);
        let mut own = OpenLoopTimes::empty()?;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.orders {
                break;
            }
            let due = self.begin + self.every * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let order = place(&mut client, &post);
            let id = order.with_context(|| format!("order {number} of {}", self.orders))?;
            own.answered.saturating_record(microseconds(due.elapsed()));
            follow(&mut client, &self.get(&id)).with_context(|| format!("order {id}"))?;
            own.settled.saturating_record(microseconds(due.elapsed()));
        }
        self.times.lock().unwrap_or_else(PoisonError::into_inner).add(&own)
    }

    fn get(&self, id: &str) -> Vec<u8> {
        format!("GET /orders/{id} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).into_bytes()
    }
}

fn post(address: SocketAddr) -> Vec<u8> {
    let body = super::order::body();
    format!(
        "POST /orders HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Places an order and returns its id.
fn place(client: &mut Client, request: &[u8]) -> Result<String> {
    let answer = client.exchange(request)?;
    ensure!(answer.status == 201, "answered {}: {}", answer.status, answer.body);
    field(answer.body, "id").map(str::to_owned).context("the answer names no id")
}

/// Polls the order until it is final.
fn follow(client: &mut Client, request: &[u8]) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < SETTLE_TIMEOUT {
        let answer = client.exchange(request)?;
        ensure!(answer.status == 200, "answered {}: {}", answer.status, answer.body);
        if field(answer.body, "status").context("the answer names no status")? != "Pending" {
            return Ok(());
        }
        thread::sleep(POLL_INTERVAL);
    }
    bail!("not final after {SETTLE_TIMEOUT:?}")
}

/// A string of a flat JSON object that needs no unescaping.
fn field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = json.split_once(&format!("\"{name}\":\""))?;
    Some(after.split_once('"')?.0)
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_an_order() {
        let order = "{\"id\":\"0197\",\"customerId\":\"1\",\"status\":\"Pending\"}";
        assert_eq!(field(order, "id"), Some("0197"));
        assert_eq!(field(order, "status"), Some("Pending"));
        assert_eq!(field(order, "reason"), None);
    }
}
