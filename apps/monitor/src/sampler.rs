//! Samples that come while the window is open.

use genai_ui::futures::futures::Stream;
use genai_ui::futures::futures::channel::mpsc::Sender;
use genai_ui::futures::{Subscription, stream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Message;
use crate::sample::{self, Sample};

/// Between two looks. Less would cost more than what is looked at.
pub const PERIOD: Duration = Duration::from_millis(1500);

/// Tells of samples.
pub fn samples() -> Subscription<Message> {
    Subscription::run(every).map(Message::Sampled)
}

fn every() -> impl Stream<Item = Arc<Sample>> {
    stream::channel(1, async |told: Sender<Arc<Sample>>| {
        std::thread::spawn(move || send(told));
        std::future::pending::<()>().await;
    })
}

fn send(mut told: Sender<Arc<Sample>>) {
    loop {
        // Where the window is slow one sample waits, and others are left out.
        match told.try_send(Arc::new(sample::take(Path::new("/proc")))) {
            Err(error) if error.is_disconnected() => return,
            _ => std::thread::sleep(PERIOD),
        }
    }
}
