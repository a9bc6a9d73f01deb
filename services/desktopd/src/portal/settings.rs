//! `org.freedesktop.portal.Settings`: how the user wants everything to look, for programs of other desktops.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use desktop_settings::{Settings, Watch};
use tokio::sync::watch;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::Value;

use crate::look::Look;

/// Why a setting is not answered.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.portal.Error")]
pub enum Error {
    /// The bus does not work.
    #[zbus(error)]
    Bus(zbus::Error),
    /// There is no such setting.
    NotFound(String),
}

/// The settings now.
#[derive(Debug, Clone, Default)]
pub struct Portal(Arc<Mutex<Look>>);

impl Portal {
    fn now(&self) -> Look {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers by these settings from now on.
    pub fn show(&self, settings: &Settings) {
        self.set(Look::of(settings));
    }

    fn set(&self, look: Look) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = look;
    }

    fn find(&self, namespace: &str, key: &str) -> Result<Value<'static>, Error> {
        self.now().get(namespace, key).map(|it| it.value()).ok_or_else(|| Error::NotFound(format!("there is no setting {key} of {namespace}")))
    }
}

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Portal {
    /// All settings of some namespaces.
    #[zbus(out_args("value"))]
    fn read_all(&self, namespaces: Vec<&str>) -> BTreeMap<&'static str, BTreeMap<&'static str, Value<'static>>> {
        let look = self.now();
        let found = look.of_namespaces(&namespaces).into_iter();
        found.map(|(namespace, settings)| (namespace, settings.into_iter().map(|(key, it)| (key, it.value())).collect())).collect()
    }

    /// One setting in a variant too many, which programs have got used to.
    #[zbus(out_args("value"))]
    fn read(&self, namespace: &str, key: &str) -> Result<Value<'static>, Error> {
        Ok(Value::Value(Box::new(self.find(namespace, key)?)))
    }

    /// One setting.
    #[zbus(out_args("value"))]
    fn read_one(&self, namespace: &str, key: &str) -> Result<Value<'static>, Error> {
        self.find(namespace, key)
    }

    /// A setting has changed.
    #[zbus(signal)]
    async fn setting_changed(emitter: &SignalEmitter<'_>, namespace: &str, key: &str, value: Value<'_>) -> zbus::Result<()>;

    /// The version of the interface.
    #[zbus(property(emits_changed_signal = "const"), name = "version")]
    fn version(&self) -> u32 {
        2
    }
}

/// The user's settings as they are, and as they become.
#[derive(Debug)]
pub struct Followed {
    portal: Portal,
    changes: watch::Receiver<Settings>,
}

impl Followed {
    /// Reads the settings, and again whenever they change while [`Followed::run`] does.
    ///
    /// # Errors
    /// Where their folder cannot be watched.
    pub fn new(path: &Path, portal: Portal) -> Result<Self> {
        let file = Watch::new(path).with_context(|| format!("watching the folder of {}", path.display()))?;
        let (changed, changes) = watch::channel(read(path));
        portal.show(&changes.borrow());
        // It sleeps in the kernel nearly always.
        let thread = thread::Builder::new().name("settings".into()).stack_size(128 << 10);
        thread.spawn(move || wait(&file, &changed)).context("starting a thread")?;
        Ok(Followed { portal, changes })
    }

    /// Tells programs of all changes.
    pub async fn run(mut self, programs: SignalEmitter<'static>) {
        while self.changes.changed().await.is_ok() {
            let next = Look::of(&self.changes.borrow_and_update());
            let before = self.portal.now();
            self.portal.set(next.clone());
            for (namespace, key, setting) in before.changes(&next) {
                if let Err(error) = Portal::setting_changed(&programs, namespace, key, setting.value()).await {
                    tracing::warn!("telling programs of {key}: {error}");
                }
            }
        }
    }
}

/// Waits for changes of the file.
fn wait(file: &Watch, changed: &watch::Sender<Settings>) {
    loop {
        match file.wait() {
            Ok(Ok(settings)) => drop(changed.send(settings)),
            // What held before holds on.
            Ok(Err(error)) => tracing::warn!("{error}"),
            Err(error) => return tracing::warn!("other settings hold from the next start on: {error}"),
        }
    }
}

/// The settings, or the defaults where they are not understood.
pub fn read(path: &Path) -> Settings {
    Settings::read(path).unwrap_or_else(|error| {
        tracing::warn!("{error}; the defaults hold");
        Settings::default()
    })
}
