//! Connections: the kernel's streams on one side, TCP on the other.

use crate::ended::Ended;
use net_abi::{ACCEPTED, ROOM, TcpOptions, ToKernel};
use smoltcp::iface::{Context, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::IpListenEndpoint;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

/// For how long a connection is asked for (Linux: six repetitions).
const CONNECT_LIMIT: Duration = Duration::from_secs(127);
/// For how long the other side may say nothing to what was sent (Linux: fifteen repetitions).
const SILENCE_LIMIT: Duration = Duration::from_secs(924);
/// For how long the other side may leave its part of the handshake undone.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
/// Connections in the handshake, at most.
const MOST_HALF_OPEN: usize = 512;
/// So much new room is worth telling the kernel.
const ROOM_ENOUGH: u32 = ROOM / 4;

struct Connection {
    handle: SocketHandle,
    local: SocketAddr,
    remote: SocketAddr,
    /// The handshake is done, and the kernel knows.
    is_established: bool,
    /// Bytes that the kernel takes.
    kernel_room: u32,
    /// Bytes that the kernel may still send.
    granted: u32,
    /// No more will be written.
    has_finished: bool,
    /// The kernel has heard that the peer has finished.
    has_told_end: bool,
    /// No program has it any more.
    is_left: bool,
    options: TcpOptions,
}

/// All connections, and the ports that take some.
#[derive(Default)]
pub struct Connections {
    all: BTreeMap<u64, Connection>,
    listeners: HashMap<u64, (SocketAddr, bool)>,
    /// Connections, by their addresses (ours, the peer's), in the handshake that the peer has begun.
    half_open: HashMap<(SocketAddr, SocketAddr), u64>,
    /// Peers that have reset a connection since the last look.
    resets: HashSet<(SocketAddr, SocketAddr)>,
    ended: Ended,
    next: u64,
}

fn new_socket(options: &TcpOptions) -> Socket<'static> {
    let buffer = || SocketBuffer::new(vec![0; ROOM as usize]);
    let mut socket = Socket::new(buffer(), buffer());
    socket.set_congestion_control(CongestionControl::Cubic);
    apply(&mut socket, options);
    socket
}

fn apply(socket: &mut Socket<'_>, options: &TcpOptions) {
    socket.set_nagle_enabled(!options.no_delay);
    let keep_alive = Some(options.keep_alive_s).filter(|it| *it != 0);
    socket.set_keep_alive(keep_alive.map(|it| Duration::from_secs(it.into())));
    socket.set_hop_limit(Some(options.hop_limit.max(1)));
}

impl Connection {
    fn new(handle: SocketHandle, local: SocketAddr, remote: SocketAddr, options: TcpOptions) -> Self {
        Self {
            handle,
            local,
            remote,
            is_established: false,
            kernel_room: ROOM,
            granted: ROOM,
            has_finished: false,
            has_told_end: false,
            is_left: false,
            options,
        }
    }

    /// How long the other side may be silent once it is established.
    fn silence(&self) -> Duration {
        match self.options.user_timeout_ms {
            0 => SILENCE_LIMIT,
            ms => Duration::from_millis(ms.into()),
        }
    }
}

impl Connections {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Connects; `Err` holds Linux's error number.
    pub fn connect(
        &mut self,
        id: u64,
        (local, remote): (SocketAddr, SocketAddr),
        options: TcpOptions,
        context: &mut Context,
        sockets: &mut SocketSet<'_>,
    ) -> Result<(), i32> {
        let mut socket = new_socket(&options);
        socket.set_timeout(Some(CONNECT_LIMIT));
        socket.connect(context, remote, local).map_err(|_| libc::EADDRNOTAVAIL)?;
        self.ended.forget((local, remote));
        let handle = sockets.add(socket);
        self.all.insert(id, Connection::new(handle, local, remote, options));
        Ok(())
    }

    /// Takes connections to an address.
    pub fn listen(&mut self, id: u64, local: SocketAddr, only_v6: bool) {
        self.listeners.insert(id, (local, only_v6));
    }

    /// Takes them no more.
    pub fn unlisten(&mut self, id: u64) {
        self.listeners.remove(&id);
    }

