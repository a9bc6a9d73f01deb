//! Mode setting before atomic: SETCRTC, PAGE_FLIP, CURSOR, SETPLANE, DIRTYFB, and waiting for vertical blanks.

use crate::backend::{Backend, Rect};
use crate::device::{Device, FileId, Outcome, Waiting};
use crate::events::Kind;
use crate::memory::{CallerMemory, decode, encode, read_array};
use crate::objects::{Object, PlaneKind, PlaneState};
use crate::property::{Blob, Property};
use crate::uapi::{
    ClipRect, Crtc, CrtcGetSequence, CrtcQueueSequence, Cursor, FbDirty, ModeInfo, ObjSetProperty, PageFlip, SetPlane, SetProperty, WaitVblank, cursor,
    dirty, flip, sequence, wait,
};
use rustix::io::Errno;
use zerocopy::IntoBytes;

/// "The framebuffer that is shown", as an id.
const SAME_FRAMEBUFFER: u32 = u32::MAX;

impl<B: Backend> Device<B> {
    pub(crate) fn mode_blob(&mut self, mode: &ModeInfo) -> Blob {
        Blob { id: self.new_id(), bytes: mode.as_bytes().into() }
    }

    pub(crate) fn set_crtc(&mut self, file: FileId, data: &[u8], memory: &mut dyn CallerMemory, now_ns: u64) -> Result<(), Errno> {
        let args: Crtc = decode(data);
        // x and y are kept in 16.16 fixed point.
        if args.x & 0xffff_0000 != 0 || args.y & 0xffff_0000 != 0 {
            return Err(Errno::RANGE);
        }
        let index = self.pipe_of_crtc(args.crtc_id)?;
        let mut next = self.base_state(file)?;
        if args.mode_valid == 0 {
            if args.count_connectors > 0 {
                return Err(Errno::INVAL);
            }
            let cursor = PlaneState { on_crtc: false, ..next[index].cursor };
            next[index] = crate::objects::PipeState { cursor, ..Default::default() };
            return self.commit_for(file, next, &[], now_ns);
        }
        let framebuffer = match args.fb_id {
            SAME_FRAMEBUFFER => Some(next[index].primary.framebuffer).filter(|id| *id != 0).ok_or(Errno::INVAL)?,
            id => id,
        };
        let picture = self.framebuffers.get(&framebuffer).ok_or(Errno::NOENT)?.picture;
        if !crate::mode::is_valid(&args.mode) {
            return Err(Errno::INVAL);
        }
        let (width, height) = crate::mode::size(&args.mode);
        let part = Rect { x: args.x, y: args.y, width, height };
        if !part.is_within(picture.width, picture.height) {
            return Err(Errno::NOSPC);
        }
        if args.count_connectors == 0 || args.count_connectors as usize > self.pipes.len() {
            return Err(Errno::INVAL);
        }
        for id in Self::ids(memory, args.set_connectors, args.count_connectors.into())? {
            match self.object(id) {
                Some(Object::Connector(its)) if its == index => {}
                // Another pipe's cannot be had.
                Some(Object::Connector(_)) => return Err(Errno::INVAL),
                _ => return Err(Errno::NOENT),
            }
        }
        let has_mode = next[index].mode.as_ref().is_some_and(|(mode, _)| *mode == args.mode);
        if !has_mode {
            next[index].mode = Some((args.mode, self.mode_blob(&args.mode)));
        }
        let state = &mut next[index];
        (state.is_active, state.is_connected, state.dpms) = (true, true, 0);
        state.primary = PlaneState::showing(framebuffer, part, 0, 0);
        self.check(&next, true)?;
        self.commit_for(file, next, &[index], now_ns)
    }

    pub(crate) fn page_flip(&mut self, file: FileId, data: &[u8], now_ns: u64) -> Result<(), Errno> {
        let args: PageFlip = decode(data);
        if args.flags & !flip::PAGE_FLIP_EVENT != 0 || args.reserved != 0 {
            return Err(Errno::INVAL);
        }
        let index = self.pipe_of_crtc(args.crtc_id)?;
        let mut next = self.base_state(file)?;
        let old = next[index].primary;
        if old.framebuffer == 0 || !next[index].is_active {
            return Err(Errno::BUSY);
        }
        let picture = self.framebuffers.get(&args.fb_id).ok_or(Errno::NOENT)?.picture;
        if !old.part().is_within(picture.width, picture.height) {
            return Err(Errno::NOSPC);
        }
        if self.framebuffers.get(&old.framebuffer).is_some_and(|fb| fb.picture.format != picture.format) {
            return Err(Errno::INVAL);
        }
        if self.has_flip(index) {
            return Err(Errno::BUSY);
        }
        let wants_event = args.flags & flip::PAGE_FLIP_EVENT != 0;
        if wants_event && !self.file(file)?.events.reserve() {
            return Err(Errno::NOMEM);
        }
        next[index].primary.framebuffer = args.fb_id;
        self.commit_for(file, next, &[index], now_ns)?;
        self.add_flip(index, wants_event.then_some((file, args.user_data)), now_ns);
        Ok(())
    }

