//! A TCP proxy on loopback that stands between a service and a server and breaks on command.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks under way in one direction of one connection while they are delayed.
const CHUNKS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Everything passes, this much later.
    Open { delay: Duration },
    /// Connections stay, nothing passes.
    BlackHole,
    /// No connection lives.
    Cut,
}

#[derive(Clone, Copy, Debug)]
struct State {
    line: Line,
    /// How often connections were cut. One that began under another count is to end, also if the
    /// line was healed again before it looked.
    cuts: u64,
    /// How often the connections of the time were silenced for good.
    silenced: u64,
}

/// A running proxy, on a thread of its own so that a test that blocks does not hold it up.
/// Dropping it closes all its connections.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    state: Option<watch::Sender<State>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Listens on a free port of loopback and passes everything on to `target_port` there. The
    /// target need not listen yet.
    pub fn start(target_port: u16) -> Result<FaultProxy> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, target_port));
        let clear = State { line: Line::Open { delay: Duration::ZERO }, cuts: 0, silenced: 0 };
        let (state, seen) = watch::channel(clear);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread =
            std::thread::Builder::new().name(format!("proxy-{port}")).spawn(move || {
                runtime.block_on(async {
                    if let Ok(listener) = TcpListener::from_std(listener) {
                        accept_all(listener, target, seen).await;
                    }
                });
            })?;
        Ok(FaultProxy { port, state: Some(state), thread: Some(thread) })
    }

    /// Where to connect to instead of the target.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection, and every new one at once, until [`FaultProxy::heal`].
    pub fn cut(&self) {
        self.change(|state| {
            *state = State { line: Line::Cut, cuts: state.cuts + 1, silenced: state.silenced };
        });
    }

    /// Resets every connection; new ones pass.
    pub fn cut_once(&self) {
        self.change(|state| state.cuts += 1);
    }

    /// Keeps all connections and accepts new ones, but passes nothing either way until
    /// [`FaultProxy::heal`]; then what was held back arrives, as after a lost route.
    pub fn black_hole(&self) {
        self.change(|state| state.line = Line::BlackHole);
    }

    /// Keeps all connections, and passes nothing on any of them ever again; new ones pass. So it looks
    /// when a router on the way forgets the connections it knew.
    pub fn black_hole_once(&self) {
        self.change(|state| state.silenced += 1);
    }

    /// Everything arrives this much later, each way; order and throughput stay.
    pub fn delay(&self, delay: Duration) {
        self.change(|state| state.line = Line::Open { delay });
    }

    /// Everything passes at once again.
    pub fn heal(&self) {
        self.delay(Duration::ZERO);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Some(state) = &self.state {
            state.send_modify(change);
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state = None;
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            eprintln!("the proxy on port {} had panicked", self.port);
        }
    }
}

async fn accept_all(listener: TcpListener, target: SocketAddr, mut state: watch::Receiver<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(connect_through(client, target, state.clone()));
                }
            }
            _ = connections.join_next(), if !connections.is_empty() => {}
            owner = state.changed() => if owner.is_err() { return },
        }
    }
}

async fn connect_through(client: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    let begun_under = *state.borrow();
    let mut ends = (client, None);
    let cut = async |state: &mut watch::Receiver<State>| {
        state.wait_for(|now| now.line == Line::Cut || now.cuts != begun_under.cuts).await.is_ok()
    };
    let mut watched = state.clone();
    let broken = tokio::select! {
        biased;
        cut = cut(&mut watched) => cut,
        carried = carry(&mut ends, target, &mut state) => carried.is_err(),
    };
    if broken {
        let (client, server) = &ends;
        for end in std::iter::once(client).chain(server) {
            // Without lingering, closing sends a reset. If it can't be set, the end is dead.
            end.set_zero_linger().ok();
        }
    }
}

/// Connects to the target and passes everything on until both sides have closed.
async fn carry(
    (client, server): &mut (TcpStream, Option<TcpStream>),
    target: SocketAddr,
    state: &mut watch::Receiver<State>,
) -> std::io::Result<()> {
    let begun_under = state.borrow().silenced;
    until_open(state, begun_under).await?;
    let server = server.insert(TcpStream::connect(target).await?);
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(
        one_way(from_client, to_server, (state.clone(), begun_under)),
        one_way(from_server, to_client, (state.clone(), begun_under)),
    )?;
    Ok(())
}

async fn one_way(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    (mut state, begun_under): (watch::Receiver<State>, u64),
) -> std::io::Result<()> {
    let (under_way, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let read = async {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            if from.read_buf(&mut chunk).await? == 0 {
                drop(under_way);
                return Ok::<_, std::io::Error>(());
            }
            if under_way.send((Instant::now(), chunk)).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async {
        while let Some((sent_at, chunk)) = arriving.recv().await {
            let delay = until_open(&mut state, begun_under).await?;
            sleep_until(sent_at + delay).await;
            until_open(&mut state, begun_under).await?;
            to.write_all(&chunk).await?;
        }
        until_open(&mut state, begun_under).await?;
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}

/// The delay under which things pass, as soon as they pass: never on a connection that was silenced.
async fn until_open(
    state: &mut watch::Receiver<State>,
    begun_under: u64,
) -> std::io::Result<Duration> {
    let passes = |now: &State| matches!(now.line, Line::Open { .. }) && now.silenced == begun_under;
    let open = state.wait_for(passes).await;
    match open.map(|now| now.line) {
        Ok(Line::Open { delay }) => Ok(delay),
        Ok(Line::BlackHole | Line::Cut) | Err(_) => Err(std::io::ErrorKind::NotConnected.into()),
    }
}