    fn is_listened_to(&self, to: SocketAddr) -> bool {
        self.listeners.values().any(|(local, only_v6)| {
            let fits = match (local.ip(), to.ip()) {
                (IpAddr::V4(mine), IpAddr::V4(ip)) => mine.is_unspecified() || mine == ip,
                (IpAddr::V6(mine), IpAddr::V6(ip)) => mine.is_unspecified() || mine == ip,
                (IpAddr::V6(mine), IpAddr::V4(_)) => mine.is_unspecified() && !only_v6,
                _ => false,
            };
            fits && local.port() == to.port()
        })
    }

    /// A request for a connection is about to come in: makes what will take it.
    pub fn expect(&mut self, from: SocketAddr, to: SocketAddr, sockets: &mut SocketSet<'_>) -> Option<u64> {
        let has_room = self.half_open.len() < MOST_HALF_OPEN && !self.half_open.contains_key(&(to, from));
        if !has_room || !self.is_listened_to(to) {
            return None;
        }
        // One that has ended and is only remembered makes room for its successor.
        let old = self.all.iter().find(|(_, it)| it.local == to && it.remote == from).map(|(id, it)| (*id, it.handle));
        if let Some((id, handle)) = old {
            if !matches!(sockets.get::<Socket<'_>>(handle).state(), State::TimeWait | State::Closed) {
                return None;
            }
            self.forget(id, sockets);
        }
        let options = TcpOptions { hop_limit: 64, ..TcpOptions::default() };
        let mut socket = new_socket(&options);
        socket.set_timeout(Some(HANDSHAKE_LIMIT));
        socket.listen(IpListenEndpoint { addr: Some(to.ip().into()), port: to.port() }).ok()?;
        let handle = sockets.add(socket);
        self.next += 1;
        let id = ACCEPTED | self.next;
        self.all.insert(id, Connection::new(handle, to, from, options));
        self.half_open.insert((to, from), id);
        self.ended.forget((to, from));
        Some(id)
    }