    /// A flip that counts as done at the next blank.
    pub(crate) fn add_flip(&mut self, pipe: usize, event: Option<(FileId, u64)>, now_ns: u64) {
        let (count, _) = self.pipes[pipe].clock.next(now_ns);
        self.waiting.push(Waiting { pipe, kind: Kind::Flip, count, event });
    }

    pub(crate) fn cursor(&mut self, file: FileId, data: &[u8], now_ns: u64) -> Result<(), Errno> {
        let args: Cursor = decode(data);
        if args.flags == 0 || args.flags & !(cursor::BO | cursor::MOVE) != 0 {
            return Err(Errno::INVAL);
        }
        let index = self.pipe_of_crtc(args.crtc_id)?;
        let most = self.backend.limits().cursor.ok_or(Errno::NXIO)?;
        let mut next = self.base_state(file)?;
        let mut plane = next[index].cursor;
        if args.flags & cursor::MOVE != 0 {
            (plane.crtc_x, plane.crtc_y) = (args.x, args.y);
        }
        if args.flags & cursor::BO != 0 {
            if args.handle == 0 {
                plane = PlaneState { crtc_x: plane.crtc_x, crtc_y: plane.crtc_y, ..PlaneState::default() };
            } else {
                if args.width == 0 || args.height == 0 || args.width > most.0 || args.height > most.1 {
                    return Err(Errno::INVAL);
                }
                let framebuffer = self.add_cursor_fb(file, args.handle, args.width, args.height)?;
                let part = Rect { width: args.width, height: args.height, ..Rect::default() };
                plane = PlaneState::showing(framebuffer, part, plane.crtc_x, plane.crtc_y);
                plane.hot = (args.hot_x.max(0) as u32, args.hot_y.max(0) as u32);
            }
        }
        next[index].cursor = plane;
        self.commit_for(file, next, &[], now_ns)
    }

    pub(crate) fn set_plane(&mut self, data: &[u8], now_ns: u64) -> Result<(), Errno> {
        let args: SetPlane = decode(data);
        let Some(Object::Plane(index, kind)) = self.object(args.plane_id) else { return Err(Errno::NOENT) };
        let mut next = self.state.clone();
        let plane = next[index].plane_mut(kind);
        if args.fb_id == 0 {
            *plane = PlaneState::default();
        } else {
            if self.pipe_of_crtc(args.crtc_id)? != index {
                return Err(Errno::INVAL);
            }
            *plane = PlaneState {
                on_crtc: true,
                framebuffer: args.fb_id,
                crtc_x: args.crtc_x,
                crtc_y: args.crtc_y,
                crtc_w: args.crtc_w,
                crtc_h: args.crtc_h,
                src_x: args.src_x,
                src_y: args.src_y,
                src_w: args.src_w,
                src_h: args.src_h,
                hot: plane.hot,
            };
        }
        self.check(&next, false)?;
        let again: &[usize] = if kind == PlaneKind::Primary { &[index] } else { &[] };
        self.commit(next, again, now_ns);
        Ok(())
    }

    pub(crate) fn dirty_fb(&mut self, data: &[u8], memory: &mut dyn CallerMemory) -> Result<(), Errno> {
        let args: FbDirty = decode(data);
        let picture = self.framebuffers.get(&args.fb_id).ok_or(Errno::NOENT)?.picture;
        let (flags, count) = (args.flags & (dirty::ANNOTATE_COPY | dirty::ANNOTATE_FILL), args.num_clips);
        let is_copy_without_pairs = flags & dirty::ANNOTATE_COPY != 0 && count % 2 != 0;
        if (count == 0) != (args.clips == 0) || is_copy_without_pairs || count > dirty::MAX_CLIPS {
            return Err(Errno::INVAL);
        }
        let clips: Vec<ClipRect> = read_array(memory, args.clips, count.into())?;
        let mut parts: Vec<Rect> = clips
            .iter()
            .filter(|clip| clip.x1 < clip.x2 && clip.y1 < clip.y2)
            .map(|clip| Rect {
                x: clip.x1.into(),
                y: clip.y1.into(),
                width: u32::from(clip.x2 - clip.x1),
                height: u32::from(clip.y2 - clip.y1),
            })
            .collect();
        if count == 0 {
            parts.push(Rect { x: 0, y: 0, width: picture.width, height: picture.height });
        }
        self.update_framebuffer(args.fb_id, &parts);
        Ok(())
    }

    pub(crate) fn set_connector_property(&mut self, data: &[u8], now_ns: u64) -> Result<(), Errno> {
        let args: SetProperty = decode(data);
        let Some(Object::Connector(_)) = self.object(args.connector_id) else { return Err(Errno::NOENT) };
        self.set_legacy_property(args.connector_id, args.prop_id, args.value, now_ns)
    }

