//! What always holds.

use std::collections::HashSet;

use crate::WORKSPACES;
use crate::geometry::Rect;
use crate::layout::{Area, Layout, Mode, State, Window};

impl<W: Window> Layout<W> {
    /// Checks everything that always holds; what does not is in the error.
    ///
    /// # Errors
    /// The first violation, in words.
    pub fn verify_invariants(&self) -> Result<(), String> {
        let check = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
        check(self.active() < WORKSPACES, format!("workspace {} is shown", self.active()))?;
        let ids: HashSet<W::Id> = self.windows().map(Window::id).collect();
        check(ids.len() == self.windows().count(), "a window is there twice".into())?;
        for (name, list) in [("stack", self.stack()), ("recent", self.recent())] {
            let set: HashSet<W::Id> = list.iter().copied().collect();
            check(set == ids && list.len() == ids.len(), format!("{name} has {list:?}, but there are {ids:?}"))?;
        }
        match self.focus() {
            Some(focus) => check(self.is_visible(focus), format!("{focus:?} has the focus and is not shown"))?,
            None => check(self.visible().is_empty(), "nothing has the focus although windows are shown".into())?,
        }
        for id in self.stack().iter().copied() {
            let (Some(place), Some(frame), Some(window)) = (self.place(id), self.frame(id), self.window(id)) else {
                return Err(format!("{id:?} has no place"));
            };
            check(place.workspace < WORKSPACES, format!("{id:?} is on workspace {}", place.workspace))?;
            check(!frame.is_empty() || self.areas()[0].full.is_empty(), format!("{id:?} has an empty frame"))?;
            let area = self.area_of(&place.free);
            let usable = area.usable;
            let is_in_reach = |area: &Area| {
                let usable = area.usable;
                usable.is_empty() || (usable.y..usable.bottom()).contains(&place.free.y) && place.free.x < usable.right() && place.free.right() > usable.x
            };
            check(self.areas().iter().any(is_in_reach), format!("the title bar of {id:?} is out of reach: {:?} on {usable:?}", place.free))?;
            let fits = |rect: &Rect| window.min_size().w <= rect.w && window.min_size().h <= rect.h;
            match place.state {
                State::Fullscreen => check(frame == area.full, format!("{id:?} does not fill the screen"))?,
                State::Maximized if fits(&usable) => check(frame == usable, format!("{id:?} does not fill the usable area"))?,
                State::Snapped(zone) if fits(&zone.rect(&usable)) => {
                    check(frame == zone.rect(&usable), format!("{id:?} does not fill its zone"))?;
                }
                _ => {}
            }
        }
        (0..WORKSPACES).try_for_each(|workspace| self.verify_tiles(workspace))
    }

    fn verify_tiles(&self, workspace: usize) -> Result<(), String> {
        if self.mode(workspace) != Mode::Tiling {
            return Ok(());
        }
        let tiled = self.stack().iter().copied().filter(|id| {
            self.place(*id).is_some_and(|place| {
                place.workspace == workspace && place.state == State::Free && !place.is_minimized && !place.is_sticky && !place.is_floating && !place.is_scratchpad
            })
        });
        // One that needs more than its tile lies upon its neighbours.
        let frames: Vec<(W::Id, Rect)> = tiled
            .filter_map(|id| Some((id, self.frame(id)?)))
            .filter(|(id, frame)| self.window(*id).is_some_and(|window| frame.w > window.min_size().w && frame.h > window.min_size().h))
            .collect();
        for (index, (id, frame)) in frames.iter().enumerate() {
            for (other, rect) in &frames[index + 1..] {
                if frame.overlaps(rect) {
                    return Err(format!("{id:?} and {other:?} overlap: {frame:?}, {rect:?}"));
                }
            }
        }
        Ok(())
    }
}
