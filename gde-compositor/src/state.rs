//! All state of the compositor.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gde_layout::{Area, Layout, Rect};
use gde_raster::Kernels;
use smithay::desktop::PopupManager;
use smithay::input::keyboard::{KeyboardHandle, Keycode, XkbConfig};
use smithay::input::pointer::{CursorImageStatus, PointerHandle};
use smithay::input::{Seat, SeatState};
use smithay::output::{Mode, Output, PhysicalProperties, Scale, Subpixel};
use smithay::reexports::calloop::LoopHandle;
use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{Display, DisplayHandle};
use smithay::utils::{Logical, Point, Transform};
use smithay::wayland::compositor::{CompositorClientState, CompositorState};
use smithay::wayland::cursor_shape::CursorShapeManagerState;
use smithay::wayland::foreign_toplevel_list::ForeignToplevelListState;
use smithay::wayland::fractional_scale::FractionalScaleManagerState;
use smithay::wayland::idle_inhibit::IdleInhibitManagerState;
use smithay::wayland::idle_notify::IdleNotifierState;
use smithay::wayland::input_method::InputMethodManagerState;
use smithay::wayland::output::OutputManagerState;
use smithay::wayland::pointer_constraints::PointerConstraintsState;
use smithay::wayland::pointer_gestures::PointerGesturesState;
use smithay::wayland::presentation::PresentationState;
use smithay::wayland::relative_pointer::RelativePointerManagerState;
use smithay::wayland::security_context::{SecurityContext, SecurityContextState};
use smithay::wayland::selection::data_device::DataDeviceState;
use smithay::wayland::selection::ext_data_control;
use smithay::wayland::selection::primary_selection::PrimarySelectionState;
use smithay::wayland::selection::wlr_data_control;
use smithay::wayland::session_lock::{LockSurface, SessionLockManagerState};
use smithay::wayland::shell::wlr_layer::WlrLayerShellState;
use smithay::wayland::shell::xdg::XdgShellState;
use smithay::wayland::shell::xdg::decoration::XdgDecorationState;
use smithay::wayland::shm::ShmState;
use smithay::wayland::single_pixel_buffer::SinglePixelBufferState;
use smithay::wayland::text_input::TextInputManagerState;
use smithay::wayland::viewporter::ViewporterState;
use smithay::wayland::virtual_keyboard::VirtualKeyboardManagerState;
use smithay::wayland::xdg_activation::XdgActivationState;
use smithay::wayland::xdg_foreign::XdgForeignState;

use crate::backend::Backend;
use crate::clock::Clock;
use crate::cursor::Cursors;
use crate::handlers::pending::Pending;
use crate::ipc::Ipc;
use crate::render::Renderer;
use crate::render::picture::Canvas;
use crate::screen::{Redraw, Screen};
use crate::theme::{self, Fonts};
use crate::wallpaper::wallpaper;
use crate::window::{Window, WindowId};

/// What belongs to a client.
#[derive(Debug, Default)]
pub struct ClientState {
    /// Of its surfaces.
    pub compositor: CompositorClientState,
    /// Where it comes from a sandbox.
    pub security_context: Option<SecurityContext>,
}

impl ClientData for ClientState {
    fn initialized(&self, _client_id: ClientId) {}
    fn disconnected(&self, client_id: ClientId, reason: DisconnectReason) {
        tracing::debug!("client {client_id:?} is gone: {reason:?}");
    }
}

/// Whether a client may use what controls the session: not from within a sandbox.
fn is_trusted(client: &smithay::reexports::wayland_server::Client) -> bool {
    client.get_data::<ClientState>().is_none_or(|state| state.security_context.is_none())
}

