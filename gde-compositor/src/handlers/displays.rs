//! Screens for programs that arrange them (wlr-output-management): wlr-randr, kanshi, control panels. They may give screens other sizes,
//! scales and places, and switch them on and off, as `gdectl mode` and the like do, until the settings are read again; what GDE cannot do
//! (no screen at all, a turned picture) is refused as a whole, and nothing is changed.

use std::sync::{Arc, Mutex, MutexGuard};

use desktop_settings::Size;
use smithay::output::Output;
use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::{
    zwlr_output_configuration_head_v1::{self, ZwlrOutputConfigurationHeadV1},
    zwlr_output_configuration_v1::{self, ZwlrOutputConfigurationV1},
    zwlr_output_head_v1::{self, ZwlrOutputHeadV1},
    zwlr_output_manager_v1::{self, ZwlrOutputManagerV1},
    zwlr_output_mode_v1::{self, ZwlrOutputModeV1},
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_output::Transform;
use smithay::reexports::wayland_server::{Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource};

use crate::backend::DisplayMode;
use crate::settings::fits;
use crate::state::{ClientState, Gde};

/// The version that we offer: the next one adds adaptive rates, which GDE has not.
const VERSION: u32 = 3;
/// The first version in which heads have makers and models.
const SINCE_MODEL: u32 = 2;

/// Who arranges screens, and what they know.
#[derive(Debug, Default)]
pub struct Displays {
    managers: Vec<Manager>,
    /// Of what was told last.
    serial: u32,
    told: Vec<Facts>,
}

#[derive(Debug)]
struct Manager {
    resource: ZwlrOutputManagerV1,
    heads: Vec<Head>,
    /// It has been told nothing yet.
    is_new: bool,
}

/// A screen as one client knows it.
#[derive(Debug)]
struct Head {
    resource: ZwlrOutputHeadV1,
    modes: Vec<(DisplayMode, ZwlrOutputModeV1)>,
    facts: Facts,
}

/// What is told of a screen.
#[derive(Debug, Clone, PartialEq)]
struct Facts {
    output: Output,
    modes: Vec<DisplayMode>,
    size: (u32, u32),
    location: (i32, i32),
    scale: f64,
    is_on: bool,
}

/// What a client wants of a screen.
#[derive(Debug, Default)]
pub struct Wanted {
    mode: Option<(u32, u32)>,
    location: Option<(i32, i32)>,
    scale_percent: Option<u16>,
    /// Something that GDE cannot do.
    is_impossible: bool,
}

/// An arrangement in the making.
#[derive(Debug)]
pub struct Arrangement {
    serial: u32,
    is_used: bool,
    heads: Vec<(Output, Option<Arc<Mutex<Wanted>>>)>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

/// Offers the protocol to clients that are in no sandbox.
pub fn create_global(display: &DisplayHandle) {
    display.create_global::<Gde, ZwlrOutputManagerV1, ()>(VERSION, ());
}

impl Head {
    /// Makes a head for a client and tells all of it.
    fn new(gde: &Gde, manager: &ZwlrOutputManagerV1, facts: &Facts) -> Option<Head> {
        let client = manager.client()?;
        let version = manager.version();
        let resource = client.create_resource::<ZwlrOutputHeadV1, Output, Gde>(&gde.display, version, facts.output.clone()).ok()?;
        manager.head(&resource);
        let properties = facts.output.physical_properties();
        resource.name(facts.output.name());
        resource.description(facts.output.description());
        if (properties.size.w, properties.size.h) != (0, 0) {
            resource.physical_size(properties.size.w, properties.size.h);
        }
        if version >= SINCE_MODEL {
            resource.make(properties.make.clone());
            resource.model(properties.model.clone());
        }
        let mut modes = Vec::new();
        for mode in &facts.modes {
            let it = client.create_resource::<ZwlrOutputModeV1, DisplayMode, Gde>(&gde.display, version, *mode).ok()?;
            resource.mode(&it);
            it.size(mode.width as i32, mode.height as i32);
            it.refresh(mode.refresh_mhz);
            if mode.is_preferred {
                it.preferred();
            }
            modes.push((*mode, it));
        }
        let head = Head { resource, modes, facts: facts.clone() };
        head.tell_state();
        Some(head)
    }

    /// Whether it is on, and what it shows then.
    fn tell_state(&self) {
        self.resource.enabled(i32::from(self.facts.is_on));
        if self.facts.is_on {
            self.resource.transform(Transform::Normal);
            self.tell_mode();
            self.tell_location();
            self.resource.scale(self.facts.scale);
        }
    }

    fn tell_mode(&self) {
        if let Some((_, mode)) = self.modes.iter().find(|(mode, _)| (mode.width, mode.height) == self.facts.size) {
            self.resource.current_mode(mode);
        }
    }

    fn tell_location(&self) {
        self.resource.position(self.facts.location.0, self.facts.location.1);
    }

    /// Tells what is new.
    fn update(&mut self, facts: &Facts) {
        let before = std::mem::replace(&mut self.facts, facts.clone());
        if before.is_on != facts.is_on {
            return self.tell_state();
        }
        if !facts.is_on {
            // Of a screen that is off only that is told.
            return;
        }
        if before.size != facts.size {
            self.tell_mode();
        }
        if before.location != facts.location {
            self.tell_location();
        }
        if before.scale != facts.scale {
            self.resource.scale(facts.scale);
        }
    }

    fn finish(&self) {
        for (_, mode) in &self.modes {
            mode.finished();
        }
        self.resource.finished();
    }
}

impl Gde {
    fn display_facts(&self) -> Vec<Facts> {
        let one = |output: &Output, is_on: bool| {
            let size = output.current_mode().map(|mode| mode.size).unwrap_or_default();
            let location = output.current_location();
            Facts {
                output: output.clone(),
                modes: self.backend.modes(output),
                size: (size.w.unsigned_abs(), size.h.unsigned_abs()),
                location: (location.x, location.y),
                scale: output.current_scale().fractional_scale(),
                is_on,
            }
        };
        self.screens.iter().map(|screen| one(&screen.output, true)).chain(self.dark.iter().map(|output| one(output, false))).collect()
    }

    /// Tells who arranges screens what has changed. To be called when the events at hand are done.
    pub fn update_displays(&mut self) {
        self.displays.managers.retain(|manager| manager.resource.is_alive());
        if self.displays.managers.is_empty() {
            return;
        }
        let facts = self.display_facts();
        let has_changed = facts != self.displays.told;
        if has_changed {
            self.displays.serial = self.displays.serial.wrapping_add(1);
            self.displays.told.clone_from(&facts);
        }
        let serial = self.displays.serial;
        let mut managers = std::mem::take(&mut self.displays.managers);
        for manager in managers.iter_mut().filter(|manager| manager.is_new || has_changed) {
            manager.is_new = false;
            manager.heads.retain(|head| {
                // One with other modes is another one.
                let stays = facts.iter().any(|it| it.output == head.facts.output && it.modes == head.facts.modes);
                if !stays {
                    head.finish();
                }
                stays
            });
            for it in &facts {
                match manager.heads.iter_mut().find(|head| head.facts.output == it.output) {
                    Some(head) => head.update(it),
                    None => manager.heads.extend(Head::new(self, &manager.resource, it)),
                }
            }
            manager.resource.done(serial);
        }
        self.displays.managers = managers;
    }

    /// Whether an arrangement can be had, without having it.
    fn can_arrange(&self, arrangement: &Arrangement) -> bool {
        let can = |(output, wanted): &(Output, Option<Arc<Mutex<Wanted>>>)| {
            let is_there = self.screens.iter().any(|screen| screen.output == *output) || self.dark.contains(output);
            let Some(wanted) = wanted.as_ref().map(|wanted| locked(wanted)) else { return is_there };
            let has_mode = wanted.mode.is_none_or(|size| self.backend.modes(output).iter().any(|mode| (mode.width, mode.height) == size));
            let now = output.current_mode().map(|mode| mode.size).unwrap_or_default();
            let size = wanted.mode.map_or((now.w, now.h), |(w, h)| (w as i32, h as i32));
            let percent = wanted.scale_percent.unwrap_or_else(|| percent_of(output));
            is_there && has_mode && !wanted.is_impossible && fits(percent, size).is_ok()
        };
        // Without any screen nobody could take that back.
        arrangement.heads.iter().any(|(_, wanted)| wanted.is_some()) && arrangement.heads.iter().all(can)
    }

    /// Makes an arrangement; whether all of it holds now. Where it does not, everything is as before.
    fn arrange(&mut self, arrangement: &Arrangement) -> bool {
        if !self.can_arrange(arrangement) {
            return false;
        }
        let before = self.chosen.displays.clone();
        let places: Vec<_> = self.screens.iter().map(|screen| (screen.output.clone(), screen.output.current_location())).collect();
        for (output, wanted) in &arrangement.heads {
            let display = self.chosen.displays.entry(output.name()).or_default();
            display.on = wanted.is_some();
            let Some(wanted) = wanted.as_ref().map(|wanted| locked(wanted)) else { continue };
            display.size = wanted.mode.map(|(width, height)| Size { width, height }).or(display.size);
            display.scale_percent = wanted.scale_percent.or(display.scale_percent);
        }
        self.update_screens();
        let is_done = arrangement.heads.iter().all(|(output, wanted)| self.is_arranged(output, wanted.as_ref().map(|it| locked(it)).as_deref()));
        if !is_done {
            tracing::warn!("the screens could not be arranged as a program wants them; they are as before");
            self.chosen.displays = before;
            self.update_screens();
        }
        let wanted = arrangement.heads.iter().filter(|_| is_done).filter_map(|(output, wanted)| Some((output.clone(), locked(wanted.as_ref()?).location?.into())));
        for (output, location) in places.into_iter().filter(|_| !is_done).chain(wanted) {
            output.change_current_state(None, None, None, Some(location));
        }
        self.screens_changed();
        is_done
    }

    /// Whether a screen is as it was wanted.
    fn is_arranged(&self, output: &Output, wanted: Option<&Wanted>) -> bool {
        let Some(wanted) = wanted else { return self.dark.contains(output) };
        let size = output.current_mode().map(|mode| (mode.size.w.unsigned_abs(), mode.size.h.unsigned_abs()));
        self.screens.iter().any(|screen| screen.output == *output) && wanted.mode.is_none_or(|mode| Some(mode) == size) && wanted.scale_percent.is_none_or(|it| it == percent_of(output))
    }
}

/// The scale of a screen.
fn percent_of(output: &Output) -> u16 {
    (output.current_scale().fractional_scale() * 100.0).round() as u16
}

impl GlobalDispatch<ZwlrOutputManagerV1, ()> for Gde {
    fn bind(gde: &mut Gde, _: &DisplayHandle, _: &Client, resource: New<ZwlrOutputManagerV1>, _: &(), init: &mut DataInit<'_, Gde>) {
        let resource = init.init(resource, ());
        // It is told of all screens when the events at hand are done.
        gde.displays.managers.push(Manager { resource, heads: Vec::new(), is_new: true });
    }

    fn can_view(client: Client, _: &()) -> bool {
        client.get_data::<ClientState>().is_none_or(|state| state.security_context.is_none())
    }
}

impl Dispatch<ZwlrOutputManagerV1, ()> for Gde {
    fn request(
        gde: &mut Gde,
        _: &Client,
        manager: &ZwlrOutputManagerV1,
        request: zwlr_output_manager_v1::Request,
        _: &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Gde>,
    ) {
        use zwlr_output_manager_v1::Request;
        match request {
            Request::CreateConfiguration { id, serial } => {
                init.init(id, Mutex::new(Arrangement { serial, is_used: false, heads: Vec::new() }));
            }
            Request::Stop => {
                gde.displays.managers.retain(|it| it.resource != *manager);
                manager.finished();
            }
            _ => {}
        }
    }

    fn destroyed(gde: &mut Gde, _: ClientId, manager: &ZwlrOutputManagerV1, _: &()) {
        gde.displays.managers.retain(|it| it.resource != *manager);
    }
}

impl Dispatch<ZwlrOutputHeadV1, Output> for Gde {
    fn request(_: &mut Gde, _: &Client, _: &ZwlrOutputHeadV1, _: zwlr_output_head_v1::Request, _: &Output, _: &DisplayHandle, _: &mut DataInit<'_, Gde>) {
        // It can only be given back.
    }
}

impl Dispatch<ZwlrOutputModeV1, DisplayMode> for Gde {
    fn request(_: &mut Gde, _: &Client, _: &ZwlrOutputModeV1, _: zwlr_output_mode_v1::Request, _: &DisplayMode, _: &DisplayHandle, _: &mut DataInit<'_, Gde>) {
        // As above.
    }
}

impl Dispatch<ZwlrOutputConfigurationV1, Mutex<Arrangement>> for Gde {
    fn request(
        gde: &mut Gde,
        _: &Client,
        configuration: &ZwlrOutputConfigurationV1,
        request: zwlr_output_configuration_v1::Request,
        data: &Mutex<Arrangement>,
        _: &DisplayHandle,
        init: &mut DataInit<'_, Gde>,
    ) {
        use zwlr_output_configuration_v1::{Error, Request};
        let mut arrangement = locked(data);
        let is_apply = matches!(request, Request::Apply);
        match request {
            Request::EnableHead { id, head } => {
                let wanted = Arc::new(Mutex::new(Wanted::default()));
                init.init(id, Arc::clone(&wanted));
                add_head(configuration, &mut arrangement, &head, Some(wanted));
            }
            Request::DisableHead { head } => add_head(configuration, &mut arrangement, &head, None),
            Request::Apply | Request::Test => {
                if std::mem::replace(&mut arrangement.is_used, true) {
                    return configuration.post_error(Error::AlreadyUsed, "the configuration was used before");
                }
                if arrangement.serial != gde.displays.serial {
                    // Of what is not so any more.
                    return configuration.cancelled();
                }
                let mut known = gde.screens.iter().map(|screen| &screen.output).chain(&gde.dark);
                if known.any(|output| !arrangement.heads.iter().any(|(it, _)| it == output)) {
                    return configuration.post_error(Error::UnconfiguredHead, "a head is neither enabled nor disabled");
                }
                let can = if is_apply { gde.arrange(&arrangement) } else { gde.can_arrange(&arrangement) };
                if can {
                    configuration.succeeded();
                } else {
                    configuration.failed();
                }
            }
            _ => {}
        }
    }
}

fn add_head(configuration: &ZwlrOutputConfigurationV1, arrangement: &mut Arrangement, head: &ZwlrOutputHeadV1, wanted: Option<Arc<Mutex<Wanted>>>) {
    use zwlr_output_configuration_v1::Error;
    let Some(output) = head.data::<Output>() else { return };
    if arrangement.is_used {
        return configuration.post_error(Error::AlreadyUsed, "the configuration was used before");
    }
    if arrangement.heads.iter().any(|(it, _)| it == output) {
        return configuration.post_error(Error::AlreadyConfiguredHead, "the head was configured before");
    }
    arrangement.heads.push((output.clone(), wanted));
}

impl Dispatch<ZwlrOutputConfigurationHeadV1, Arc<Mutex<Wanted>>> for Gde {
    fn request(
        _: &mut Gde,
        _: &Client,
        head: &ZwlrOutputConfigurationHeadV1,
        request: zwlr_output_configuration_head_v1::Request,
        data: &Arc<Mutex<Wanted>>,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Gde>,
    ) {
        use zwlr_output_configuration_head_v1::{Error, Request};
        let mut wanted = locked(data);
        match request {
            Request::SetMode { mode } => match mode.data::<DisplayMode>() {
                Some(_) if wanted.mode.is_some() => head.post_error(Error::AlreadySet, "the mode was set before"),
                Some(mode) => wanted.mode = Some((mode.width, mode.height)),
                None => head.post_error(Error::InvalidMode, "that is no mode of this head"),
            },
            Request::SetCustomMode { .. } if wanted.mode.is_some() => head.post_error(Error::AlreadySet, "the mode was set before"),
            Request::SetCustomMode { width, height, refresh } if width <= 0 || height <= 0 || refresh < 0 => {
                head.post_error(Error::InvalidCustomMode, "the mode has no size");
            }
            Request::SetCustomMode { width, height, .. } => wanted.mode = Some((width.unsigned_abs(), height.unsigned_abs())),
            Request::SetPosition { .. } if wanted.location.is_some() => head.post_error(Error::AlreadySet, "the position was set before"),
            Request::SetPosition { x, y } => wanted.location = Some((x, y)),
            Request::SetScale { scale } if scale <= 0.0 => head.post_error(Error::InvalidScale, "the scale is not positive"),
            Request::SetScale { .. } if wanted.scale_percent.is_some() => head.post_error(Error::AlreadySet, "the scale was set before"),
            // More than there is of a scale is refused when it is to hold.
            Request::SetScale { scale } => wanted.scale_percent = Some((scale * 100.0).round() as u16),
            Request::SetTransform { transform } => match transform.into_result() {
                Ok(transform) => wanted.is_impossible |= transform != Transform::Normal,
                Err(_) => head.post_error(Error::InvalidTransform, "there is no such transform"),
            },
            _ => {}
        }
    }
}
