//! Work beside the window: on a thread of its own, which tells messages while it works.

use iced_futures::futures::channel::{mpsc, oneshot};
use iced_futures::futures::{SinkExt, StreamExt};
use iced_futures::stream;
use iced_runtime::Task;

/// Messages that wait to be heard; beyond that [`mpsc::Sender::try_send`] refuses.
const WAITING: usize = 64;

/// Does work on a thread of its own. It may tell messages meanwhile, and ends with one.
pub fn start<M: Send + 'static>(work: impl FnOnce(mpsc::Sender<M>) -> M + Send + 'static) -> Task<M> {
    Task::stream(stream::channel(WAITING, async move |mut output: mpsc::Sender<M>| {
        let (sender, mut told) = mpsc::channel(WAITING);
        let (ends, end) = oneshot::channel();
        std::thread::spawn(move || {
            let _ = ends.send(work(sender));
        });
        while let Some(message) = told.next().await {
            let _ = output.send(message).await;
        }
        if let Ok(message) = end.await {
            let _ = output.send(message).await;
        }
    }))
}
