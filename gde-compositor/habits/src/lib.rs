//! Which programs' windows are used together, where, and when; and what arrangement to offer for those that are there now. No Wayland objects, no clock, no
//! files: the compositor tells what is seen ([`View`]) and what time it is, and keeps what [`Habits::to_json`] gives.
//!
//! * [`moment`]: the time here.
//! * [`place`]: where a window is, in terms that outlive it.
//! * [`view`]: the windows that are seen now.
//! * [`session`]: what was together during one sitting at the machine, and for how long.
//! * [`habits`]: the last sessions, and what the user thought of offers. Bounded, whatever is seen.
//! * [`offer`]: from these an offer, or none.
//!
//! An offer needs evidence: of the last sessions in which these programs were used together, a share had them in the same places; what counts is the lower
//! bound of that share (Wilson's interval), so that few sessions prove little. It never moves the window that has the keyboard, and is made of moves that the
//! layout can take back.

pub mod habits;
pub mod moment;
pub mod offer;
pub mod place;
pub mod session;
pub mod view;

pub use habits::{Habits, Known, Problem};
pub use moment::Moment;
pub use offer::{Initiative, Move, Offer, To, When};
pub use place::{Frame, Place, Spot};
pub use session::{Session, Together};
pub use view::{Seen, View};

/// How many sessions are remembered.
pub const SESSIONS: usize = 48;
/// How many sets of programs of one session.
pub const SETS: usize = 8;
/// How many programs of one set.
pub const APPS: usize = 8;
/// Bytes of a name at most: of a program, of a screen.
pub const NAME: usize = 96;

/// Whether a name can be remembered.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME && !name.chars().any(char::is_control)
}
