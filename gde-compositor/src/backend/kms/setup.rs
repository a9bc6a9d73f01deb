//! From the first card and all event devices to screens and input, and what changes about them later.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use desktop_settings::Display;
use drm_client::control::{Device as _, Event, connector};
use drm_client::{ClientCapability, Device as _};
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};
use smithay::reexports::calloop::{Interest, LoopHandle, Mode as Trigger, PostAction};

use super::head::{Head, preferred_mode};
use super::{Card, Kms};
use crate::backend::Backend;
use crate::backend::vt::{self, Vt};
use crate::input::{Input, evdev};
use crate::screen::Redraw;
use crate::state::Gde;
use crate::sys;

/// The first card.
const CARD: &str = "/dev/dri/card0";

fn open_card() -> io::Result<Card> {
    File::options().read(true).write(true).custom_flags(libc::O_CLOEXEC | libc::O_NONBLOCK).open(CARD).map(Card)
}

impl Kms {
    /// Opens the card and takes the screen. Screens come with [`start`].
    ///
    /// # Errors
    /// Where there is no card, or another program has it.
    pub fn open() -> anyhow::Result<Self> {
        let vt = Vt::take().inspect_err(|error| tracing::warn!("no virtual terminal: {error}; the text console keeps its keys")).ok();
        let card = open_card().with_context(|| format!("opening {CARD}"))?;
        card.acquire_master_lock().with_context(|| format!("taking {CARD}: does another program draw on it?"))?;
        let is_atomic = card.set_client_capability(ClientCapability::UniversalPlanes, true).is_ok() && card.set_client_capability(ClientCapability::Atomic, true).is_ok();
        // Who has no plane for the pointer answers so when it is first set.
        Ok(Kms { card, is_atomic, heads: Vec::new(), dark: Vec::new(), devices: Vec::new(), vt, is_active: true, cursor: None, has_cursor: true })
    }

    /// A connected display and its mode: the size that the user wants, where it has that, else what it prefers.
    fn mode_of(&self, connector: connector::Handle, wanted: &BTreeMap<String, Display>) -> Option<(connector::Info, drm_client::control::Mode)> {
        let info = self.card.get_connector(connector, true).ok()?;
        let wanted = wanted.get(&name_of(&info)).and_then(|it| it.size).and_then(|size| {
            let is_so = |mode: &&drm_client::control::Mode| (u32::from(mode.size().0), u32::from(mode.size().1)) == (size.width, size.height);
            info.modes().iter().filter(is_so).max_by_key(|mode| mode.vrefresh()).copied()
        });
        let mode = wanted.or_else(|| preferred_mode(&info)).filter(|_| info.state() == connector::State::Connected)?;
        Some((info, mode))
    }

    /// A CRTC for a connector that no other head has.
    fn free_crtc(&self, info: &connector::Info) -> Option<drm_client::control::crtc::Handle> {
        let resources = self.card.resource_handles().ok()?;
        let encoders = info.encoders().iter().filter_map(|encoder| self.card.get_encoder(*encoder).ok());
        let mut crtcs = encoders.flat_map(|encoder| resources.filter_crtcs(encoder.possible_crtcs()));
        crtcs.find(|crtc| self.heads.iter().all(|head| head.crtc != *crtc))
    }
}

/// What people call a display: by its connector.
fn name_of(info: &connector::Info) -> String {
    format!("{}-{}", info.interface().as_str(), info.interface_id())
}

fn kms(gde: &mut Gde) -> Option<&mut Kms> {
    match &mut gde.backend {
        Backend::Kms(kms) => Some(kms),
        Backend::Headless(_) | Backend::Nested(_) => None,
    }
}

/// Brings screens and devices up, and keeps them up to date.
///
/// # Errors
/// Where no display is connected, and where the kernel's events cannot be had.
pub fn start(gde: &mut Gde, signals: std::os::fd::OwnedFd) -> anyhow::Result<()> {
    let events = gde.events.clone();
    update_displays(gde);
    anyhow::ensure!(!gde.screens.is_empty(), "no display is connected to {CARD}");
    let at = gde.screens.first().map(|screen| gde.screen_rect(screen).centre()).unwrap_or_default();
    gde.pointer.set_location((f64::from(at.x), f64::from(at.y)).into());
    watch_card(gde, &events)?;
    for path in evdev::list() {
        add_device(gde, &path);
    }
    let uevents = sys::uevents().context("listening to the kernel's device events")?;
    insert(&events, uevents, |fd, gde| {
        let mut buffer = [0; 8192];
        while let Ok(count) = sys::read(fd, &mut buffer) {
            uevent(gde, &buffer[..count]);
        }
    })?;
    insert(&events, signals, |fd, gde| {
        while let Some(signal) = sys::next_signal(fd) {
            match signal {
                vt::RELEASE => release(gde),
                vt::ACQUIRE => acquire(gde),
                _ => gde.is_stopping = true,
            }
        }
    })
}

