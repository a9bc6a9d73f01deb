//! Atomic mode setting: many properties at once, all of them or none.

use crate::backend::{Backend, Rect};
use crate::device::{Device, FileId, Outcome};
use crate::fourcc;
use crate::memory::{CallerMemory, decode, read_array};
use crate::objects::{Object, PlaneKind, PlaneState, State};
use crate::property::{Blob, Property};
use crate::uapi::{Atomic, ModeInfo, ModeRect, flip};
use rustix::io::Errno;
use zerocopy::FromBytes;

/// Most properties set at once.
const MOST_PROPERTIES: u64 = 4096;

impl<B: Backend> Device<B> {
    pub(crate) fn atomic(&mut self, file: FileId, data: &[u8], memory: &mut dyn CallerMemory, now_ns: u64) -> Result<Outcome, Errno> {
        let args: Atomic = decode(data);
        let known = flip::PAGE_FLIP_EVENT | flip::ATOMIC_TEST_ONLY | flip::ATOMIC_NONBLOCK | flip::ATOMIC_ALLOW_MODESET;
        let (is_test, wants_event) = (args.flags & flip::ATOMIC_TEST_ONLY != 0, args.flags & flip::PAGE_FLIP_EVENT != 0);
        // PAGE_FLIP_ASYNC is not for atomic, nor does any of our devices have it.
        if !self.file(file)?.atomic || args.flags & !known != 0 || args.reserved != 0 || is_test && wants_event {
            return Err(Errno::INVAL);
        }
        let objects: Vec<u32> = read_array(memory, args.objs, args.count_objs.into())?;
        let counts: Vec<u32> = read_array(memory, args.count_props, args.count_objs.into())?;
        let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        if total > MOST_PROPERTIES {
            return Err(Errno::INVAL);
        }
        let ids: Vec<u32> = read_array(memory, args.props, total)?;
        let values: Vec<u64> = read_array(memory, args.values, total)?;
        let mut settings = ids.into_iter().zip(values);
        let mut next = self.base_state(file)?;
        // Pipes whose primary plane was given a framebuffer, and what was drawn on there since.
        let mut flipped: Vec<usize> = Vec::new();
        let mut touched: Vec<usize> = Vec::new();
        let mut damage: Vec<(usize, Vec<Rect>)> = Vec::new();
        for (id, count) in objects.into_iter().zip(counts) {
            let object = self.object(id).filter(|object| !matches!(object, Object::Encoder(_))).ok_or(Errno::NOENT)?;
            let has: Vec<Property> = self.properties(object).into_iter().map(|(property, _)| property).collect();
            let (Object::Crtc(index) | Object::Connector(index) | Object::Encoder(index) | Object::Plane(index, _)) = object;
            touched.push(index);
            for (id, value) in settings.by_ref().take(count as usize) {
                let property = has.iter().copied().find(|known| known.id() == id).ok_or(Errno::NOENT)?;
                if property.is_immutable() || !property.allows(value) {
                    return Err(Errno::INVAL);
                }
                match (object, property) {
                    (Object::Plane(_, PlaneKind::Primary), Property::DamageClips) => damage.push((index, self.damage(value)?)),
                    (Object::Plane(..), Property::DamageClips) => drop(self.damage(value)?),
                    (Object::Plane(_, PlaneKind::Primary), Property::FbId) => flipped.push(index),
                    _ => {}
                }
                self.set_property(&mut next, object, property, value)?;
            }
        }
        self.check(&next, args.flags & flip::ATOMIC_ALLOW_MODESET != 0)?;
        if is_test {
            return Ok(Outcome::Done);
        }
        touched.sort_unstable();
        touched.dedup();
        let is_nonblocking = args.flags & flip::ATOMIC_NONBLOCK != 0;
        if is_nonblocking && touched.iter().any(|pipe| self.has_flip(*pipe)) {
            return Err(Errno::BUSY);
        }
        // An event needs a CRTC that is on, before or after.
        let has_clock = |pipe: &usize| next[*pipe].is_active || self.state[*pipe].is_active;
        if wants_event && !touched.iter().all(has_clock) {
            return Err(Errno::INVAL);
        }
        let is_modeset = touched.iter().any(|pipe| next[*pipe].running_mode() != self.state[*pipe].running_mode());
        self.reserve_events(file, if wants_event { touched.len() } else { 0 })?;
        let blocks_until = touched.iter().filter(|_| !is_nonblocking && !is_modeset).map(|pipe| self.pipes[*pipe].clock).filter(|c| c.is_running());
        let blocks_until = blocks_until.map(|clock| clock.next(now_ns).1).max();
        self.commit_damaged(file, next, &flipped, &damage, now_ns)?;
        for pipe in touched {
            if wants_event || self.pipes[pipe].clock.is_running() {
                self.add_flip(pipe, wants_event.then_some((file, args.user_data)), now_ns);
            }
        }
        // Events of a display that was turned off come at once.
        self.expire(now_ns);
        Ok(blocks_until.map_or(Outcome::Done, Outcome::At))
    }