    pub(crate) fn set_object_property(&mut self, data: &[u8], now_ns: u64) -> Result<(), Errno> {
        let args: ObjSetProperty = decode(data);
        self.typed_object(args.obj_id, args.obj_type)?;
        self.set_legacy_property(args.obj_id, args.prop_id, args.value, now_ns)
    }

    fn set_legacy_property(&mut self, id: u32, property: u32, value: u64, now_ns: u64) -> Result<(), Errno> {
        let object = self.object(id).ok_or(Errno::NOENT)?;
        let known = self.properties(object).into_iter().map(|(property, _)| property).find(|known| known.id() == property);
        let property = known.ok_or(Errno::NOENT)?;
        if property.is_immutable() || !property.allows(value) {
            return Err(Errno::INVAL);
        }
        let mut next = self.state.clone();
        if let (Property::Dpms, Object::Connector(index)) = (property, object) {
            let state = &mut next[index];
            state.dpms = value;
            // Everything but "on" is off, as for all drivers with atomic mode setting.
            state.is_active = value == 0 && state.is_connected && state.mode.is_some();
        } else {
            self.set_property(&mut next, object, property, value)?;
            self.check(&next, true)?;
        }
        self.commit(next, &[], now_ns);
        Ok(())
    }

    // ---- vertical blanks ----

    pub(crate) fn wait_vblank(&mut self, file: FileId, data: &mut [u8], now_ns: u64) -> Result<Outcome, Errno> {
        let mut args: WaitVblank = decode(data);
        let known = wait::RELATIVE | wait::HIGH_CRTC_MASK | wait::EVENT | wait::FLIP | wait::NEXTONMISS | wait::SECONDARY | wait::SIGNAL;
        if args.kind & !known != 0 || args.kind & (wait::SIGNAL | wait::FLIP) != 0 {
            return Err(Errno::INVAL);
        }
        let high = (args.kind & wait::HIGH_CRTC_MASK) >> wait::HIGH_CRTC_SHIFT;
        let index = if high != 0 { high as usize } else { usize::from(args.kind & wait::SECONDARY != 0) };
        let clock = self.pipes.get(index).ok_or(Errno::INVAL)?.clock;
        if !clock.is_running() {
            return Err(Errno::INVAL);
        }
        let current = clock.count(now_ns);
        // Sequences are 32 bits wide here; which of the near ones is meant follows from the current one.
        let mut target = if args.kind & wait::RELATIVE != 0 {
            current + u64::from(args.sequence)
        } else {
            current.wrapping_add_signed(i64::from(args.sequence.wrapping_sub(current as u32).cast_signed()))
        };
        if args.kind & wait::NEXTONMISS != 0 && target <= current {
            target = current + 1;
        }
        if args.kind & wait::EVENT != 0 {
            if !self.file(file)?.events.reserve() {
                return Err(Errno::NOMEM);
            }
            args.sequence = target as u32;
            let event = Some((file, args.low));
            self.waiting.push(Waiting { pipe: index, kind: Kind::Vblank, count: target.max(current), event });
            self.expire(now_ns);
            encode(&args, data);
            return Ok(Outcome::Done);
        }
        let reached = target.max(current);
        let time = clock.time_of(reached);
        args.sequence = reached as u32;
        (args.low, args.high) = (time / 1_000_000_000, time % 1_000_000_000 / 1000);
        encode(&args, data);
        Ok(if target > current { Outcome::At(time) } else { Outcome::Done })
    }

    pub(crate) fn get_sequence(&mut self, data: &mut [u8], now_ns: u64) -> Result<(), Errno> {
        let mut args: CrtcGetSequence = decode(data);
        let clock = self.pipes[self.pipe_of_crtc(args.crtc_id)?].clock;
        args.active = clock.is_running().into();
        args.sequence = clock.count(now_ns);
        args.sequence_ns = clock.time_of(args.sequence) as i64;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn queue_sequence(&mut self, file: FileId, data: &mut [u8], now_ns: u64) -> Result<(), Errno> {
        let mut args: CrtcQueueSequence = decode(data);
        if args.flags & !(sequence::RELATIVE | sequence::NEXT_ON_MISS) != 0 {
            return Err(Errno::INVAL);
        }
        let index = self.pipe_of_crtc(args.crtc_id)?;
        let clock = self.pipes[index].clock;
        if !clock.is_running() {
            return Err(Errno::INVAL);
        }
        let current = clock.count(now_ns);
        let mut target = if args.flags & sequence::RELATIVE != 0 { current.saturating_add(args.sequence) } else { args.sequence };
        if args.flags & sequence::NEXT_ON_MISS != 0 && target <= current {
            target = current + 1;
        }
        if !self.file(file)?.events.reserve() {
            return Err(Errno::NOMEM);
        }
        args.sequence = target;
        self.waiting.push(Waiting { pipe: index, kind: Kind::Sequence, count: target.max(current), event: Some((file, args.user_data)) });
        self.expire(now_ns);
        encode(&args, data);
        Ok(())
    }
}
