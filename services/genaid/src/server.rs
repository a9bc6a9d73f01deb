//! The socket: who may connect, how much, and what happens when they go away.

use std::io::BufReader;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use genai_protocol::{ErrorCode, Event, Reply, Request};

use crate::service::{Peer, Service};

/// A client that does not read for so long is let go.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes connections, for ever.
pub fn run(listener: &UnixListener, service: &Arc<Service>) {
    let open = Arc::new(AtomicUsize::new(0));
    let numbers = AtomicU64::new(1);
    for stream in listener.incoming() {
        let stream = match stream {
            Ok(s) => s,
            Err(e) => {
                // For example no more descriptors: some become free.
                tracing::warn!("taking a connection: {e}");
                std::thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        if open.load(Ordering::Relaxed) >= service.limits().connections {
            let reply = Reply { id: 0, event: Event::Error { code: ErrorCode::Limit, message: "too many connections".to_owned() } };
            let _ = genai_protocol::write_line(&mut &stream, &reply);
            continue;
        }
        open.fetch_add(1, Ordering::Relaxed);
        let (service, open) = (Arc::clone(service), Arc::clone(&open));
        let connection = numbers.fetch_add(1, Ordering::Relaxed);
        std::thread::spawn(move || {
            if let Err(e) = serve(stream, connection, &service) {
                tracing::debug!("a connection ended: {e}");
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

fn serve(stream: UnixStream, connection: u64, service: &Arc<Service>) -> std::io::Result<()> {
    let uid = rustix::net::sockopt::socket_peercred(&stream)?.uid.as_raw();
    let peer = Peer { uid, connection };
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let writer = Arc::new(Mutex::new(stream.try_clone()?));
    let sink_of = |id: u64| {
        let writer = Arc::clone(&writer);
        Box::new(move |event: Event| {
            let mut stream = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if genai_protocol::write_line(&mut *stream, &Reply { id, event }).is_err() {
                // Gone, or deaf: the reader sees the end and drops the rest of its requests.
                let _ = stream.shutdown(std::net::Shutdown::Both);
            }
        })
    };
    let mut reader = BufReader::new(stream);
    let result = loop {
        match genai_protocol::read_line(&mut reader) {
            Ok(Some(line)) => match serde_json::from_slice::<Request>(&line) {
                Ok(request) => service.submit(peer, request.id, request.op, sink_of(request.id)),
                Err(e) => {
                    let id = serde_json::from_slice::<serde_json::Value>(&line).ok().and_then(|v| v.get("id").and_then(serde_json::Value::as_u64)).unwrap_or(0);
                    sink_of(id)(Event::Error { code: ErrorCode::BadRequest, message: format!("this is no request: {e}") });
                }
            },
            Ok(None) => break Ok(()),
            Err(e) => {
                sink_of(0)(Event::Error { code: ErrorCode::Limit, message: e.to_string() });
                break Err(e);
            }
        }
    };
    service.cancel(peer, None);
    result
}
