//! What others change in a folder, told as it happens (inotify(7)). Nothing wakes up while nothing changes.

use genai_ui::futures::futures::Stream;
use genai_ui::futures::futures::channel::mpsc::{self, Sender};
use genai_ui::futures::{Subscription, stream};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Message;

/// Changes that come within this time are told as one.
const PAUSE: Duration = Duration::from_millis(300);

/// Tells of changes in a folder.
pub fn folder(folder: PathBuf) -> Subscription<Message> {
    Subscription::run_with(folder, |folder| changes(folder)).map(|()| Message::Changed)
}

/// One item for each change in a folder, as far as they can be told apart. Where it cannot be watched there are none.
pub fn changes(folder: &Path) -> impl Stream<Item = ()> + use<> {
    let folder = folder.to_owned();
    // One change is enough to be told.
    stream::channel(1, async move |told: Sender<()>| {
        let Ok((ended, end)) = pipe_with(PipeFlags::CLOEXEC) else { return };
        if let Ok(watched) = start(&folder) {
            std::thread::spawn(move || wait(&watched, &ended, told));
        }
        // The thread ends when this is dropped, with the stream.
        let _end = end;
        std::future::pending::<()>().await;
    })
}

fn start(folder: &Path) -> rustix::io::Result<OwnedFd> {
    let watched = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let what = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
    inotify::add_watch(&watched, folder, what | WatchFlags::ONLYDIR)?;
    Ok(watched)
}

fn wait(watched: &OwnedFd, ended: &OwnedFd, mut told: Sender<()>) {
    let mut buffer = [0; 4096];
    loop {
        let mut both = [PollFd::new(watched, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        match poll(&mut both, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(_) if both[1].revents().is_empty() => {}
            _ => return,
        }
        std::thread::sleep(PAUSE);
        loop {
            match rustix::io::read(watched, &mut buffer) {
                Ok(count) if count > 0 => {}
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                _ => return,
            }
        }
        // One that waits to be heard is enough.
        if told.try_send(()).is_err_and(|error: mpsc::TrySendError<()>| error.is_disconnected()) {
            return;
        }
    }
}
