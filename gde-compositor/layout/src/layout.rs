//! All windows on all workspaces.

use std::fmt::Debug;
use std::hash::Hash;

use crate::geometry::{Point, Rect, Size};
use crate::history::History;
use crate::zone::{self, Direction, Step, Zone};
use crate::{GAP, WORKSPACES, placement, tiling};

/// What the layout needs to know of a window.
pub trait Window {
    /// What it is told apart by.
    type Id: Copy + Eq + Hash + Debug;
    /// Its identity, which never changes.
    fn id(&self) -> Self::Id;
    /// The smallest frame it can have.
    fn min_size(&self) -> Size;
    /// The largest frame it can have; 0 for no limit.
    fn max_size(&self) -> Size;
}

/// How the windows of a workspace are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Where they were put.
    #[default]
    Floating,
    /// Beside each other.
    Tiling,
}

/// What a window's frame follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Its own rectangle; its tile where the workspace is tiled.
    #[default]
    Free,
    /// A half or a quarter of the usable area.
    Snapped(Zone),
    /// The usable area.
    Maximized,
    /// The whole screen.
    Fullscreen,
}

/// Where a window belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its workspace, from 0.
    pub workspace: usize,
    /// Its frame while it is free.
    pub free: Rect,
    /// What its frame follows from.
    pub state: State,
    /// What fullscreen was entered from.
    pub before_fullscreen: State,
    /// Not shown.
    pub is_minimized: bool,
    /// Shown on all workspaces.
    pub is_sticky: bool,
    /// Not tiled: dialogs, and what the user took out.
    pub is_floating: bool,
    /// Put away until it is called for, and then shown above the others.
    pub is_scratchpad: bool,
}

/// A screen: all of it, and what panels leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// The whole screen.
    pub full: Rect,
    /// What is left for windows.
    pub usable: Rect,
}

/// The edges that a resize moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edges {
    /// The left one.
    pub left: bool,
    /// The right one.
    pub right: bool,
    /// The upper one.
    pub top: bool,
    /// The lower one.
    pub bottom: bool,
}

struct Entry<W> {
    window: W,
    place: Place,
}

/// What undo goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrangement<I> {
    /// In tiling order.
    places: Vec<(I, Place)>,
    modes: [Mode; WORKSPACES],
    shares: [i32; WORKSPACES],
}

/// A drag in progress.
struct Drag<I> {
    id: I,
    before: Arrangement<I>,
    start: Rect,
    pointer: Point,
    edges: Edges,
}

/// All windows.
pub struct Layout<W: Window> {
    /// In tiling order.
    entries: Vec<Entry<W>>,
    /// From the lowest to the topmost.
    stack: Vec<W::Id>,
    /// The last focused one first.
    recent: Vec<W::Id>,
    active: usize,
    modes: [Mode; WORKSPACES],
    shares: [i32; WORKSPACES],
    areas: Vec<Area>,
    history: History<Arrangement<W::Id>>,
    drag: Option<Drag<W::Id>>,
    /// What was before changes that are one for undo.
    together: Option<Arrangement<W::Id>>,
}

/// How much of a free window's upper edge stays within reach.
const REACH: i32 = 64;

impl<W: Window> Layout<W> {
    /// An empty layout on these screens. There is always at least one: where none is given, an empty one.
    pub fn new(areas: Vec<Area>) -> Self {
        let mut layout = Layout {
            entries: Vec::new(),
            stack: Vec::new(),
            recent: Vec::new(),
            active: 0,
            modes: [Mode::default(); WORKSPACES],
            shares: [500; WORKSPACES],
            areas: Vec::new(),
            history: History::default(),
            drag: None,
            together: None,
        };
        layout.set_areas(areas);
        layout
    }

    /// The screens.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// Other screens, or other panels on them. Free windows are moved into reach.
    pub fn set_areas(&mut self, mut areas: Vec<Area>) {
        if areas.is_empty() {
            areas.push(Area { full: Rect::default(), usable: Rect::default() });
        }
        self.areas = areas;
        for index in 0..self.entries.len() {
            let free = self.entries[index].place.free;
            self.entries[index].place.free = self.within_reach(free);
        }
    }

