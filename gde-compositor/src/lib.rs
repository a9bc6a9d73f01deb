//! GDE, the compositing window manager of GenAI OS.
//!
//! From the outside in:
//!
//! * [`backend`]: screens and input: the machine's own, a window of another compositor, or none.
//! * [`input`]: keys and pointers; [`hit`]: what is under the pointer; [`actions`]: what is done then.
//! * [`handlers`]: what clients ask for.
//! * [`desktop`]: windows in the layout of the crate `gde-layout`; [`window`]: one of them.
//! * [`screen`], [`frame`]: when something is drawn; [`render`]: what, and how.
//! * [`decoration`], [`panel`], [`launcher`], [`overview`], [`switcher`], [`wallpaper`], [`cursor`], [`notices`], [`quick`], [`menu`], [`lockscreen`]: what we draw ourselves; [`theme`]: how it looks.
//! * [`arrangement`]: what windows are used together, and offers that follow from it.
//! * [`focus_mode`]: one window, and nothing that distracts; learning sessions.
//! * [`shots`]: pictures of the screen.
//! * [`x11`]: X11 programs, by Xwayland.
//! * [`ipc`]: other programs.

pub mod actions;
pub mod arrangement;
pub mod backend;
pub mod clock;
pub mod cursor;
pub mod decoration;
pub mod desktop;
pub mod focus_mode;
pub mod frame;
pub mod handlers;
pub mod hit;
pub mod input;
pub mod ipc;
pub mod launcher;
pub mod lockscreen;
pub mod menu;
pub mod notices;
pub mod overview;
pub mod panel;
pub mod quick;
pub mod render;
mod scales;
pub mod screen;
pub mod settings;
pub mod server;
pub mod shots;
pub mod state;
pub mod switcher;
pub mod sys;
pub mod theme;
pub mod tray;
pub mod wallpaper;
pub mod window;
pub mod x11;

pub use state::Gde;