/// smithay's part of the protocols.
#[allow(missing_docs)]
pub struct Protocols {
    pub compositor: CompositorState,
    pub shm: ShmState,
    pub xdg_shell: XdgShellState,
    pub layer_shell: WlrLayerShellState,
    pub data_device: DataDeviceState,
    pub primary_selection: PrimarySelectionState,
    pub wlr_data_control: wlr_data_control::DataControlState,
    pub ext_data_control: ext_data_control::DataControlState,
    pub activation: XdgActivationState,
    pub foreign: XdgForeignState,
    pub foreign_toplevels: ForeignToplevelListState,
    pub idle: IdleNotifierState<Gde>,
    pub session_lock: SessionLockManagerState,
}

/// The session's lock.
#[derive(Debug, Default)]
pub struct Lock {
    /// Whether nothing but the lock is shown.
    pub is_locked: bool,
    /// Its surfaces by screen.
    pub surfaces: HashMap<Output, LockSurface>,
    /// Ours, where no other program's is there.
    pub own: Option<crate::lockscreen::LockScreen>,
}

/// The compositor.
pub struct Gde {
    /// Clients' connections.
    pub display: DisplayHandle,
    /// The event loop.
    pub events: LoopHandle<'static, Gde>,
    /// The time.
    pub clock: Clock,
    /// Whether the loop should end.
    pub is_stopping: bool,
    /// Where screens and input come from.
    pub backend: Backend,
    /// What draws.
    pub renderer: Renderer,
    /// Whether a better renderer is to be looked for.
    pub is_renderer_open: bool,
    /// The screens that show something.
    pub screens: Vec<Screen>,
    /// Where they were last, and their scales.
    screens_before: Vec<(Output, Rect, f64)>,
    /// Those that are there, and switched off.
    pub dark: Vec<Output>,
    /// Where windows are.
    pub layout: Layout<Window>,
    /// Toplevels that are not shown yet.
    pub pending: Vec<Pending>,
    /// For the next window.
    pub next_window: WindowId,
    /// The protocols.
    pub protocols: Protocols,
    /// Clients' popups.
    pub popups: PopupManager,
    /// Keyboards and pointers together.
    pub seats: SeatState<Gde>,
    /// What popups hold the keyboard and the pointer by.
    pub popup_grab: Option<smithay::desktop::PopupGrab<Gde>>,
    /// The one seat.
    pub seat: Seat<Gde>,
    /// Its keyboard.
    pub keyboard: KeyboardHandle<Gde>,
    /// Fingers on its touch screens.
    pub fingers: crate::input::touch::Fingers,
    /// Its pointer.
    pub pointer: PointerHandle<Gde>,
    /// Keys whose press was ours: so is their release.
    pub suppressed: HashSet<Keycode>,
    /// Super was pressed, and nothing else since.
    pub is_super_alone: bool,
    /// What the client under the pointer wants the pointer to be.
    pub cursor_status: CursorImageStatus,
    /// Whether the pointer must be drawn otherwise.
    pub is_cursor_stale: bool,
    /// Whether the keyboard has gone to another surface since a client's hold of the pointer was looked at.
    pub is_constraint_stale: bool,
    /// Whether something else may be under the pointer since that was looked at.
    pub is_pointer_stale: bool,
    /// Where the surface under the pointer was when its client was told last.
    pub pointer_origin: Option<crate::hit::Surface>,
    /// What the pointer is where it is over something of ours.
    pub own_cursor: Option<smithay::input::pointer::CursorIcon>,
    /// The pointer's images.
    pub cursors: Cursors,
    /// What is dragged from client to client.
    pub drag_icon: Option<WlSurface>,
    /// A layer surface that was clicked on and wants the keyboard.
    pub layer_focus: Option<WlSurface>,
    /// When a title bar was clicked on last, and which.
    pub last_click: Option<(u32, WindowId)>,
    /// Surfaces that keep the session from being idle.
    pub inhibitors: HashSet<WlSurface>,
    /// The session's lock.
    pub lock: Lock,
    /// Fonts.
    pub fonts: Fonts,
    /// Commands and events of other programs.
    pub ipc: Ipc,
    /// What programs that we start get.
    pub environment: Vec<(String, OsString)>,
    /// Where sockets are.
    pub runtime_dir: Option<PathBuf>,
    /// What is shown while a window is switched to.
    pub switcher: Option<crate::switcher::Switcher>,
    /// The launcher, while it is open.
    pub launcher: Option<crate::launcher::Launcher>,
    /// The overview, while it is open.
    pub overview: Option<crate::overview::Overview>,
    /// A part of the screen, while it is chosen for a picture.
    pub region: Option<crate::shots::Region>,
    /// The quick settings.
    pub quick: crate::quick::QuickSettings,
    /// Short words of programs.
    pub notices: crate::notices::Notices,
    /// When the user has done something last.
    pub last_input: std::time::Duration,
    /// The panel.
    pub panel: crate::panel::Panel,
    /// Programs' pictures on it.
    pub tray: crate::tray::Tray,
    /// One window, and nothing that distracts.
    pub focus_mode: crate::focus_mode::FocusMode,
    /// Which windows are used together, and what to offer.
    pub arrangement: crate::arrangement::Arrangement,
    /// A menu of a program there.
    pub menu: Option<crate::menu::OpenMenu>,
    /// What is done about frames that no display shows; tests do it themselves.
    pub headless_frames: Option<Box<dyn FnMut(&mut Gde)>>,
    /// Who waits for the first frame.
    pub manager: service_notify::Manager,
    /// X11 programs.
    pub x11: crate::x11::X11,
    /// Who arranges screens.
    pub displays: crate::handlers::displays::Displays,
    /// Who lists windows.
    pub taskbars: crate::handlers::taskbar::Taskbars,
    /// The user's settings.
    pub chosen: crate::settings::Chosen,
    /// Whether windows appear and disappear gradually.
    pub has_animations: bool,
}

