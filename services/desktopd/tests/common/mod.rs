//! A real bus with desktopd on it, and a compositor that is none.

#![allow(dead_code)]

pub mod compositor;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_lite::StreamExt;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::time::timeout;
use zbus::proxy::SignalStream;
use zbus::zvariant::{Type, Value};
use zbus::{Connection, Proxy};

pub const NOTIFICATIONS: (&str, &str, &str) = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.Notifications");
pub const SETTINGS: (&str, &str, &str) = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings");
pub const LIMIT: Duration = Duration::from_secs(60);

/// A process that ends with its test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A session.
pub struct Session {
    pub folder: TempDir,
    pub bus: Process,
}

impl Session {
    /// A bus, on which services are started as the recipe says, by the program that is tested.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let services = folder.path().join("data/dbus-1/services");
        std::fs::create_dir_all(&services).expect("made");
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/desktopd/files/usr/share/dbus-1/services");
        for file in std::fs::read_dir(recipe).expect("the recipe") {
            let file = file.expect("a file");
            let text = std::fs::read_to_string(file.path()).expect("read");
            assert!(text.contains("/usr/bin/desktopd"), "{text}");
            std::fs::write(services.join(file.file_name()), text.replace("/usr/bin/desktopd", env!("CARGO_BIN_EXE_desktopd"))).expect("written");
        }
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]).arg(format!("--address=unix:path={}", folder.path().join("bus").display()));
        command.stdout(Stdio::piped());
        set_environment(&mut command, folder.path());
        let mut child = command.spawn().expect("dbus-daemon (Debian package dbus-daemon)");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("the bus is there");
        assert!(line.contains("unix:path="), "{line}");
        Session { folder, bus: Process(child) }
    }

    /// With desktopd, started by hand.
    pub async fn with_desktopd() -> (Self, Process, Connection) {
        let session = Session::new();
        let child = session.start();
        let client = session.connect().await;
        session.until_named(&client, NOTIFICATIONS.0).await;
        session.until_named(&client, SETTINGS.0).await;
        (session, child, client)
    }

    pub fn start(&self) -> Process {
        self.start_with(&[])
    }

    pub fn start_with(&self, arguments: &[&str]) -> Process {
        // With as little memory as its unit lets it have.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -v 524288 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_desktopd")]).args(arguments);
        set_environment(&mut command, self.folder.path());
        Process(command.spawn().expect("desktopd"))
    }

    pub async fn until_named(&self, client: &Connection, name: &str) {
        let bus = zbus::fdo::DBusProxy::new(client).await.expect("the bus");
        let named = async {
            while !bus.name_has_owner(name.try_into().expect("a name")).await.expect("an answer") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LIMIT, named).await.expect("desktopd has its name");
    }

    /// Another program on the bus.
    pub async fn connect(&self) -> Connection {
        zbus::connection::Builder::address(self.address().as_str()).expect("an address").build().await.expect("a connection")
    }

    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("gde.socket")
    }

    pub fn settings(&self) -> PathBuf {
        self.folder.path().join("config/genai/desktop.toml")
    }

    /// A program that knows nothing of us.
    pub fn dbus_send(&self, words: &[&str]) -> String {
        let output = Command::new("dbus-send").args(["--session", "--print-reply"]).args(words).env("DBUS_SESSION_BUS_ADDRESS", self.address()).output().expect("dbus-send");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }
}

fn set_environment(command: &mut Command, folder: &Path) {
    command.env_clear().env("DESKTOPD_LOG", std::env::var_os("DESKTOPD_LOG").unwrap_or_default()).env("PATH", "/usr/bin:/bin").env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command.env("XDG_CONFIG_HOME", folder.join("config")).env("XDG_DATA_HOME", folder.join("data")).env("XDG_DATA_DIRS", folder.join("none"));
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", folder.join("bus").display()));
}

/// Our object, as a program sees it.
pub async fn proxy(client: &Connection, (name, path, interface): (&'static str, &'static str, &'static str)) -> Proxy<'static> {
    let builder: zbus::proxy::Builder<'_, Proxy<'_>> = zbus::proxy::Builder::new(client);
    let builder = builder.destination(name).expect("a name").path(path).expect("a path").interface(interface).expect("an interface");
    builder.cache_properties(zbus::proxy::CacheProperties::No).build().await.expect("a proxy")
}

/// What a program says of a notice.
pub struct Words<'a> {
    pub app: &'a str,
    pub replaces: u32,
    pub summary: &'a str,
    pub body: &'a str,
    pub actions: Vec<&'a str>,
    pub hints: HashMap<&'a str, Value<'a>>,
    pub timeout: i32,
}

impl<'a> Words<'a> {
    pub fn new(summary: &'a str) -> Self {
        Words { app: "test", replaces: 0, summary, body: "", actions: Vec::new(), hints: HashMap::new(), timeout: -1 }
    }

    pub async fn notify(&self, proxy: &Proxy<'_>) -> zbus::Result<u32> {
        proxy.call("Notify", &(self.app, self.replaces, "", self.summary, self.body, &self.actions, &self.hints, self.timeout)).await
    }
}

/// The next signal's arguments.
pub async fn next<T: DeserializeOwned + Type>(signals: &mut SignalStream<'_>) -> T {
    let message = timeout(LIMIT, signals.next()).await.expect("a signal in time").expect("a signal");
    message.body().deserialize().expect("its arguments")
}

/// Whether an error has this name.
pub fn is_called<T: std::fmt::Debug>(result: &zbus::Result<T>, name: &str) -> bool {
    matches!(result, Err(zbus::Error::MethodError(called, Some(why), _)) if called.as_str() == name && !why.is_empty())
}

/// Waits until something is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let so = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, so).await.unwrap_or_else(|_| panic!("never: {what}"));
}