    fn reserve_events(&mut self, file: FileId, count: usize) -> Result<(), Errno> {
        let events = &mut self.file(file)?.events;
        let reserved = (0..count).take_while(|_| events.reserve()).count();
        if reserved < count {
            (0..reserved).for_each(|_| events.release());
            return Err(Errno::NOMEM);
        }
        Ok(())
    }

    /// Commits a state; where only parts of the same framebuffer have changed, only they are shown anew.
    fn commit_damaged(
        &mut self,
        file: FileId,
        next: State,
        flipped: &[usize],
        damage: &[(usize, Vec<Rect>)],
        now_ns: u64,
    ) -> Result<(), Errno> {
        let is_same = |pipe: &usize| next[*pipe].scanout() == self.state[*pipe].scanout();
        let partly: Vec<(u32, Vec<Rect>)> = damage
            .iter()
            .filter(|(pipe, parts)| flipped.contains(pipe) && is_same(pipe) && !parts.is_empty())
            .map(|(pipe, parts)| (next[*pipe].primary.framebuffer, parts.clone()))
            .collect();
        let whole: Vec<usize> = flipped
            .iter()
            .copied()
            .filter(|pipe| !partly.iter().any(|(framebuffer, _)| *framebuffer == next[*pipe].primary.framebuffer))
            .collect();
        self.commit_for(file, next, &whole, now_ns)?;
        for (framebuffer, parts) in partly {
            self.update_framebuffer(framebuffer, &parts);
        }
        Ok(())
    }

    /// The rectangles of FB_DAMAGE_CLIPS; empty for "all".
    fn damage(&self, blob: u64) -> Result<Vec<Rect>, Errno> {
        if blob == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.blob(blob as u32).ok_or(Errno::INVAL)?;
        if bytes.len() % size_of::<ModeRect>() != 0 {
            return Err(Errno::INVAL);
        }
        let rects = bytes.chunks(size_of::<ModeRect>()).filter_map(|bytes| ModeRect::read_from_bytes(bytes).ok());
        let positive = |rect: ModeRect| {
            let (x, y) = (rect.x1.max(0) as u32, rect.y1.max(0) as u32);
            let (right, lower) = (rect.x2.max(0) as u32, rect.y2.max(0) as u32);
            (x < right && y < lower).then(|| Rect { x, y, width: right - x, height: lower - y })
        };
        Ok(rects.filter_map(positive).collect())
    }

    /// Puts a property's value into a state. Whether it makes sense with the others, [`Device::check`] says.
    pub(crate) fn set_property(&mut self, next: &mut State, object: Object, property: Property, value: u64) -> Result<(), Errno> {
        let (Object::Crtc(index) | Object::Connector(index) | Object::Encoder(index) | Object::Plane(index, _)) = object;
        let crtc = |id: u64| match id {
            0 => Ok(false),
            id if self.pipes[index].crtc == id as u32 => Ok(true),
            _ => Err(Errno::INVAL),
        };
        match (object, property) {
            (Object::Crtc(_), Property::Active) => next[index].is_active = value != 0,
            (Object::Crtc(_), Property::ModeId) => next[index].mode = self.mode_of_blob(value as u32, next[index].mode.take())?,
            (Object::Connector(_), Property::ConnectorCrtc) => next[index].is_connected = crtc(value)?,
            // Setting it to "good" asks for a new training of the link, of which there is none.
            (Object::Connector(_), Property::LinkStatus) => {}
            // Through atomic commits DPMS cannot be set: ACTIVE is.
            (Object::Connector(_), Property::Dpms) => return Err(Errno::INVAL),
            (Object::Plane(_, kind), property) => {
                let on_crtc = if property == Property::CrtcId { crtc(value)? } else { next[index].plane(kind).on_crtc };
                if property == Property::FbId && value != 0 && !self.framebuffers.contains_key(&(value as u32)) {
                    return Err(Errno::INVAL);
                }
                let plane = next[index].plane_mut(kind);
                plane.on_crtc = on_crtc;
                set_plane_property(plane, property, value)?;
            }
            _ => return Err(Errno::INVAL),
        }
        Ok(())
    }