impl Gde {
    /// A compositor without screens.
    ///
    /// # Errors
    /// Where there is no keyboard layout (xkb-data is missing).
    pub fn new(display: &Display<Gde>, events: LoopHandle<'static, Gde>, clock: Clock, backend: Backend, kernels: Kernels) -> anyhow::Result<Self> {
        let handle = display.handle();
        let mut seats = SeatState::new();
        let mut seat = seats.new_wl_seat(&handle, "seat0");
        let layout = crate::input::layout::Layout::of_machine();
        let keyboard = seat
            .add_keyboard(layout.config(), 400, 30)
            .or_else(|error| {
                tracing::warn!("{layout:?} ({}): {error}; taking the default layout", crate::input::layout::PATH);
                seat.add_keyboard(XkbConfig::default(), 400, 30)
            })
            .map_err(|error| anyhow::anyhow!("compiling the keyboard layout: {error} (is xkb-data installed?)"))?;
        let pointer = seat.add_pointer();
        let primary_selection = PrimarySelectionState::new::<Gde>(&handle);
        let protocols = Protocols {
            compositor: CompositorState::new::<Gde>(&handle),
            shm: ShmState::new::<Gde>(&handle, []),
            xdg_shell: XdgShellState::new::<Gde>(&handle),
            layer_shell: WlrLayerShellState::new_with_filter::<Gde, _>(&handle, is_trusted),
            data_device: DataDeviceState::new::<Gde>(&handle),
            wlr_data_control: wlr_data_control::DataControlState::new::<Gde, _>(&handle, Some(&primary_selection), is_trusted),
            ext_data_control: ext_data_control::DataControlState::new::<Gde, _>(&handle, Some(&primary_selection), is_trusted),
            primary_selection,
            activation: XdgActivationState::new::<Gde>(&handle),
            foreign: XdgForeignState::new::<Gde>(&handle),
            foreign_toplevels: ForeignToplevelListState::new_with_filter::<Gde>(&handle, is_trusted),
            idle: IdleNotifierState::new(&handle, events.clone()),
            session_lock: SessionLockManagerState::new::<Gde, _>(&handle, is_trusted),
        };
        // These keep nothing that we need.
        OutputManagerState::new_with_xdg_output::<Gde>(&handle);
        XdgDecorationState::new::<Gde>(&handle);
        ViewporterState::new::<Gde>(&handle);
        FractionalScaleManagerState::new::<Gde>(&handle);
        PresentationState::new::<Gde>(&handle, smithay::utils::Clock::<smithay::utils::Monotonic>::new().id() as u32);
        SinglePixelBufferState::new::<Gde>(&handle);
        CursorShapeManagerState::new::<Gde>(&handle);
        TextInputManagerState::new::<Gde>(&handle);
        InputMethodManagerState::new::<Gde, _>(&handle, is_trusted);
        VirtualKeyboardManagerState::new::<Gde, _>(&handle, is_trusted);
        RelativePointerManagerState::new::<Gde>(&handle);
        PointerConstraintsState::new::<Gde>(&handle);
        PointerGesturesState::new::<Gde>(&handle);
        IdleInhibitManagerState::new::<Gde>(&handle);
        SecurityContextState::new::<Gde, _>(&handle, is_trusted);
        crate::handlers::screencopy::create_global(&handle);
        crate::handlers::taskbar::create_global(&handle);
        crate::handlers::displays::create_global(&handle);
        Ok(Gde {
            display: handle,
            events,
            clock,
            is_stopping: false,
            backend,
            renderer: Renderer::new(kernels),
            is_renderer_open: false,
            screens: Vec::new(),
            screens_before: Vec::new(),
            dark: Vec::new(),
            layout: Layout::new(Vec::new()),
            pending: Vec::new(),
            next_window: 1,
            protocols,
            popups: PopupManager::default(),
            popup_grab: None,
            seats,
            seat,
            keyboard,
            fingers: crate::input::touch::Fingers::default(),
            pointer,
            suppressed: HashSet::new(),
            is_super_alone: false,
            cursor_status: CursorImageStatus::default_named(),
            is_cursor_stale: true,
            is_constraint_stale: false,
            is_pointer_stale: false,
            pointer_origin: None,
            own_cursor: None,
            cursors: Cursors::default(),
            drag_icon: None,
            layer_focus: None,
            last_click: None,
            inhibitors: HashSet::new(),
            lock: Lock::default(),
            fonts: Fonts::load(),
            ipc: Ipc::default(),
            environment: Vec::new(),
            runtime_dir: None,
            switcher: None,
            launcher: None,
            overview: None,
            region: None,
            quick: crate::quick::QuickSettings::default(),
            notices: crate::notices::Notices::default(),
            last_input: std::time::Duration::ZERO,
            panel: crate::panel::Panel::default(),
            tray: crate::tray::Tray::default(),
            focus_mode: crate::focus_mode::FocusMode::default(),
            arrangement: crate::arrangement::Arrangement::default(),
            menu: None,
            headless_frames: None,
            manager: service_notify::Manager::default(),
            x11: crate::x11::X11::default(),
            displays: crate::handlers::displays::Displays::default(),
            taskbars: crate::handlers::taskbar::Taskbars::default(),
            chosen: crate::settings::Chosen::default(),
            has_animations: true,
        })
    }