    /// Screens are elsewhere, or have more or fewer units: from which rectangle to which. Their windows stay on them, where they were as seen from the screen's
    /// middle, no larger than what can be used of it, and what was wholly in sight stays so. To be called before [`Layout::set_areas`].
    pub fn follow(&mut self, moves: &[(Rect, Rect)]) {
        let moves: Vec<(Area, Rect)> = moves.iter().filter_map(|(old, new)| Some((*self.areas.iter().find(|area| area.full == *old)?, *new))).collect();
        for index in 0..self.entries.len() {
            let free = self.entries[index].place.free;
            let now = self.area_of(&free);
            if let Some((old, new)) = moves.iter().find(|(old, _)| old.full == now.full) {
                self.entries[index].place.free = followed(free, old, new);
            }
        }
    }

    /// The screen that most of a rectangle is on.
    pub fn area_of(&self, rect: &Rect) -> Area {
        let best = self.areas.iter().max_by_key(|area| (area.full.intersection(rect).pixels(), area.full.contains(rect.centre())));
        // `max_by_key` gives the last of equals; the first screen is the main one.
        match best {
            Some(best) if best.full.overlaps(rect) => *best,
            _ => self.areas[0],
        }
    }

    fn within_reach(&self, rect: Rect) -> Rect {
        let area = self.area_of(&rect).usable;
        let reach = REACH.min(rect.w);
        let x = rect.x.clamp((area.x - rect.w).saturating_add(reach).min(area.right() - reach), (area.right() - reach).max(area.x - rect.w + reach));
        let y = rect.y.clamp(area.y, (area.bottom() - REACH / 2).max(area.y));
        rect.at(x, y)
    }

    fn index(&self, id: W::Id) -> Option<usize> {
        self.entries.iter().position(|entry| entry.window.id() == id)
    }

    /// A window.
    pub fn window(&self, id: W::Id) -> Option<&W> {
        self.index(id).map(|index| &self.entries[index].window)
    }

    /// A window, to change what it knows of itself.
    pub fn window_mut(&mut self, id: W::Id) -> Option<&mut W> {
        self.index(id).map(|index| &mut self.entries[index].window)
    }

    /// All windows in tiling order.
    pub fn windows(&self) -> impl Iterator<Item = &W> {
        self.entries.iter().map(|entry| &entry.window)
    }

    /// All windows, to change what they know of themselves.
    pub fn windows_mut(&mut self) -> impl Iterator<Item = &mut W> {
        self.entries.iter_mut().map(|entry| &mut entry.window)
    }

    /// Where a window belongs.
    pub fn place(&self, id: W::Id) -> Option<&Place> {
        self.index(id).map(|index| &self.entries[index].place)
    }

    /// From the lowest to the topmost, of all workspaces.
    pub fn stack(&self) -> &[W::Id] {
        &self.stack
    }

    /// The last focused one first, of all workspaces.
    pub fn recent(&self) -> &[W::Id] {
        &self.recent
    }

    /// The workspace that is shown.
    pub fn active(&self) -> usize {
        self.active
    }

    /// How a workspace is arranged.
    pub fn mode(&self, workspace: usize) -> Mode {
        self.modes.get(workspace).copied().unwrap_or_default()
    }

    fn shows(place: &Place, workspace: usize) -> bool {
        !place.is_minimized && (place.is_sticky || place.workspace == workspace)
    }

    /// Whether a window is shown now.
    pub fn is_visible(&self, id: W::Id) -> bool {
        self.place(id).is_some_and(|place| Self::shows(place, self.active))
    }

    /// The windows that a workspace shows, from the lowest to the topmost.
    pub fn shown_on(&self, workspace: usize) -> Vec<W::Id> {
        self.stack.iter().copied().filter(|id| self.place(*id).is_some_and(|place| Self::shows(place, workspace))).collect()
    }

    /// The windows that are shown now, from the lowest to the topmost.
    pub fn visible(&self) -> Vec<W::Id> {
        self.shown_on(self.active)
    }