    fn mode_of_blob(&self, id: u32, old: Option<(ModeInfo, Blob)>) -> Result<Option<(ModeInfo, Blob)>, Errno> {
        if id == 0 {
            return Ok(None);
        }
        if let Some(same) = old.filter(|(_, blob)| blob.id == id) {
            return Ok(Some(same));
        }
        let bytes = self.blob(id).ok_or(Errno::INVAL)?;
        let mode = ModeInfo::read_from_bytes(&bytes).map_err(|_| Errno::INVAL)?;
        if !crate::mode::is_valid(&mode) {
            return Err(Errno::INVAL);
        }
        Ok(Some((mode, Blob { id, bytes })))
    }

    /// Whether a state can be shown.
    ///
    /// # Errors
    /// `INVAL` for contradictions, and for a change of modes where that is not allowed; `NOSPC`, `RANGE` for planes that do not fit.
    pub(crate) fn check(&self, next: &State, allow_modeset: bool) -> Result<(), Errno> {
        let limits = self.backend.limits();
        for (now, next) in self.state.iter().zip(next) {
            let has_mode = next.mode.is_some();
            if next.is_active && !has_mode || has_mode != next.is_connected {
                return Err(Errno::INVAL);
            }
            let size = next.mode.as_ref().map(|(mode, _)| crate::mode::size(mode));
            if size.is_some_and(|(width, height)| width > limits.max.0 || height > limits.max.1) {
                return Err(Errno::INVAL);
            }
            let is_modeset = now.is_active != next.is_active
                || now.is_connected != next.is_connected
                || now.mode.as_ref().map(|(mode, _)| mode) != next.mode.as_ref().map(|(mode, _)| mode);
            if is_modeset && !allow_modeset {
                return Err(Errno::INVAL);
            }
            for kind in [PlaneKind::Primary, PlaneKind::Cursor] {
                self.check_plane(kind, next.plane(kind), size)?;
            }
        }
        Ok(())
    }

    fn check_plane(&self, kind: PlaneKind, plane: &PlaneState, mode: Option<(u32, u32)>) -> Result<(), Errno> {
        if plane.on_crtc != (plane.framebuffer != 0) {
            return Err(Errno::INVAL);
        }
        if !plane.on_crtc {
            return Ok(());
        }
        let limits = self.backend.limits();
        let picture = self.framebuffers.get(&plane.framebuffer).ok_or(Errno::NOENT)?.picture;
        let is_shown = match kind {
            PlaneKind::Primary => limits.formats.contains(&picture.format),
            PlaneKind::Cursor => picture.format == fourcc::ARGB8888,
        };
        if !is_shown {
            return Err(Errno::INVAL);
        }
        let right = i64::from(plane.crtc_x) + i64::from(plane.crtc_w);
        let lower = i64::from(plane.crtc_y) + i64::from(plane.crtc_h);
        if plane.crtc_w > i32::MAX as u32 || plane.crtc_h > i32::MAX as u32 || right > i32::MAX.into() || lower > i32::MAX.into() {
            return Err(Errno::RANGE);
        }
        let (width, height) = (u64::from(picture.width) << 16, u64::from(picture.height) << 16);
        let ends = (u64::from(plane.src_x) + u64::from(plane.src_w), u64::from(plane.src_y) + u64::from(plane.src_h));
        if ends.0 > width || ends.1 > height {
            return Err(Errno::NOSPC);
        }
        // Nobody can scale.
        let is_unscaled = |source: u32, target: u32| u64::from(source) == u64::from(target) << 16;
        if !is_unscaled(plane.src_w, plane.crtc_w) || !is_unscaled(plane.src_h, plane.crtc_h) {
            return Err(Errno::RANGE);
        }
        match kind {
            // A primary plane covers its CRTC.
            PlaneKind::Primary if Some((plane.crtc_w, plane.crtc_h)) != mode || (plane.crtc_x, plane.crtc_y) != (0, 0) => Err(Errno::INVAL),
            PlaneKind::Cursor if limits.cursor.is_none_or(|most| plane.crtc_w > most.0 || plane.crtc_h > most.1) => Err(Errno::INVAL),
            _ => Ok(()),
        }
    }
}

fn set_plane_property(plane: &mut PlaneState, property: Property, value: u64) -> Result<(), Errno> {
    let word = value as u32;
    match property {
        Property::FbId => plane.framebuffer = word,
        Property::CrtcX => plane.crtc_x = value.cast_signed() as i32,
        Property::CrtcY => plane.crtc_y = value.cast_signed() as i32,
        Property::CrtcW => plane.crtc_w = word,
        Property::CrtcH => plane.crtc_h = word,
        Property::SrcX => plane.src_x = word,
        Property::SrcY => plane.src_y = word,
        Property::SrcW => plane.src_w = word,
        Property::SrcH => plane.src_h = word,
        // The caller has seen to these.
        Property::CrtcId | Property::DamageClips => {}
        _ => return Err(Errno::INVAL),
    }
    Ok(())
}