    /// Adds a client that is at the other end of a socket.
    pub fn add_client(&mut self, stream: std::os::unix::net::UnixStream) {
        if let Err(error) = self.display.insert_client(stream, Arc::new(ClientState::default())) {
            tracing::warn!("a client cannot be added: {error}");
        }
    }

    /// Adds a screen to the right of the others. The scale is made one that can be told.
    pub fn add_screen(&mut self, name: &str, size: (i32, i32), refresh_mhz: i32, physical_mm: (i32, i32), scale: f64) -> Output {
        let output = new_output(name, size, refresh_mhz, physical_mm);
        output.change_current_state(None, None, Some(Scale::Fractional(gde_raster::Scale::of(scale).factor())), None);
        self.show_on(&output);
        output
    }

    /// Adds a screen that shows nothing.
    pub fn add_dark_screen(&mut self, name: &str, size: (i32, i32), refresh_mhz: i32, physical_mm: (i32, i32)) -> Output {
        let output = new_output(name, size, refresh_mhz, physical_mm);
        self.dark.push(output.clone());
        output
    }

    /// A screen shows something from now on, to the right of the others.
    pub fn show_on(&mut self, output: &Output) {
        self.dark.retain(|it| it != output);
        if self.screens.iter().any(|screen| screen.output == *output) {
            return;
        }
        let right = self.screens.iter().map(|screen| self.screen_rect(screen)).map(|rect| rect.right()).max().unwrap_or(0);
        output.change_current_state(None, None, None, Some((right, 0).into()));
        let global = output.create_global::<Gde>(&self.display);
        self.screens.push(Screen {
            tracker: tracker(output),
            output: output.clone(),
            global,
            redraw: Redraw::Queued,
            wallpaper: wallpaper_of(output),
            feedback: None,
            frames: 0,
        });
        self.screens_changed();
    }