    /// The window that has the keyboard.
    pub fn focus(&self) -> Option<W::Id> {
        self.recent.iter().copied().find(|id| self.is_visible(*id))
    }

    /// Whether a window in this place has a tile.
    pub fn is_tiled(&self, place: &Place) -> bool {
        self.mode(place.workspace) == Mode::Tiling && place.state == State::Free && !place.is_minimized && !place.is_sticky && !place.is_floating && !place.is_scratchpad
    }

    /// The frame of a window.
    pub fn frame(&self, id: W::Id) -> Option<Rect> {
        let index = self.index(id)?;
        let Entry { window, place } = &self.entries[index];
        let area = self.area_of(&place.free);
        let grown = |rect: Rect| {
            let min = window.min_size();
            Rect::new(rect.x, rect.y, rect.w.max(min.w), rect.h.max(min.h)).pushed_into(&area.full)
        };
        Some(match place.state {
            State::Fullscreen => area.full,
            State::Maximized => grown(area.usable),
            State::Snapped(zone) => grown(zone.rect(&area.usable)),
            State::Free if self.is_tiled(place) => {
                let peers = self.entries.iter().filter(|it| {
                    it.place.workspace == place.workspace && self.is_tiled(&it.place) && self.area_of(&it.place.free) == area
                });
                let ids: Vec<_> = peers.map(|it| it.window.id()).collect();
                let tiles = tiling::tiles(&area.usable, ids.len(), self.shares[place.workspace], GAP);
                let own = ids.iter().position(|it| *it == id)?;
                grown(tiles[own])
            }
            State::Free => place.free,
        })
    }

    fn arrangement(&self) -> Arrangement<W::Id> {
        let places = self.entries.iter().map(|entry| (entry.window.id(), entry.place)).collect();
        Arrangement { places, modes: self.modes, shares: self.shares }
    }

    /// Makes a change that can be undone; whether anything changed.
    fn change(&mut self, change: impl FnOnce(&mut Self)) -> bool {
        let before = self.arrangement();
        change(self);
        let has_changed = self.arrangement() != before;
        if has_changed {
            self.record(before);
        }
        has_changed
    }

    fn record(&mut self, before: Arrangement<W::Id>) {
        if self.together.is_none() {
            self.history.record(before);
        }
    }

    /// All changes from now on are one for undo, until [`Layout::end_together`].
    pub fn begin_together(&mut self) {
        if self.together.is_none() {
            self.together = Some(self.arrangement());
        }
    }

    /// Changes are each one for undo again.
    pub fn end_together(&mut self) {
        if let Some(before) = self.together.take().filter(|before| *before != self.arrangement()) {
            self.history.record(before);
        }
    }

    fn change_place(&mut self, id: W::Id, change: impl FnOnce(&mut Place)) -> bool {
        let Some(index) = self.index(id) else { return false };
        self.change(|layout| change(&mut layout.entries[index].place))
    }

    /// Adds a window that wants a frame of this size. Where `parent` is shown the window is put upon its middle and is not tiled.
    pub fn open(&mut self, window: W, size: Size, parent: Option<W::Id>) {
        let id = window.id();
        if self.index(id).is_some() {
            return;
        }
        let area = match self.focus().and_then(|focus| self.frame(focus)) {
            Some(frame) => self.area_of(&frame).usable,
            None => self.areas[0].usable,
        };
        let size = clamp(&window, size);
        // No larger than the screen, if it can be smaller.
        let size = clamp(&window, Size { w: size.w.min(area.w), h: size.h.min(area.h) });
        let parent = parent.and_then(|id| Some((*self.place(id)?, self.frame(id)?)));
        let workspace = parent.map_or(self.active, |(place, _)| place.workspace);
        let free = match parent {
            Some((_, frame)) => {
                let centre = frame.centre();
                Rect::new(centre.x - size.w / 2, centre.y - size.h / 2, size.w, size.h).pushed_into(&area)
            }
            None => {
                let others: Vec<Rect> = self.visible().into_iter().filter_map(|id| self.frame(id)).collect();
                placement::place(&area, size, &others)
            }
        };
        let free = self.within_reach(free);
        let place = Place {
            workspace,
            free,
            state: State::Free,
            before_fullscreen: State::Free,
            is_minimized: false,
            is_sticky: false,
            is_floating: parent.is_some(),
            is_scratchpad: false,
        };
        self.entries.push(Entry { window, place });
        self.stack.push(id);
        self.recent.insert(0, id);
    }

