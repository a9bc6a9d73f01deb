//! How the user wants everything to look: read when a program starts, and again whenever that changes.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use desktop_settings::{Appearance, Settings, Watch};
use iced_futures::futures::Stream;
use iced_futures::futures::channel::mpsc::Sender;
use iced_futures::{Subscription, stream};

static CURRENT: RwLock<Option<Appearance>> = RwLock::new(None);

/// What holds now; the defaults where nobody has read anything, as in tests.
pub fn current() -> Appearance {
    CURRENT.read().unwrap_or_else(PoisonError::into_inner).unwrap_or_default()
}

/// Makes this hold.
pub fn set(appearance: Appearance) {
    *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(appearance);
}

/// Reads what the user has chosen. Where that is not to be understood, the defaults hold.
pub(crate) fn load() {
    set(desktop_settings::path().and_then(|path| Settings::read(&path).ok()).unwrap_or_default().look());
}

/// Tells of changes.
pub(crate) fn changes() -> Subscription<Appearance> {
    match desktop_settings::path() {
        Some(path) => Subscription::run_with(path, |path| watch(path.clone())),
        None => Subscription::none(),
    }
}

fn watch(path: PathBuf) -> impl Stream<Item = Appearance> {
    stream::channel(4, async move |mut told: Sender<Appearance>| {
        // Where it cannot be watched the program looks as it did when it started.
        if let Ok(watch) = Watch::new(&path) {
            std::thread::spawn(move || {
                // What was changed since it was read first: a lesson begins as its terminal does.
                if let Some(look) = Settings::read(&path).ok().map(|it| it.look()).filter(|look| *look != current()) {
                    let _ = told.try_send(look);
                }
                while let Ok(settings) = watch.wait() {
                    // Half-written or wrong ones change nothing.
                    let Ok(settings) = settings else { continue };
                    if told.try_send(settings.look()).is_err_and(|error| error.is_disconnected()) {
                        return;
                    }
                }
            });
        }
        std::future::pending::<()>().await;
    })
}