    /// A screen shows nothing from now on.
    pub fn darken(&mut self, output: &Output) {
        if self.screens.iter().any(|screen| screen.output == *output) {
            self.remove_screen(output);
            self.dark.push(output.clone());
        }
    }

    /// A screen has another size.
    pub fn resize_screen(&mut self, output: &Output, size: (i32, i32), refresh_mhz: i32) {
        let mode = Mode { size: size.into(), refresh: refresh_mhz };
        output.change_current_state(Some(mode), None, None, None);
        self.redraw_all_of(output);
        self.screens_changed();
    }

    /// Everything on a screen has another size. Those to its right follow its edge.
    pub fn rescale_screen(&mut self, output: &Output, scale: gde_raster::Scale) {
        let right = |gde: &Gde| gde.screens.iter().find(|screen| screen.output == *output).map(|screen| gde.screen_rect(screen).right());
        let Some(before) = right(self) else { return };
        output.change_current_state(None, None, Some(Scale::Fractional(scale.factor())), None);
        let after = right(self).unwrap_or(before);
        for other in self.screens.iter().map(|screen| &screen.output).filter(|it| *it != output) {
            let at = other.current_location();
            if at.x >= before {
                other.change_current_state(None, None, None, Some((at.x + after - before, at.y).into()));
            }
        }
        self.redraw_all_of(output);
        self.screens_changed();
    }

    fn redraw_all_of(&mut self, output: &Output) {
        if let Some(screen) = self.screens.iter_mut().find(|screen| screen.output == *output) {
            screen.tracker = tracker(output);
            screen.wallpaper = wallpaper_of(output);
            screen.redraw.queue();
        }
    }

    /// A screen is gone.
    pub fn remove_screen(&mut self, output: &Output) {
        self.dark.retain(|it| it != output);
        if let Some(index) = self.screens.iter().position(|screen| screen.output == *output) {
            let screen = self.screens.remove(index);
            self.display.remove_global::<Gde>(screen.global);
            self.lock.surfaces.remove(output);
            self.screens_changed();
        }
    }

    /// The logical rectangle of a screen.
    pub fn screen_rect(&self, screen: &Screen) -> Rect {
        let location = screen.output.current_location();
        let size = screen.output.current_mode().map(|mode| mode.size).unwrap_or_default();
        let size = size.to_f64().to_logical(screen.output.current_scale().fractional_scale()).to_i32_round();
        Rect::new(location.x, location.y, size.w, size.h)
    }

