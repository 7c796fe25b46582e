//! Open loop: orders at a fixed rate, whether or not the system keeps up. Times count from the
//! moment at which an order was meant to be sent, so a system that stalls can't hide it by holding
//! up its clients (no coordinated omission).
//!
//! Clients are threads, because a thread wakes up within 0.1 ms and a timer of the runtime ticks in
//! milliseconds. A thread takes the next order that is due, sends it, and asks until it is final.

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

/// How many orders may be on their way at once; later ones are sent late, and that is counted.
const CLIENTS: usize = 64;
/// Between two looks at an order.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// How long one order may take to its end.
const PATIENCE: Duration = Duration::from_secs(30);
/// From the start of the clients to the first order.
const HEAD_START: Duration = Duration::from_millis(200);

/// Times in microseconds, with three digits.
pub(crate) type Times = Histogram<u64>;

/// Times of all orders, from the moment each was meant to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    /// To the `201`.
    pub(crate) answered: Times,
    /// To a look at the order that found it final.
    pub(crate) settled: Times,
}

impl Open {
    /// No times yet.
    ///
    /// # Errors
    /// None that could be seen.
    pub(crate) fn empty() -> Result<Open> {
        let minute = 60_000_000;
        let answered = Histogram::new_with_bounds(1, minute, 3).map_err(|e| anyhow!("{e}"))?;
        Ok(Open { settled: answered.clone(), answered })
    }

    /// Takes in the times of another load.
    ///
    /// # Errors
    /// None that could be seen: all have the same bounds.
    pub(crate) fn add(&mut self, other: &Open) -> Result<()> {
        self.answered.add(&other.answered).map_err(|e| anyhow!("{e}"))?;
        self.settled.add(&other.settled).map_err(|e| anyhow!("{e}"))
    }
}

/// Loads the first order-management with `per_s` orders a second for this long, and waits until
/// each of them is final.
///
/// # Errors
/// If an order is not answered with 201 or does not become final within 30 s.
pub(crate) async fn run(world: &World, per_s: u32, long: Duration) -> Result<Open> {
    let url = world.url(0, "");
    let address: SocketAddr = url.trim_start_matches("http://").parse().context(url.clone())?;
    let orders = u32::try_from((long * per_s).as_secs())?;
    let every = Duration::from_secs(1) / per_s;
    tokio::task::spawn_blocking(move || all(address, orders, every)).await?
}

/// What the clients share.
struct Shared {
    address: SocketAddr,
    begin: Instant,
    every: Duration,
    orders: u32,
    next: AtomicU32,
    times: Mutex<Open>,
}

fn all(address: SocketAddr, orders: u32, every: Duration) -> Result<Open> {
    let (begin, next) = (Instant::now() + HEAD_START, AtomicU32::new(0));
    let times = Mutex::new(Open::empty()?);
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
    /// One client's life: order after order until there are no more.
    fn client(&self) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        let post = post(self.address);
        let mut own = Open::empty()?;
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
    let body = super::body();
    format!(
        "POST /orders HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The order's id.
fn place(client: &mut Client, request: &[u8]) -> Result<String> {
    let answer = client.exchange(request)?;
    ensure!(answer.status == 201, "answered {}: {}", answer.status, answer.body);
    field(answer.body, "id").map(str::to_owned).context("the answer names no id")
}

/// Asks until the order is final.
fn follow(client: &mut Client, request: &[u8]) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let answer = client.exchange(request)?;
        ensure!(answer.status == 200, "answered {}: {}", answer.status, answer.body);
        if field(answer.body, "status").context("the answer names no status")? != "Pending" {
            return Ok(());
        }
        thread::sleep(LOOK_EVERY);
    }
    bail!("not final after {PATIENCE:?}")
}

/// A text in a flat JSON object that needs no unescaping.
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
