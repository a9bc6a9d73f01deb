//! Settings for other desktops' programs, and the service's place on the bus.

mod common;

use std::collections::HashMap;

use common::compositor::{Fake, Manner};
use common::{LIMIT, NOTIFICATIONS, SETTINGS, Session, is_called, next, proxy};
use desktop_settings::{Colour, Scheme, Settings};
use tokio::time::timeout;
use zbus::fdo::RequestNameFlags;
use zbus::zvariant::{OwnedValue, Value};

const APPEARANCE: &str = "org.freedesktop.appearance";
const INTERFACE: &str = "org.gnome.desktop.interface";

#[tokio::test]
async fn settings_can_be_read() {
    let (session, _child, client) = Session::with_desktopd().await;
    let proxy = proxy(&client, SETTINGS).await;
    let scheme: OwnedValue = proxy.call("ReadOne", &(APPEARANCE, "color-scheme")).await.unwrap();
    assert_eq!(*scheme, Value::U32(1));
    // The first method has a variant within the variant, and programs count on that.
    let scheme: OwnedValue = proxy.call("Read", &(APPEARANCE, "color-scheme")).await.unwrap();
    assert_eq!(*scheme, Value::Value(Box::new(Value::U32(1))));
    let all: HashMap<String, HashMap<String, OwnedValue>> = proxy.call("ReadAll", &(vec!["org.freedesktop.*"],)).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), [APPEARANCE]);
    let accent: (f64, f64, f64) = all[APPEARANCE]["accent-color"].try_clone().unwrap().try_into().unwrap();
    assert_eq!(accent, (0x4c as f64 / 255.0, 0x8d as f64 / 255.0, 1.0));
    let all: HashMap<String, HashMap<String, OwnedValue>> = proxy.call("ReadAll", &(Vec::<String>::new(),)).await.unwrap();
    assert_eq!(*all[INTERFACE]["text-scaling-factor"], Value::F64(1.0));
    for (namespace, key) in [(APPEARANCE, "colour"), ("org.none", "color-scheme"), ("", "")] {
        for method in ["Read", "ReadOne"] {
            let answer: zbus::Result<OwnedValue> = proxy.call(method, &(namespace, key)).await;
            assert!(is_called(&answer, "org.freedesktop.portal.Error.NotFound"), "{answer:?}");
        }
    }
    assert_eq!(proxy.get_property::<u32>("version").await.unwrap(), 2);
    let said = session.dbus_send(&["--dest=org.freedesktop.portal.Desktop", SETTINGS.1, "org.freedesktop.portal.Settings.ReadOne", "string:org.freedesktop.appearance", "string:color-scheme"]);
    assert!(said.contains("variant       uint32 1"), "{said}");
}

#[tokio::test]
async fn changes_are_told_of() {
    let (session, _child, client) = Session::with_desktopd().await;
    let proxy = proxy(&client, SETTINGS).await;
    let mut changes = proxy.receive_signal("SettingChanged").await.unwrap();
    let change = |change: fn(&mut Settings)| Settings::change(&session.settings(), change).unwrap();
    change(|it| it.appearance.scheme = Scheme::Light);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (namespace, key, value): (String, String, OwnedValue) = next(&mut changes).await;
        seen.push((namespace, key, value));
    }
    for (namespace, key, value) in [(APPEARANCE, "color-scheme", Value::U32(2)), (INTERFACE, "color-scheme", "prefer-light".into()), (INTERFACE, "gtk-theme", "Adwaita".into())] {
        assert!(seen.iter().any(|it| it.0 == namespace && it.1 == key && *it.2 == value), "{key}: {seen:?}");
    }
    let scheme: OwnedValue = proxy.call("ReadOne", &(APPEARANCE, "color-scheme")).await.unwrap();
    assert_eq!(*scheme, Value::U32(2));
    // A mistake changes nothing, and what is no matter to other programs is not told.
    let text = std::fs::read_to_string(session.settings()).unwrap();
    for text in ["[appearance", &text] {
        // At once: a part of it would be other settings.
        let new = session.settings().with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, session.settings()).unwrap();
    }
    change(|it| it.keyboard = Some(desktop_settings::Keyboard::default()));
    change(|it| it.appearance.accent = Colour(0x00_ff00));
    let (_, key, value): (String, String, OwnedValue) = next(&mut changes).await;
    assert_eq!((key.as_str(), <(f64, f64, f64)>::try_from(value).unwrap()), ("accent-color", (0.0, 1.0, 0.0)));
}

/// Who asks for something while the service is not there has it started.
#[tokio::test]
async fn the_bus_starts_it() {
    let session = Session::new();
    let client = session.connect().await;
    for service in [SETTINGS, NOTIFICATIONS] {
        let proxy = proxy(&client, service).await;
        proxy.introspect().await.unwrap();
    }
    let information: (String, String, String, String) = proxy(&client, NOTIFICATIONS).await.call("GetServerInformation", &()).await.unwrap();
    assert_eq!(information.0, "desktopd");
}

/// What the bus starts knows where the desktop is.
#[tokio::test]
async fn services_get_the_sessions_variables() {
    let session = Session::new();
    let _fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let seen = session.folder.path().join("seen");
    let service = format!("[D-BUS Service]\nName=org.example.Shown\nExec=/bin/sh -c 'echo $WAYLAND_DISPLAY > {}; exit 1'\n", seen.display());
    std::fs::write(session.folder.path().join("data/dbus-1/services/org.example.Shown.service"), service).unwrap();
    let _child = session.start();
    common::until("the variable is told", || {
        // It fails, so that it is started anew the next time.
        session.dbus_send(&["--dest=org.example.Shown", "/", "org.example.Shown.Show"]);
        std::fs::read_to_string(&seen).is_ok_and(|it| it == "wayland-test\n")
    })
    .await;
}

/// Another program may answer instead; when it ends we do.
#[tokio::test]
async fn another_program_may_have_the_name() {
    let session = Session::new();
    let other = session.connect().await;
    other.request_name_with_flags(NOTIFICATIONS.0, RequestNameFlags::DoNotQueue.into()).await.unwrap();
    let _child = session.start();
    let client = session.connect().await;
    session.until_named(&client, SETTINGS.0).await;
    other.release_name(NOTIFICATIONS.0).await.unwrap();
    session.until_named(&client, NOTIFICATIONS.0).await;
    let capabilities: Vec<String> = proxy(&client, NOTIFICATIONS).await.call("GetCapabilities", &()).await.unwrap();
    assert!(!capabilities.is_empty());
}

#[tokio::test]
async fn it_ends_with_the_bus() {
    let (session, mut child, _client) = Session::with_desktopd().await;
    let Session { folder, bus } = session;
    drop(bus);
    let status = timeout(LIMIT, tokio::task::spawn_blocking(move || child.0.wait())).await.expect("it ends").unwrap().unwrap();
    assert_eq!(status.code(), Some(1));
    // Without one it does not wait.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_desktopd")).env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}/bus", folder.path().display())).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("connecting to the session's D-Bus"), "{said}");
}