    /// Removes a window.
    pub fn close(&mut self, id: W::Id) -> Option<W> {
        if self.drag.as_ref().is_some_and(|drag| drag.id == id) {
            self.drag = None;
        }
        self.stack.retain(|it| *it != id);
        self.recent.retain(|it| *it != id);
        self.index(id).map(|index| self.entries.remove(index).window)
    }

    /// Gives a window the keyboard and shows it: above the others, on its workspace.
    pub fn activate(&mut self, id: W::Id) {
        let Some(index) = self.index(id) else { return };
        let place = &mut self.entries[index].place;
        place.is_minimized = false;
        if !place.is_sticky {
            self.active = place.workspace;
        }
        self.stack.retain(|it| *it != id);
        self.stack.push(id);
        self.recent.retain(|it| *it != id);
        self.recent.insert(0, id);
    }

    /// Shows a workspace; whether there is one with this number.
    pub fn switch_to(&mut self, workspace: usize) -> bool {
        if workspace < WORKSPACES {
            self.drag = None;
            self.active = workspace;
        }
        workspace < WORKSPACES
    }

    /// Moves a window to a workspace, without following it.
    pub fn move_to(&mut self, id: W::Id, workspace: usize) -> bool {
        workspace < WORKSPACES && self.change_place(id, |place| place.workspace = workspace)
    }

    /// Gives a window a state. What a free window's rectangle was is kept.
    pub fn set_state(&mut self, id: W::Id, state: State) -> bool {
        self.change_place(id, |place| set_state(place, state))
    }

    /// What an arrow key does to a window.
    pub fn step(&mut self, id: W::Id, direction: Direction) -> bool {
        self.change_place(id, |place| match zone::step(place.state, direction) {
            Step::Become(state) => set_state(place, state),
            Step::Minimize => place.is_minimized = true,
        })
    }

    /// Hides a window or shows it again.
    pub fn set_minimized(&mut self, id: W::Id, is_minimized: bool) -> bool {
        self.change_place(id, |place| place.is_minimized = is_minimized)
    }

    /// Shows a window on all workspaces, or on the present one only.
    pub fn toggle_sticky(&mut self, id: W::Id) -> bool {
        let active = self.active;
        self.change_place(id, |place| {
            place.is_sticky = !place.is_sticky;
            place.workspace = active;
        })
    }

    /// Takes a window out of the tiles or puts it back.
    pub fn toggle_floating(&mut self, id: W::Id) -> bool {
        self.change_place(id, |place| place.is_floating = !place.is_floating)
    }

    /// Puts a window into the scratchpad, or takes it out.
    pub fn toggle_scratchpad_of(&mut self, id: W::Id) -> bool {
        self.change_place(id, |place| {
            place.is_scratchpad = !place.is_scratchpad;
            place.is_minimized = place.is_scratchpad;
        })
    }

    /// Calls for the scratchpad's windows on the present workspace, or puts them away.
    pub fn toggle_scratchpad(&mut self) -> bool {
        let ids: Vec<_> = self.entries.iter().filter(|it| it.place.is_scratchpad).map(|it| it.window.id()).collect();
        let is_shown = ids.iter().any(|id| self.is_visible(*id));
        let active = self.active;
        let changed = self.change(|layout| {
            for entry in layout.entries.iter_mut().filter(|it| it.place.is_scratchpad) {
                entry.place.is_minimized = is_shown;
                entry.place.workspace = active;
            }
        });
        if !is_shown {
            for id in ids {
                self.activate(id);
            }
        }
        changed
    }

    /// Arranges a workspace in another way.
    pub fn set_mode(&mut self, workspace: usize, mode: Mode) -> bool {
        workspace < WORKSPACES && self.change(|layout| layout.modes[workspace] = mode)
    }