    /// Tells everyone about other screens, or other panels on them.
    pub fn screens_changed(&mut self) {
        self.windows_follow();
        let mut areas = Vec::new();
        for screen in &self.screens {
            let full = self.screen_rect(screen);
            let mut map = smithay::desktop::layer_map_for_output(&screen.output);
            map.arrange();
            let zone = map.non_exclusive_zone();
            let mut usable = Rect::new(full.x + zone.loc.x, full.y + zone.loc.y, zone.size.w, zone.size.h);
            if self.panel.is_shown {
                let below = theme::PANEL_HEIGHT - zone.loc.y.min(theme::PANEL_HEIGHT);
                usable = Rect::new(usable.x, usable.y + below, usable.w, usable.h - below);
            }
            areas.push(Area { full, usable });
        }
        self.layout.set_areas(areas);
        self.scales_changed();
        self.configure_locks();
        self.sync_windows();
        self.clamp_pointer();
        self.queue_redraws();
    }

    /// Windows stay on their screens where those are elsewhere, or have another scale.
    fn windows_follow(&mut self) {
        let now: Vec<(Output, Rect, f64)> = self.screens.iter().map(|it| (it.output.clone(), self.screen_rect(it), it.output.current_scale().fractional_scale())).collect();
        let has_moved = |(_, old, scale): &(Output, Rect, f64), (_, new, new_scale): &(Output, Rect, f64)| (old.x, old.y, *scale) != (new.x, new.y, *new_scale);
        let pairs = now.iter().filter_map(|new| Some((self.screens_before.iter().find(|old| old.0 == new.0)?, new)));
        let moves: Vec<(Rect, Rect)> = pairs.filter(|(old, new)| has_moved(old, new)).map(|(old, new)| (old.1, new.1)).collect();
        self.layout.follow(&moves);
        self.screens_before = now;
    }

    /// The screen at a place, else the first one.
    pub fn screen_at(&self, at: Point<f64, Logical>) -> Option<&Screen> {
        let point = gde_layout::Point { x: at.x as i32, y: at.y as i32 };
        self.screens.iter().find(|screen| self.screen_rect(screen).contains(point)).or(self.screens.first())
    }

    /// All screens are to be drawn again where something has changed.
    pub fn queue_redraws(&mut self) {
        for screen in &mut self.screens {
            screen.redraw.queue();
        }
    }

    /// The time since a moment, and how far an animation of this length is: 0 to 1, slower towards its end.
    pub fn progress(&self, since: Duration, length: Duration) -> f64 {
        if !self.has_animations {
            return 1.0;
        }
        let t = (self.clock.now().saturating_sub(since).as_secs_f64() / length.as_secs_f64()).clamp(0.0, 1.0);
        1.0 - (1.0 - t).powi(3)
    }
}

/// A screen in the making: what it can show, and nothing else.
fn new_output(name: &str, size: (i32, i32), refresh_mhz: i32, physical_mm: (i32, i32)) -> Output {
    let properties = PhysicalProperties { size: physical_mm.into(), subpixel: Subpixel::Unknown, make: "GenAI OS".into(), model: name.into() };
    let output = Output::new(name.to_owned(), properties);
    let mode = Mode { size: size.into(), refresh: refresh_mhz };
    output.change_current_state(Some(mode), Some(Transform::Normal), Some(Scale::Fractional(1.0)), None);
    output.set_preferred(mode);
    output
}

fn size_of(output: &Output) -> (i32, i32) {
    output.current_mode().map_or((1, 1), |mode| (mode.size.w.max(1), mode.size.h.max(1)))
}

fn tracker(output: &Output) -> smithay::backend::renderer::damage::OutputDamageTracker {
    smithay::backend::renderer::damage::OutputDamageTracker::new(size_of(output), output.current_scale().fractional_scale(), Transform::Normal)
}

/// The wallpaper in the screen's own pixels.
fn wallpaper_of(output: &Output) -> Canvas {
    let (w, h) = size_of(output);
    let scale = gde_raster::Scale::of(output.current_scale().fractional_scale());
    Canvas::new(wallpaper(w as usize, h as usize).with_scale(scale))
}
