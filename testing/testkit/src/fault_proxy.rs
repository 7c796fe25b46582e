//! A TCP proxy on loopback between a service and a server, which fails on command.

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

/// Bytes per read.
const CHUNK_BYTES: usize = 16 * 1024;
/// Most delayed chunks in one direction of one connection.
const CHUNKS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Data passes after this delay.
    Open { delay: Duration },
    /// Connections stay open, and no data passes.
    BlackHole,
    /// Every connection is reset.
    Cut,
}

#[derive(Clone, Copy, Debug)]
struct State {
    line: Line,
    /// Number of cuts. A connection that began under a lower number ends, even if the line was
    /// healed before the connection's task noticed the cut.
    cuts: u64,
    /// Number of times at which all open connections were silenced for good.
    silenced: u64,
}

/// A running proxy, on a thread of its own so that a blocking test does not delay it. Dropping it
/// closes all its connections.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    state: Option<watch::Sender<State>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Listens on a free port of loopback and forwards to `target_port` there. The target need not
    /// listen yet.
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

    /// The port to connect to instead of the target's.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection, and each new one immediately, until [`FaultProxy::heal`].
    pub fn cut(&self) {
        self.change(|state| {
            *state = State { line: Line::Cut, cuts: state.cuts + 1, silenced: state.silenced };
        });
    }

    /// Resets every connection; new ones pass.
    pub fn cut_once(&self) {
        self.change(|state| state.cuts += 1);
    }

    /// Keeps all connections and accepts new ones, but forwards nothing in either direction until
    /// [`FaultProxy::heal`]; then the withheld data arrives, as after a lost route.
    pub fn black_hole(&self) {
        self.change(|state| state.line = Line::BlackHole);
    }

    /// Keeps all connections, and never forwards on them again; new ones pass. This simulates a
    /// router that loses its connection table.
    pub fn black_hole_once(&self) {
        self.change(|state| state.silenced += 1);
    }

    /// Delays all data in each direction; order and throughput stay.
    pub fn delay(&self, delay: Duration) {
        self.change(|state| state.line = Line::Open { delay });
    }

    /// Ends every fault.
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

/// One connection's view of the line.
#[derive(Clone)]
struct Gate {
    state: watch::Receiver<State>,
    /// The numbers of cuts and silencings when the connection began.
    begun_under: State,
}

impl Gate {
    fn new(state: watch::Receiver<State>) -> Gate {
        let begun_under = *state.borrow();
        Gate { state, begun_under }
    }

    /// Waits until the connection is cut; returns false if the proxy ends first.
    async fn cut(&mut self) -> bool {
        let cuts = self.begun_under.cuts;
        self.state.wait_for(|now| now.line == Line::Cut || now.cuts != cuts).await.is_ok()
    }

    /// Waits until the line is open and returns its delay; never returns on a silenced connection.
    async fn open(&mut self) -> std::io::Result<Duration> {
        let silenced = self.begun_under.silenced;
        let passes =
            |now: &State| matches!(now.line, Line::Open { .. }) && now.silenced == silenced;
        let open = self.state.wait_for(passes).await;
        match open.map(|now| now.line) {
            Ok(Line::Open { delay }) => Ok(delay),
            Ok(Line::BlackHole | Line::Cut) | Err(_) => {
                Err(std::io::ErrorKind::NotConnected.into())
            }
        }
    }
}

/// Both sockets of a connection.
struct Ends {
    client: TcpStream,
    server: Option<TcpStream>,
}

async fn connect_through(client: TcpStream, target: SocketAddr, state: watch::Receiver<State>) {
    let gate = Gate::new(state);
    let mut ends = Ends { client, server: None };
    let mut cutter = gate.clone();
    let broken = tokio::select! {
        biased;
        cut = cutter.cut() => cut,
        carried = carry(&mut ends, target, gate) => carried.is_err(),
    };
    if broken {
        for end in std::iter::once(&ends.client).chain(&ends.server) {
            // With a linger time of zero, closing sends a reset. If the option can't be set, the
            // socket is dead already.
            end.set_zero_linger().ok();
        }
    }
}

/// Connects to the target and forwards until both sides have closed.
async fn carry(ends: &mut Ends, target: SocketAddr, mut gate: Gate) -> std::io::Result<()> {
    gate.open().await?;
    let Ends { client, server } = ends;
    let server = server.insert(TcpStream::connect(target).await?);
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(
        one_way(from_client, to_server, gate.clone()),
        one_way(from_server, to_client, gate),
    )?;
    Ok(())
}

async fn one_way(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut gate: Gate,
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
            let delay = gate.open().await?;
            sleep_until(sent_at + delay).await;
            gate.open().await?;
            to.write_all(&chunk).await?;
        }
        gate.open().await?;
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}