fn insert<F: std::os::fd::AsFd + 'static>(events: &LoopHandle<'static, Gde>, fd: F, mut ready: impl FnMut(&F, &mut Gde) + 'static) -> anyhow::Result<()> {
    let source = Generic::new(fd, Interest::READ, Trigger::Level);
    events
        .insert_source(source, move |_, fd, gde| {
            ready(fd, gde);
            Ok(PostAction::Continue)
        })
        .map(drop)
        .map_err(|error| anyhow::anyhow!("waiting for events: {error}"))
}

fn watch_card(gde: &mut Gde, events: &LoopHandle<'static, Gde>) -> anyhow::Result<()> {
    let Some(kms) = kms(gde) else { return Ok(()) };
    let watched = kms.card.0.try_clone().context("watching the card")?;
    let source = Generic::new(watched, Interest::READ, Trigger::Level);
    let result = events.insert_source(source, move |_, _, gde| match card_events(gde) {
        Ok(()) => Ok(PostAction::Continue),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(PostAction::Continue),
        Err(error) => {
            tracing::warn!("{CARD} is gone: {error}");
            // Its driver is started again.
            reopen_later(gde);
            Ok(PostAction::Remove)
        }
    });
    result.map(drop).map_err(|error| anyhow::anyhow!("watching the card: {error}"))
}

fn card_events(gde: &mut Gde) -> io::Result<()> {
    let Some(kms) = kms(gde) else { return Ok(()) };
    let mut shown = Vec::new();
    let mut count = 0;
    for event in kms.card.receive_events()? {
        count += 1;
        if let Event::PageFlip(flip) = event {
            shown.extend(kms.output_of(flip.crtc).map(|output| (output, flip.duration, u64::from(flip.frame))));
        }
    }
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    for (output, time, sequence) in shown {
        gde.frame_done(&output, Some((time, sequence)));
    }
    Ok(())
}

/// The driver has died: its successor has no buffers of ours.
fn reopen_later(gde: &mut Gde) {
    let events = gde.events.clone();
    let result = events.insert_source(Timer::from_duration(Duration::from_millis(200)), |_, (), gde| match reopen(gde) {
        Ok(()) => TimeoutAction::Drop,
        Err(error) => {
            tracing::debug!("the card is not back yet: {error:#}");
            TimeoutAction::ToDuration(Duration::from_millis(200))
        }
    });
    if let Err(error) = result {
        tracing::error!("the card cannot be opened again: {error}");
    }
}

fn reopen(gde: &mut Gde) -> anyhow::Result<()> {
    gde.renderer.forget_targets();
    let Some(kms) = kms(gde) else { return Ok(()) };
    let card = open_card()?;
    if kms.is_active {
        card.acquire_master_lock()?;
    }
    card.set_client_capability(ClientCapability::UniversalPlanes, true)?;
    kms.is_atomic = card.set_client_capability(ClientCapability::Atomic, true).is_ok();
    kms.card = card;
    kms.cursor = None;
    let old = std::mem::take(&mut kms.heads);
    let dark = std::mem::take(&mut kms.dark).into_iter().map(|(_, output)| output);
    let outputs: Vec<_> = old.iter().map(|head| head.output.clone()).chain(dark).collect();
    drop(old);
    for output in outputs {
        gde.remove_screen(&output);
    }
    update_displays(gde);
    let events = gde.events.clone();
    watch_card(gde, &events)?;
    gde.update_cursor();
    tracing::info!("{CARD} is back");
    Ok(())
}