    /// Gives the main window of the present workspace more or less of the width, in thousandths.
    pub fn change_share(&mut self, by: i32) -> bool {
        let active = self.active;
        self.change(|layout| {
            let share = layout.shares[active].saturating_add(by);
            layout.shares[active] = share.clamp(*tiling::SHARE.start(), *tiling::SHARE.end());
        })
    }

    /// Exchanges two windows: their tiles, or their frames.
    pub fn swap(&mut self, one: W::Id, other: W::Id) -> bool {
        let (Some(a), Some(b)) = (self.index(one), self.index(other)) else { return false };
        if a == b {
            return false;
        }
        self.change(|layout| {
            let place = layout.entries[a].place;
            layout.entries[a].place = layout.entries[b].place;
            layout.entries[b].place = place;
            layout.entries.swap(a, b);
            for index in [a, b] {
                let Entry { window, place } = &layout.entries[index];
                let free = place.free;
                let size = clamp(window, free.size());
                layout.entries[index].place.free = layout.within_reach(Rect { w: size.w, h: size.h, ..free });
            }
        })
    }

    /// Gives a window a frame of its own.
    pub fn set_frame(&mut self, id: W::Id, frame: Rect) -> bool {
        let Some(index) = self.index(id) else { return false };
        let size = clamp(&self.entries[index].window, frame.size());
        let free = self.within_reach(Rect { w: size.w, h: size.h, ..frame });
        self.change_place(id, |place| {
            place.free = free;
            place.state = State::Free;
            place.is_floating = true;
        })
    }

    /// The window has chosen another size for its frame itself: no change of the user's, so it is not kept for undo. Of `keep` the right and
    /// lower edges stay where they are; else the left and upper ones do.
    pub fn resized_itself(&mut self, id: W::Id, size: Size, keep: Edges) {
        let Some(index) = self.index(id) else { return };
        let Entry { window, place } = &self.entries[index];
        if place.state != State::Free || self.is_tiled(place) {
            return;
        }
        let size = clamp(window, size);
        let was = place.free;
        let x = if keep.right { was.right().saturating_sub(size.w) } else { was.x };
        let y = if keep.bottom { was.bottom().saturating_sub(size.h) } else { was.y };
        self.entries[index].place.free = self.within_reach(Rect::new(x, y, size.w, size.h));
    }

    /// Begins to move a window, or to resize it by some edges.
    pub fn begin_drag(&mut self, id: W::Id, pointer: Point, edges: Edges) -> bool {
        let (Some(frame), Some(place)) = (self.frame(id), self.place(id)) else { return false };
        if place.state == State::Fullscreen || !self.is_visible(id) {
            return false;
        }
        self.drag = Some(Drag { id, before: self.arrangement(), start: frame, pointer, edges });
        true
    }

    /// The window that is dragged.
    pub fn dragged(&self) -> Option<W::Id> {
        self.drag.as_ref().map(|drag| drag.id)
    }

