//! `desktopd`: what programs of other desktops expect to find on the session's D-Bus.
//!
//! * [`notifications`]: short words of programs, which [`compositor`] hands on to GDE; [`hints`], [`text`], [`picture`] and [`limits`] make them safe for it;
//! * [`tray`]: programs' pictures in the panel, and clicks on them; [`item`]: what they look like; [`menu`]: their menus;
//! * [`portal`]: whether everything is to be dark, of which [`look`] has the values; files that the user chooses, and pictures of the screen.
//!
//! Programs are not trusted. What reaches the compositor is plain, short and seldom, whatever they send.

mod compositor;
mod hints;
mod item;
mod limits;
mod look;
mod menu;
mod notifications;
mod picture;
mod portal;
mod text;
mod tray;
mod variant;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use service_notify::Manager;
use tokio::sync::mpsc;
use zbus::Connection;
use zbus::fdo::{self, RequestNameFlags, RequestNameReply};
use zbus::object_server::SignalEmitter;

use compositor::Compositor;
use notifications::Notifications;
use portal::chooser::FileChooser;
use portal::screenshot::Screenshot;
use portal::settings::{self, Followed, Portal};
use portal::{Helpers, Requests};

/// Answers on the session's D-Bus for the desktop: notices (org.freedesktop.Notifications), programs in the panel (org.kde.StatusNotifierWatcher), and how the
/// user wants everything to look, files that the user chooses, and pictures of the screen (org.freedesktop.portal.Desktop).
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The compositor's socket [default: the session's]
    #[arg(long, value_name = "SOCKET")]
    compositor: Option<PathBuf>,
    /// The desktop's settings [default: the user's desktop.toml]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The program in whose window files are chosen
    #[arg(long, value_name = "PROGRAM", default_value = "files")]
    chooser: PathBuf,
    /// The program that takes pictures of the screen, as gdectl
    #[arg(long, value_name = "PROGRAM", default_value = "gdectl")]
    shooter: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let level = std::env::var("DESKTOPD_LOG").ok().and_then(|level| level.parse::<tracing::Level>().ok()).unwrap_or(tracing::Level::INFO);
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false).without_time().with_ansi(false).init();
    let mut manager = Manager::of_environment();
    let socket = args.compositor.unwrap_or_else(gde_ipc::socket);
    // As a service it has no home, and is root's, as the desktop.
    let file = args.settings.or_else(desktop_settings::path).unwrap_or_else(|| "/root/.config/genai/desktop.toml".into());

    let (tasks, to_do) = mpsc::channel(compositor::WAITING);
    let portal = Portal::default();
    let followed = Followed::new(&file, portal.clone());
    if followed.is_err() {
        portal.show(&settings::read(&file));
    }
    let bus = zbus::connection::Builder::session()?
        .serve_at(notifications::PATH, Notifications::new(tasks.clone()))?
        .serve_at(portal::PATH, portal)?
        .build()
        .await
        .context("connecting to the session's D-Bus (DBUS_SESSION_BUS_ADDRESS)")?;
    let (watcher, tray) = tray::watcher(&bus, socket.clone());
    bus.object_server().at(tray::PATH, watcher).await.context("serving programs in the panel")?;
    tokio::spawn(tray.run());
    let requests = Requests::new(&bus);
    let helpers = Helpers { compositor: socket.clone(), chooser: args.chooser, shooter: args.shooter };
    bus.object_server().at(portal::PATH, FileChooser::new(requests.clone(), helpers.clone())).await.context("serving choices of files")?;
    bus.object_server().at(portal::PATH, Screenshot::new(requests, helpers, pictures(), tasks)).await.context("serving pictures of the screen")?;
    tokio::spawn(Compositor::new(socket.clone(), to_do, SignalEmitter::new(&bus, notifications::PATH)?.into_owned()).run());
    match followed {
        Ok(followed) => drop(tokio::spawn(followed.run(SignalEmitter::new(&bus, portal::PATH)?.into_owned()))),
        Err(error) => tracing::warn!("other settings hold from the next start on: {error:#}"),
    }
    for name in [notifications::NAME, portal::NAME, tray::NAME] {
        take_name(&bus, name).await?;
    }
    manager.ready();
    tokio::spawn(tell_environment(bus.clone(), socket));
    bus.closed().await;
    bail!("the session's D-Bus is gone")
}

/// Where pictures of the screen go, as GDE's own.
fn pictures() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from).join("Pictures/Screenshots")
}

/// Takes a name on the bus, once no other program has it.
async fn take_name(bus: &Connection, name: &'static str) -> Result<()> {
    let reply = bus.request_name_with_flags(name, RequestNameFlags::AllowReplacement.into()).await.with_context(|| format!("taking the name {name}"))?;
    if reply == RequestNameReply::InQueue {
        tracing::info!("another program answers as {name}; this one does when that ends");
    }
    Ok(())
}

/// What the bus starts gets the variables that GDE's own programs have.
async fn tell_environment(bus: Connection, compositor: PathBuf) {
    for pause in [100, 500, 1000, 2000, 4000, 8000, 16000].map(Duration::from_millis) {
        match compositor::environment(&compositor).await {
            Ok(variables) => {
                let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let told = async { fdo::DBusProxy::new(&bus).await?.update_activation_environment(variables).await };
                if let Err(error) = told.await {
                    tracing::warn!("telling the bus the session's variables: {error}");
                }
                return;
            }
            Err(error) => tracing::debug!("asking the desktop for its variables: {error}"),
        }
        tokio::time::sleep(pause).await;
    }
    tracing::warn!("no desktop has answered at {}: what the bus starts does not know it", compositor.display());
}