/// Brings screens into line with what is connected, and with what the user wants of them.
pub fn update_displays(gde: &mut Gde) {
    // Displays' memory may go.
    gde.renderer.forget_targets();
    let wanted = gde.chosen.displays.clone();
    let Some(kms) = kms(gde) else { return };
    let connectors = match kms.card.resource_handles() {
        Ok(resources) => resources.connectors().to_vec(),
        Err(error) => {
            tracing::warn!("asking {CARD} for its connectors: {error}");
            return;
        }
    };
    let Some(kms) = self::kms(gde) else { return };
    let mut found: Vec<_> = connectors.into_iter().map(|connector| (connector, kms.mode_of(connector, &wanted))).collect();
    let is_on = |info: &connector::Info| wanted.get(&name_of(info)).is_none_or(|it| it.on);
    // One stays on, whatever is said: also where the others are pulled out.
    let any = found.iter().any(|(_, it)| it.as_ref().is_some_and(|(info, _)| is_on(info)));
    // First those that come, so that windows have a place to go.
    found.sort_by_key(|(_, it)| it.as_ref().is_none_or(|(info, _)| any && !is_on(info)));
    for (connector, found) in found {
        let Some(kms) = self::kms(gde) else { return };
        let index = kms.heads.iter().position(|head| head.connector == connector);
        match (found, index) {
            (None, index) => {
                let gone = index.map(|index| remove_head(kms, index));
                let dark = kms.dark.iter().position(|it| it.0 == connector).map(|index| kms.dark.remove(index).1);
                if let Some(output) = gone.or(dark) {
                    gde.remove_screen(&output);
                }
            }
            (Some((info, _)), Some(index)) if any && !is_on(&info) => {
                let output = remove_head(kms, index);
                tracing::info!("{} is switched off", output.name());
                kms.dark.push((connector, output.clone()));
                gde.darken(&output);
            }
            (Some((info, mode)), None) if any && !is_on(&info) => {
                if kms.dark.iter().all(|it| it.0 != connector) {
                    let (size, physical) = (size_of(&mode), physical_size(&info));
                    let output = gde.add_dark_screen(&name_of(&info), size, mode.vrefresh() as i32 * 1000, physical);
                    if let Some(kms) = self::kms(gde) {
                        kms.dark.push((connector, output));
                    }
                }
            }
            (Some((info, mode)), None) => add_head(gde, &info, mode),
            (Some((_, mode)), Some(index)) => {
                let head = &mut kms.heads[index];
                if (head.mode.size(), head.mode.vrefresh()) == (mode.size(), mode.vrefresh()) {
                    continue;
                }
                let output = head.output.clone();
                match head.set_mode(&kms.card, mode) {
                    Ok(()) => {
                        let size = (mode.size().0.into(), mode.size().1.into());
                        if let Some(screen) = gde.screens.iter_mut().find(|screen| screen.output == output) {
                            screen.redraw = Redraw::Queued;
                        }
                        gde.resize_screen(&output, size, mode.vrefresh() as i32 * 1000);
                        tracing::info!("{} has {} x {} pixels now", output.name(), size.0, size.1);
                    }
                    Err(error) => tracing::warn!("{}: another mode: {error}", output.name()),
                }
            }
        }
    }
    gde.update_scales();
    gde.update_cursor();
}

/// Its framebuffers go, and with them what the display shows.
fn remove_head(kms: &mut Kms, index: usize) -> smithay::output::Output {
    let head = kms.heads.remove(index);
    let output = head.output.clone();
    head.destroy(&kms.card);
    // The pointer is the first display's.
    kms.cursor = None;
    output
}

fn size_of(mode: &drm_client::control::Mode) -> (i32, i32) {
    (mode.size().0.into(), mode.size().1.into())
}

/// In millimetres.
fn physical_size(info: &connector::Info) -> (i32, i32) {
    info.size().map_or((0, 0), |(w, h)| (w as i32, h as i32))
}

fn add_head(gde: &mut Gde, info: &connector::Info, mode: drm_client::control::Mode) {
    let Some(kms) = kms(gde) else { return };
    let Some(crtc) = kms.free_crtc(info) else { return };
    let name = name_of(info);
    let size = size_of(&mode);
    let dark = kms.dark.iter().position(|it| it.0 == info.handle()).map(|index| kms.dark.remove(index).1);
    let output = match dark {
        Some(output) => {
            let mode = smithay::output::Mode { size: size.into(), refresh: mode.vrefresh() as i32 * 1000 };
            output.change_current_state(Some(mode), None, None, None);
            gde.show_on(&output);
            output
        }
        None => gde.add_screen(&name, size, mode.vrefresh() as i32 * 1000, physical_size(info), 1.0),
    };
    let Some(kms) = self::kms(gde) else { return };
    match Head::new(&kms.card, kms.is_atomic, info.handle(), crtc, mode, output.clone()) {
        Ok(head) => {
            tracing::info!("{name}: {} x {} at {} Hz", size.0, size.1, mode.vrefresh());
            kms.heads.push(head);
        }
        Err(error) => {
            tracing::warn!("{name} cannot be used: {error:#}");
            gde.remove_screen(&output);
        }
    }
}

