//! Copy and paste between X11 programs and others.

use std::os::fd::OwnedFd;

use smithay::wayland::selection::SelectionTarget;
use smithay::wayland::selection::data_device::{
    clear_data_device_selection, current_data_device_selection_userdata, request_data_device_client_selection, set_data_device_selection,
};
use smithay::wayland::selection::primary_selection::{
    clear_primary_selection, current_primary_selection_userdata, request_primary_client_selection, set_primary_selection,
};

use super::message::Command;
use crate::shots::Selection as Picture;
use crate::state::Gde;

/// What the desktop itself offers to paste.
#[derive(Debug, Clone)]
pub enum Own {
    /// A picture of the screen.
    Picture(Picture),
    /// What an X11 program offers.
    X11,
}

/// The forms of what others than X11 programs offer, for Xwayland when it is started.
#[derive(Debug, Default)]
pub struct Offers {
    clipboard: Vec<String>,
    primary: Vec<String>,
}

impl Gde {
    /// Others than X11 programs offer something to paste, in these forms, or nothing any more.
    pub fn offer_x11(&mut self, target: SelectionTarget, forms: Vec<String>) {
        let kept = match target {
            SelectionTarget::Clipboard => &mut self.x11.offers.clipboard,
            SelectionTarget::Primary => &mut self.x11.offers.primary,
        };
        kept.clone_from(&forms);
        self.tell_x11(Command::Offer(target, forms));
    }

    /// Programs are served: they may paste what was copied before.
    pub(super) fn x11_ready(&mut self) {
        let (clipboard, primary) = (self.x11.offers.clipboard.clone(), self.x11.offers.primary.clone());
        for (target, forms) in [(SelectionTarget::Clipboard, clipboard), (SelectionTarget::Primary, primary)] {
            if !forms.is_empty() {
                self.tell_x11(Command::Offer(target, forms));
            }
        }
    }

    fn is_x11_selection(&self, target: SelectionTarget) -> bool {
        let is_x11 = |own: &Own| matches!(own, Own::X11);
        match target {
            SelectionTarget::Clipboard => current_data_device_selection_userdata(&self.seat).is_some_and(|own| is_x11(&own)),
            SelectionTarget::Primary => current_primary_selection_userdata(&self.seat).is_some_and(|own| is_x11(&own)),
        }
    }

    /// An X11 program offers something, or nothing any more.
    pub(super) fn x11_offers(&mut self, target: SelectionTarget, forms: Vec<String>) {
        if forms.is_empty() {
            // Not what somebody else has offered since.
            if self.is_x11_selection(target) {
                match target {
                    SelectionTarget::Clipboard => clear_data_device_selection(&self.display, &self.seat),
                    SelectionTarget::Primary => clear_primary_selection(&self.display, &self.seat),
                }
            }
            return;
        }
        match target {
            SelectionTarget::Clipboard => {
                self.x11.offers.clipboard.clear();
                set_data_device_selection(&self.display, &self.seat, forms, Own::X11);
            }
            SelectionTarget::Primary => {
                self.x11.offers.primary.clear();
                set_primary_selection(&self.display, &self.seat, forms, Own::X11);
            }
        }
    }

    /// An X11 program pastes. As a Wayland program it may where it has the keyboard; who is refused sees that there is nothing.
    pub(super) fn x11_asks(&mut self, target: SelectionTarget, form: String, to: OwnedFd) {
        if !self.has_x11_keyboard() {
            tracing::debug!("an X11 program without the keyboard wants to paste");
            return;
        }
        let own = match target {
            SelectionTarget::Clipboard => current_data_device_selection_userdata(&self.seat).map(|own| own.clone()),
            SelectionTarget::Primary => current_primary_selection_userdata(&self.seat).map(|own| own.clone()),
        };
        if let Some(own) = own {
            if let Own::Picture(picture) = own {
                picture.send(&form, to);
            }
            return;
        }
        let asked = match target {
            SelectionTarget::Clipboard => request_data_device_client_selection(&self.seat, form, to).map_err(|error| error.to_string()),
            SelectionTarget::Primary => request_primary_client_selection(&self.seat, form, to).map_err(|error| error.to_string()),
        };
        if let Err(error) = asked {
            tracing::debug!("an X11 program cannot paste: {error}");
        }
    }

    /// What X11 programs have offered is gone.
    pub(super) fn x11_paste_gone(&mut self) {
        for target in [SelectionTarget::Clipboard, SelectionTarget::Primary] {
            self.x11_offers(target, Vec::new());
        }
    }
}