    /// The pointer has moved during a drag. A snapped window comes loose when it is moved.
    pub fn drag_to(&mut self, pointer: Point) {
        let Some(id) = self.dragged() else { return };
        let Some(place) = self.place(id).copied() else { return };
        let is_fixed = place.state != State::Free || self.is_tiled(&place);
        let Some(drag) = &mut self.drag else { return };
        let (dx, dy) = (pointer.x.saturating_sub(drag.pointer.x), pointer.y.saturating_sub(drag.pointer.y));
        let edges = drag.edges;
        let start = drag.start;
        let Some(index) = self.entries.iter().position(|entry| entry.window.id() == id) else { return };
        if edges == Edges::default() {
            const SLACK: i32 = 8;
            if is_fixed {
                if dx.abs() < SLACK && dy.abs() < SLACK {
                    return;
                }
                // The pointer keeps its place along the title bar.
                let free = place.free.size();
                let along = i64::from(pointer.x.saturating_sub(start.x)) * i64::from(free.w) / i64::from(start.w.max(1));
                let x = pointer.x.saturating_sub(along as i32);
                let y = pointer.y.saturating_sub(drag.pointer.y.saturating_sub(start.y).min(free.h / 2));
                let loose = Rect::new(x, y, free.w, free.h);
                drag.start = loose;
                drag.pointer = pointer;
                self.entries[index].place.state = State::Free;
                self.entries[index].place.is_floating = true;
                self.entries[index].place.free = self.within_reach(loose);
                return;
            }
            let moved = start.at(start.x.saturating_add(dx), start.y.saturating_add(dy));
            self.entries[index].place.free = self.within_reach(moved);
            return;
        }
        let mut size = start.size();
        size.w = size.w.saturating_add(if edges.left { -dx } else if edges.right { dx } else { 0 });
        size.h = size.h.saturating_add(if edges.top { -dy } else if edges.bottom { dy } else { 0 });
        let size = clamp(&self.entries[index].window, size);
        let x = if edges.left { start.right().saturating_sub(size.w) } else { start.x };
        let y = if edges.top { start.bottom().saturating_sub(size.h) } else { start.y };
        let free = self.within_reach(Rect::new(x, y, size.w, size.h));
        let place = &mut self.entries[index].place;
        place.state = State::Free;
        place.is_floating = true;
        place.free = free;
    }

    /// What the dragged window would become if it were let go now, and its frame then.
    pub fn drag_preview(&self, pointer: Point) -> Option<(State, Rect)> {
        let drag = self.drag.as_ref()?;
        if drag.edges != Edges::default() || self.place(drag.id)?.state != State::Free {
            return None;
        }
        let area = self.area_of(&Rect::new(pointer.x, pointer.y, 1, 1));
        let state = zone::at_pointer(&area.usable, pointer)?;
        let rect = match state {
            State::Snapped(zone) => zone.rect(&area.usable),
            _ => area.usable,
        };
        Some((state, rect))
    }

    /// Ends a drag: at the edge of the screen the window snaps. One change for undo.
    pub fn end_drag(&mut self, pointer: Point) {
        let preview = self.drag_preview(pointer);
        let Some(drag) = self.drag.take() else { return };
        if let Some((state, _)) = preview
            && let Some(index) = self.index(drag.id)
        {
            // Free again it has the rectangle that the drag began with, on this screen.
            let place = &mut self.entries[index].place;
            place.state = state;
            let free = place.free;
            let was = drag.before.places.iter().find(|(id, _)| *id == drag.id).map(|(_, place)| place.free);
            let area = self.area_of(&free);
            if let Some(was) = was.filter(|was| area.full.overlaps(was)) {
                self.entries[index].place.free = self.within_reach(was);
            }
        }
        if self.arrangement() != drag.before {
            self.record(drag.before);
        }
    }

    /// Ends a drag with everything as it was before.
    pub fn cancel_drag(&mut self) {
        if let Some(drag) = self.drag.take() {
            self.restore(drag.before);
        }
    }

    fn restore(&mut self, arrangement: Arrangement<W::Id>) {
        self.modes = arrangement.modes;
        self.shares = arrangement.shares;
        let order: Vec<W::Id> = arrangement.places.iter().map(|(id, _)| *id).collect();
        for (id, place) in arrangement.places {
            if let Some(index) = self.index(id) {
                let size = clamp(&self.entries[index].window, place.free.size());
                let free = self.within_reach(Rect { w: size.w, h: size.h, ..place.free });
                self.entries[index].place = Place { free, ..place };
            }
        }
        // Windows that were opened later stay behind the others.
        self.entries.sort_by_key(|entry| order.iter().position(|id| *id == entry.window.id()).unwrap_or(usize::MAX));
    }

    /// Takes back the last change. Windows that were opened since stay where they are; false where there is nothing to take back.
    pub fn undo(&mut self) -> bool {
        self.drag = None;
        self.end_together();
        let now = self.arrangement();
        let before = self.history.undo(now);
        before.map(|before| self.restore(before)).is_some()
    }