fn add_device(gde: &mut Gde, path: &PathBuf) {
    let Some(kms) = kms(gde) else { return };
    if kms.devices.iter().any(|device| device.path() == path) {
        return;
    }
    let device = match evdev::Device::open(path) {
        Ok(Some(device)) => device,
        Ok(None) => return,
        Err(error) => {
            tracing::debug!("{}: {error}", path.display());
            return;
        }
    };
    let watched = match device.watch() {
        Ok(watched) => watched,
        Err(error) => {
            tracing::warn!("{}: {error}", path.display());
            return;
        }
    };
    let is_touch_screen = device.is_touch_screen();
    kms.devices.push(device);
    if is_touch_screen {
        gde.add_touch_screen();
    }
    let path = path.clone();
    let source = Generic::new(watched, Interest::READ, Trigger::Level);
    let result = gde.events.insert_source(source, move |_, _, gde| Ok(if read_device(gde, &path) { PostAction::Continue } else { PostAction::Remove }));
    if let Err(error) = result {
        tracing::warn!("waiting for an event device: {error}");
    }
}

/// Reads a device; whether it is still there.
fn read_device(gde: &mut Gde, path: &PathBuf) -> bool {
    let Some(kms) = kms(gde) else { return false };
    let is_active = kms.is_active;
    let Some(index) = kms.devices.iter().position(|device| device.path() == path) else { return false };
    let mut inputs: Vec<(Input, Duration)> = Vec::new();
    let result = kms.devices[index].read(|input, time| inputs.push((input, time)));
    if let Err(error) = &result {
        tracing::info!("{} is gone: {error}", path.display());
        let mut device = kms.devices.remove(index);
        device.release_all(|input| inputs.push((input, Duration::ZERO)));
    }
    for (input, time) in inputs {
        // While another terminal is shown the keys are its own.
        if is_active {
            let time = if time.is_zero() { gde.clock.now() } else { time };
            gde.input(input, time);
        }
    }
    result.is_ok()
}

/// The kernel says something of a device: `ACTION=...` and the like, each ended by a zero.
fn uevent(gde: &mut Gde, message: &[u8]) {
    let has = |entry: &[u8]| message.split(|byte| *byte == 0).any(|it| it == entry);
    if has(b"SUBSYSTEM=drm") {
        update_displays(gde);
    } else if has(b"SUBSYSTEM=input") {
        for path in evdev::list() {
            add_device(gde, &path);
        }
    }
}

/// Another terminal wants the screen.
fn release(gde: &mut Gde) {
    let mut inputs = Vec::new();
    if let Some(kms) = kms(gde) {
        for device in &mut kms.devices {
            device.release_all(|input| inputs.push(input));
        }
    }
    let now = gde.clock.now();
    for input in inputs {
        gde.input(input, now);
    }
    gde.is_super_alone = false;
    gde.layout.cancel_drag();
    if let Some(kms) = kms(gde) {
        kms.is_active = false;
        if let Err(error) = kms.card.release_master_lock() {
            tracing::warn!("giving the card up: {error}");
        }
        if let Some(vt) = &kms.vt
            && let Err(error) = vt.release()
        {
            tracing::warn!("giving the terminal up: {error}");
        }
    }
}

/// The screen is ours again.
fn acquire(gde: &mut Gde) {
    if let Some(kms) = kms(gde) {
        if let Some(vt) = &kms.vt
            && let Err(error) = vt.acquire()
        {
            tracing::warn!("taking the terminal: {error}");
        }
        if let Err(error) = kms.card.acquire_master_lock() {
            tracing::warn!("taking the card: {error}");
        }
        kms.is_active = true;
        kms.cursor = None;
        for head in &mut kms.heads {
            head.invalidate();
        }
    }
    update_displays(gde);
    for screen in &mut gde.screens {
        // A frame that was on its way is never shown.
        screen.redraw = Redraw::Queued;
    }
    gde.update_cursor();
}