    /// The request has come in: one that the protocol did not take leaves nothing.
    pub fn settle(&mut self, id: u64, sockets: &mut SocketSet<'_>) {
        let is_unused = self.all.get(&id).is_some_and(|it| sockets.get::<Socket<'_>>(it.handle).is_listening());
        if is_unused {
            self.forget(id, sockets);
        }
    }

    /// A peer resets a connection.
    pub fn hear_reset(&mut self, from: SocketAddr, to: SocketAddr) {
        self.resets.insert((to, from));
        self.ended.forget((to, from));
    }

    /// Whether a segment is for a connection that has ended a short time ago.
    pub fn has_ended(&self, from: SocketAddr, to: SocketAddr, now: Instant) -> bool {
        self.ended.holds((to, from), now)
    }

    fn forget(&mut self, id: u64, sockets: &mut SocketSet<'_>) {
        if let Some(gone) = self.all.remove(&id) {
            self.half_open.remove(&(gone.local, gone.remote));
            sockets.remove(gone.handle);
        }
    }

    /// Bytes to be sent. The kernel keeps to what it was told to have room for.
    pub fn send(&mut self, id: u64, bytes: &[u8], sockets: &mut SocketSet<'_>) {
        let Some(connection) = self.all.get_mut(&id) else { return };
        connection.granted = connection.granted.saturating_sub(bytes.len() as u32);
        let socket = sockets.get_mut::<Socket<'_>>(connection.handle);
        let sent = socket.send_slice(bytes);
        if socket.is_active() && sent != Ok(bytes.len()) {
            tracing::error!("{} bytes to {} do not fit: {sent:?}", bytes.len(), connection.remote);
            socket.abort();
        }
    }

    /// No more bytes will follow.
    pub fn finish(&mut self, id: u64, sockets: &mut SocketSet<'_>) {
        if let Some(connection) = self.all.get_mut(&id) {
            connection.has_finished = true;
            sockets.get_mut::<Socket<'_>>(connection.handle).close();
        }
    }

    /// No program has it any more.
    pub fn leave(&mut self, id: u64, sockets: &mut SocketSet<'_>) {
        if let Some(connection) = self.all.get_mut(&id) {
            connection.is_left = true;
            let silence = connection.silence();
            let socket = sockets.get_mut::<Socket<'_>>(connection.handle);
            socket.close();
            // Linux forgets one that waits for the peer's end after a minute.
            socket.set_timeout(Some(silence.min(Duration::from_secs(60))));
        }
    }

    /// It is reset.
    pub fn abort(&mut self, id: u64, sockets: &mut SocketSet<'_>) {
        if let Some(connection) = self.all.get_mut(&id) {
            connection.is_left = true;
            sockets.get_mut::<Socket<'_>>(connection.handle).abort();
        }
    }

    /// The program has read bytes.
    pub fn add_kernel_room(&mut self, id: u64, bytes: u32) {
        if let Some(connection) = self.all.get_mut(&id) {
            connection.kernel_room = connection.kernel_room.saturating_add(bytes);
        }
    }

    /// Sets options.
    pub fn set_options(&mut self, id: u64, options: TcpOptions, sockets: &mut SocketSet<'_>) {
        if let Some(connection) = self.all.get_mut(&id) {
            connection.options = options;
            let silence = connection.is_established.then(|| connection.silence());
            let socket = sockets.get_mut::<Socket<'_>>(connection.handle);
            apply(socket, &options);
            if silence.is_some() {
                socket.set_timeout(silence);
            }
        }
    }

    /// Somebody says that a connection in the making cannot be: tells the kernel.
    pub fn fail_connecting(&mut self, is_it: impl Fn(SocketAddr, SocketAddr) -> bool, errno: i32, sockets: &mut SocketSet<'_>, out: &mut Vec<u8>) {
        let failed: Vec<u64> = self.all.iter().filter(|(id, it)| *id & ACCEPTED == 0 && !it.is_established && is_it(it.local, it.remote)).map(|(id, _)| *id).collect();
        for id in failed {
            ToKernel::Failed(errno as u32).encode(id, out);
            self.forget(id, sockets);
        }
    }

    /// Moves what has come to the kernel, and tells it what has happened. Whether anything was read, so that windows have opened.
    pub fn pump(&mut self, now: Instant, sockets: &mut SocketSet<'_>, out: &mut Vec<u8>) -> bool {
        let mut has_read = false;
        let mut gone = Vec::new();
        for (id, connection) in &mut self.all {
            let socket = sockets.get_mut::<Socket<'_>>(connection.handle);
            let state = socket.state();
            if !connection.is_established && !matches!(state, State::SynSent | State::SynReceived | State::Listen | State::Closed) {
                connection.is_established = true;
                socket.set_timeout(Some(connection.silence()));
                if id & ACCEPTED == 0 {
                    ToKernel::Connected.encode(*id, out);
                } else {
                    ToKernel::Accepted { local: connection.local, remote: connection.remote }.encode(*id, out);
                    self.half_open.remove(&(connection.local, connection.remote));
                }
            }
            while connection.kernel_room > 0 && socket.can_recv() && !connection.is_left {
                let room = connection.kernel_room as usize;
                let taken = socket.recv(|bytes| {
                    let len = bytes.len().min(room);
                    ToKernel::Data(&bytes[..len]).encode(*id, out);
                    (len, len)
                });
                let Ok(taken) = taken else { break };
                connection.kernel_room -= taken as u32;
                has_read = true;
            }
            if connection.is_left && socket.recv_queue() > 0 {
                // Nobody will read this.
                socket.abort();
            }
            let is_at_end = matches!(state, State::CloseWait | State::LastAck | State::Closing | State::TimeWait) && !socket.can_recv();
            if is_at_end && !connection.has_told_end {
                connection.has_told_end = true;
                ToKernel::Finished.encode(*id, out);
            }
            if connection.is_established && !connection.has_finished {
                let used = socket.send_queue() as u32 + connection.granted;
                let free = ROOM.saturating_sub(used);
                if free >= ROOM_ENOUGH {
                    connection.granted += free;
                    ToKernel::Room(free).encode(*id, out);
                }
            }
            match socket.state() {
                State::Closed => {
                    let was_reset = self.resets.contains(&(connection.local, connection.remote));
                    let is_clean = connection.has_finished && connection.has_told_end && !was_reset;
                    if !connection.is_left && !is_clean {
                        let errno = match (was_reset, connection.is_established) {
                            (true, false) => libc::ECONNREFUSED,
                            (true, true) => libc::ECONNRESET,
                            (false, _) => libc::ETIMEDOUT,
                        };
                        ToKernel::Failed(errno as u32).encode(*id, out);
                        gone.push(*id);
                    } else if connection.is_left && socket.remote_endpoint().is_none() {
                        gone.push(*id);
                    }
                }
                State::TimeWait if connection.is_left => {
                    self.ended.add((connection.local, connection.remote), now);
                    gone.push(*id);
                }
                // The peer has taken its request back.
                State::Listen => gone.push(*id),
                _ => {}
            }
        }
        self.resets.clear();
        for id in gone {
            self.forget(id, sockets);
        }
        has_read
    }
}