    /// Makes the last change again that was undone.
    pub fn redo(&mut self) -> bool {
        self.drag = None;
        self.end_together();
        let now = self.arrangement();
        let after = self.history.redo(now);
        after.map(|after| self.restore(after)).is_some()
    }

    /// How many changes can be undone.
    pub fn undo_depth(&self) -> usize {
        self.history.len()
    }

    /// The topmost window at a point.
    pub fn at(&self, point: Point) -> Option<W::Id> {
        self.visible().into_iter().rev().find(|id| self.frame(*id).is_some_and(|frame| frame.contains(point)))
    }
}

fn set_state(place: &mut Place, state: State) {
    if state == State::Fullscreen && place.state != State::Fullscreen {
        place.before_fullscreen = place.state;
    }
    place.state = state;
}

/// A size within the limits of a window.
fn clamp<W: Window>(window: &W, size: Size) -> Size {
    // A frame always has room for its title bar.
    const SMALLEST: i32 = 48;
    const LARGEST: i32 = 16384;
    let limit = |value: i32, min: i32, max: i32| {
        let min = min.clamp(SMALLEST, LARGEST);
        let max = if max <= 0 { LARGEST } else { max.clamp(min, LARGEST) };
        value.clamp(min, max)
    };
    let (min, max) = (window.min_size(), window.max_size());
    Size { w: limit(size.w, min.w, max.w), h: limit(size.h, min.h, max.h) }
}

/// Where a window is on a screen that has become another one, with panels as wide as before.
fn followed(free: Rect, old: &Area, new: &Rect) -> Rect {
    let (full, usable) = (old.full, old.usable);
    let (left, top) = (usable.x - full.x, usable.y - full.y);
    let room = Rect::new(new.x + left, new.y + top, new.w - left - (full.right() - usable.right()), new.h - top - (full.bottom() - usable.bottom()));
    // An edge of one dimension: where it begins and how long it is.
    let one = |at: i32, length: i32, (old_at, old_length): (i32, i32), (room_at, room_length): (i32, i32)| {
        let kept = length.min(room_length).max(1);
        let from_middle = i64::from(at) + i64::from(length / 2) - i64::from(old_at) - i64::from(old_length / 2);
        let middle = i64::from(room_at) + i64::from(room_length / 2) + from_middle * i64::from(room_length) / i64::from(old_length.max(1));
        let begin = middle - i64::from(kept / 2);
        let was_in_sight = at >= old_at && i64::from(at) + i64::from(length) <= i64::from(old_at) + i64::from(old_length);
        let last = i64::from(room_at) + i64::from(room_length - kept).max(0);
        let begin = if was_in_sight { begin.clamp(room_at.into(), last) } else { begin };
        (begin.clamp(i32::MIN.into(), i32::MAX.into()) as i32, kept)
    };
    let (x, w) = one(free.x, free.w, (usable.x, usable.w), (room.x, room.w));
    let (y, h) = one(free.y, free.h, (usable.y, usable.h), (room.y, room.h));
    Rect::new(x, y, w, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_their_screen() {
        let area = |full: Rect| Area { full, usable: Rect::new(full.x, full.y + 30, full.w, full.h - 30) };
        let old = area(Rect::new(0, 0, 1280, 800));
        let new = Rect::new(2000, 100, 640, 400);
        let room = area(new).usable;
        for free in [Rect::new(0, 244, 820, 556), Rect::new(160, 67, 960, 676), Rect::new(1180, 700, 100, 100), Rect::new(0, 30, 1280, 770)] {
            let followed = followed(free, &old, &new);
            assert!(room.contains_rect(&followed), "{free:?} is at {followed:?} of {room:?}");
        }
        // There and back again where it fits.
        let small = Rect::new(400, 300, 300, 200);
        let there = followed(small, &old, &new);
        assert_eq!((there.w, there.h), (300, 200));
        let back = followed(there, &area(new), &old.full);
        assert!((back.x - small.x).abs() <= 2 && (back.y - small.y).abs() <= 4, "{back:?}");
        // What hung over the edge hangs over it.
        assert!(followed(Rect::new(-200, 100, 400, 200), &old, &new).x < new.x);
    }
}
