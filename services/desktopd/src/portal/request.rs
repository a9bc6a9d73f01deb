//! Requests: objects that tell a program the outcome of what it has asked for. A program that leaves the bus, or takes its request back, ends it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_lite::StreamExt;
use tokio::sync::{Notify, Semaphore};
use zbus::message::Header;
use zbus::names::OwnedUniqueName;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, Value};
use zbus::{Connection, fdo};

use super::PATH;

/// Requests that are worked on at once, of all programs. Each may have a window.
const MOST: usize = 8;
/// Bytes of what a program wants its request to be called.
const TOKEN: usize = 64;

/// What a program is told.
#[derive(Debug)]
pub enum Outcome {
    /// It is done; what came of it.
    Done(HashMap<&'static str, Value<'static>>),
    /// The user did not want it.
    Cancelled,
    /// It could not be done.
    Failed,
}

/// All requests.
#[derive(Debug, Clone)]
pub struct Requests {
    bus: Connection,
    room: Arc<Semaphore>,
    last: Arc<AtomicU64>,
}

/// One.
struct Request {
    owner: OwnedUniqueName,
    closed: Arc<Notify>,
}

#[zbus::interface(name = "org.freedesktop.portal.Request")]
impl Request {
    /// The program does not want it any more.
    fn close(&self, #[zbus(header)] header: Header<'_>) -> fdo::Result<()> {
        if header.sender() != Some(&*self.owner) {
            return Err(fdo::Error::AccessDenied("it is another program's request".into()));
        }
        self.closed.notify_one();
        Ok(())
    }

    /// It has ended: 0 where it is done, 1 where the user did not want it, 2 otherwise.
    #[zbus(signal)]
    async fn response(emitter: &SignalEmitter<'_>, response: u32, results: HashMap<&str, Value<'_>>) -> zbus::Result<()>;
}

impl Requests {
    /// None yet.
    pub fn new(bus: &Connection) -> Self {
        Requests { bus: bus.clone(), room: Arc::new(Semaphore::new(MOST)), last: Arc::default() }
    }

    /// Begins one for the program that has sent a message: `work` is what it waits for. `token` is what the program wants it to be called.
    ///
    /// # Errors
    /// Where there are too many, or there is one of this name.
    pub async fn begin(&self, header: &Header<'_>, token: Option<&str>, work: impl Future<Output = Outcome> + Send + 'static) -> fdo::Result<OwnedObjectPath> {
        let owner: OwnedUniqueName = header.sender().map(|it| it.to_owned().into()).ok_or_else(|| fdo::Error::Failed("it does not say who it is".into()))?;
        let room = self.room.clone().try_acquire_owned().map_err(|_| fdo::Error::LimitsExceeded(format!("{MOST} requests wait for the user already")))?;
        let token = match token {
            Some(token) if token.len() > TOKEN || token.is_empty() || !token.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_') => {
                return Err(fdo::Error::InvalidArgs(format!("handle_token has letters, digits and _, {TOKEN} at most")));
            }
            Some(token) => token.to_owned(),
            None => format!("desktopd_{}", self.last.fetch_add(1, Ordering::Relaxed)),
        };
        let name = owner.as_str().trim_start_matches(':').replace('.', "_");
        let path: OwnedObjectPath = format!("{PATH}/request/{name}/{token}").try_into().map_err(|error| fdo::Error::InvalidArgs(format!("{error}")))?;
        let closed = Arc::new(Notify::new());
        if !self.bus.object_server().at(path.as_ref(), Request { owner: owner.clone(), closed: closed.clone() }).await? {
            return Err(fdo::Error::InvalidArgs(format!("there is a request {token} already")));
        }
        let (bus, at) = (self.bus.clone(), path.clone());
        tokio::spawn(async move {
            // First the answer to the call, which the program waits for, goes out; what comes of it may be there at once.
            tokio::task::yield_now().await;
            let outcome = tokio::select! {
                outcome = work => Some(outcome),
                () = closed.notified() => None,
                () = gone(&bus, &owner) => None,
            };
            drop(room);
            if let Some(outcome) = outcome
                && let Err(error) = tell(&bus, &at, &owner, outcome).await
            {
                tracing::warn!("telling a program: {error}");
            }
            let _ = bus.object_server().remove::<Request, _>(at).await;
        });
        Ok(path)
    }
}

async fn tell(bus: &Connection, path: &OwnedObjectPath, owner: &OwnedUniqueName, outcome: Outcome) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(bus, path.as_ref())?.set_destination(owner.as_ref().into());
    let (response, results) = match outcome {
        Outcome::Done(results) => (0, results),
        Outcome::Cancelled => (1, HashMap::new()),
        Outcome::Failed => (2, HashMap::new()),
    };
    Request::response(&emitter, response, results).await
}

/// Waits until a program has left the bus. Where that cannot be found out it is taken to stay.
async fn gone(bus: &Connection, owner: &OwnedUniqueName) {
    let leaves = async {
        let proxy = fdo::DBusProxy::new(bus).await?;
        let mut changes = proxy.receive_name_owner_changed_with_args(&[(0, owner.as_str()), (2, "")]).await?;
        // It may have left before.
        if proxy.name_has_owner(owner.as_ref().into()).await? {
            changes.next().await;
        }
        zbus::Result::Ok(())
    };
    if let Err(error) = leaves.await {
        tracing::warn!("watching a program: {error}");
        std::future::pending().await
    }
}
