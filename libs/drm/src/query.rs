//! Calls that only tell something.

use crate::backend::Backend;
use crate::device::{Device, FileId, OwnedBlob};
use crate::memory::{CallerMemory, decode, encode, give_list, give_text, read_array};
use crate::objects::{Object, PlaneKind};
use crate::property::{Property, Values};
use crate::uapi::{
    Cap, CardRes, CreateBlob, Crtc, GetBlob, GetConnector, GetEncoder, GetPlane, GetProperty, Id, Lut, ObjGetProperties, PlaneRes, PropertyEnum,
    SetVersion, Unique, Version, cap, client_cap, connection, connector, encoder, name, object, plane_type,
};
use rustix::io::Errno;

/// Longest blob that a client may make, in bytes.
const MOST_BLOB: u32 = 1 << 20;
/// Most blobs of all clients together.
const MOST_BLOBS: usize = 4096;

type Memory<'a> = &'a mut dyn CallerMemory;

impl<B: Backend> Device<B> {
    pub(crate) fn version(&mut self, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: Version = decode(data);
        let identity = self.backend.identity();
        (args.major, args.minor, args.patch) = identity.version;
        give_text(memory, args.name, &mut args.name_len, identity.name)?;
        give_text(memory, args.date, &mut args.date_len, identity.date)?;
        give_text(memory, args.desc, &mut args.desc_len, identity.description)?;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn unique(&mut self, file: FileId, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: Unique = decode(data);
        // libdrm takes a card that has an address for one that somebody uses already, and opens no such by its driver's name.
        let has_address = self.file(file)?.group.is_some_and(|group| self.with_address.contains(&group));
        let text = if has_address { self.backend.identity().unique } else { String::new() };
        // Unlike other texts, this one comes whole or not at all.
        if args.len >= text.len() as u64 && !text.is_empty() {
            memory.write(args.text, text.as_bytes())?;
        }
        args.len = text.len() as u64;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn set_version(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        let args: SetVersion = decode(data);
        let (major, minor, _) = self.backend.identity().version;
        // The interface's version is 1.4.
        let is_wrong = |asked: (i32, i32), ours: (i32, i32)| asked.0 != -1 && (asked.0 != ours.0 || asked.1 < 0 || asked.1 > ours.1);
        let wrong = is_wrong((args.di_major, args.di_minor), (1, 4)) || is_wrong((args.dd_major, args.dd_minor), (major, minor));
        encode(&SetVersion { di_major: 1, di_minor: 4, dd_major: major, dd_minor: minor }, data);
        if wrong {
            return Err(Errno::INVAL);
        }
        if args.di_major == 1 && args.di_minor >= 1 {
            let group = self.file(file)?.group;
            self.with_address.extend(group);
        }
        Ok(())
    }

    pub(crate) fn get_cap(&mut self, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: Cap = decode(data);
        let cursor = self.backend.limits().cursor.unwrap_or((64, 64));
        args.value = match args.capability {
            cap::DUMB_BUFFER | cap::VBLANK_HIGH_CRTC | cap::TIMESTAMP_MONOTONIC | cap::CRTC_IN_VBLANK_EVENT => 1,
            cap::DUMB_PREFERRED_DEPTH => 24,
            cap::CURSOR_WIDTH => cursor.0.into(),
            cap::CURSOR_HEIGHT => cursor.1.into(),
            cap::DUMB_PREFER_SHADOW
            | cap::PRIME
            | cap::ASYNC_PAGE_FLIP
            | cap::ADDFB2_MODIFIERS
            | cap::PAGE_FLIP_TARGET
            | cap::SYNCOBJ
            | cap::SYNCOBJ_TIMELINE => 0,
            _ => return Err(Errno::INVAL),
        };
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn set_client_cap(&mut self, file: FileId, data: &[u8]) -> Result<(), Errno> {
        let args: Cap = decode(data);
        let most = if args.capability == client_cap::ATOMIC { 2 } else { 1 };
        if args.value > most {
            return Err(Errno::INVAL);
        }
        let file = self.file(file)?;
        match args.capability {
            client_cap::STEREO_3D | client_cap::ASPECT_RATIO => {}
            client_cap::UNIVERSAL_PLANES => file.universal_planes = args.value != 0,
            client_cap::ATOMIC => {
                file.atomic = args.value != 0;
                file.universal_planes = args.value != 0;
            }
            client_cap::WRITEBACK_CONNECTORS if file.atomic => {}
            _ => return Err(Errno::INVAL),
        }
        Ok(())
    }

    pub(crate) fn get_resources(&mut self, file: FileId, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: CardRes = decode(data);
        let fbs: Vec<u32> = self.framebuffers.iter().filter(|(_, fb)| fb.owner == Some(file)).map(|(id, _)| *id).collect();
        let of_pipes = |id: fn(&crate::objects::Pipe) -> u32| -> Vec<u32> { self.pipes.iter().map(id).collect() };
        give_list(memory, args.fbs, &mut args.count_fbs, &fbs)?;
        give_list(memory, args.crtcs, &mut args.count_crtcs, &of_pipes(|pipe| pipe.crtc))?;
        give_list(memory, args.encoders, &mut args.count_encoders, &of_pipes(|pipe| pipe.encoder))?;
        give_list(memory, args.connectors, &mut args.count_connectors, &of_pipes(|pipe| pipe.connector))?;
        (args.max_width, args.max_height) = self.backend.limits().max;
        (args.min_width, args.min_height) = (1, 1);
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn pipe_of_crtc(&self, id: u32) -> Result<usize, Errno> {
        self.pipes.iter().position(|pipe| pipe.crtc == id).ok_or(Errno::NOENT)
    }

    pub(crate) fn get_crtc(&mut self, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: Crtc = decode(data);
        let state = &self.state[self.pipe_of_crtc(args.crtc_id)?];
        let primary = state.primary;
        args.fb_id = if primary.on_crtc { primary.framebuffer } else { 0 };
        (args.x, args.y, args.gamma_size) = (primary.src_x >> 16, primary.src_y >> 16, 0);
        args.mode_valid = u32::from(state.mode.is_some());
        args.mode = state.mode.as_ref().map(|(mode, _)| *mode).unwrap_or_default();
        encode(&args, data);
        Ok(())
    }

    /// There is no gamma table: its size is 0.
    pub(crate) fn get_gamma(&mut self, data: &[u8]) -> Result<(), Errno> {
        let args: Lut = decode(data);
        self.pipe_of_crtc(args.crtc_id)?;
        if args.gamma_size == 0 { Ok(()) } else { Err(Errno::INVAL) }
    }

    pub(crate) fn set_gamma(&mut self, data: &[u8]) -> Result<(), Errno> {
        self.pipe_of_crtc(decode::<Lut>(data).crtc_id)?;
        Err(Errno::NOSYS)
    }

    pub(crate) fn get_encoder(&mut self, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: GetEncoder = decode(data);
        let Some(Object::Encoder(index)) = self.object(args.encoder_id) else { return Err(Errno::NOENT) };
        args.encoder_type = encoder::VIRTUAL;
        args.crtc_id = if self.state[index].is_connected { self.pipes[index].crtc } else { 0 };
        (args.possible_crtcs, args.possible_clones) = (1 << index, 1 << index);
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn get_connector(&mut self, file: FileId, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: GetConnector = decode(data);
        let Some(Object::Connector(index)) = self.object(args.connector_id) else { return Err(Errno::NOENT) };
        // A count of 0 asks to look at the output itself.
        if args.count_modes == 0 && self.is_current_master(file) {
            self.refresh_outputs();
        }
        let pipe = &self.pipes[index];
        let modes: &[_] = if pipe.output.is_connected { &pipe.output.modes } else { &[] };
        give_list(memory, args.modes, &mut args.count_modes, modes)?;
        give_list(memory, args.encoders, &mut args.count_encoders, &[pipe.encoder])?;
        args.encoder_id = if self.state[index].is_connected { pipe.encoder } else { 0 };
        args.connector_type = connector::VIRTUAL;
        args.connector_type_id = index as u32 + 1;
        args.connection = if pipe.output.is_connected { connection::CONNECTED } else { connection::DISCONNECTED };
        (args.mm_width, args.mm_height) = pipe.output.size_mm;
        // Unknown.
        args.subpixel = 1;
        let (ids, values) = self.property_list(file, Object::Connector(index))?;
        let mut count = args.count_props;
        give_list(memory, args.props, &mut count, &ids)?;
        give_list(memory, args.prop_values, &mut args.count_props, &values)?;
        encode(&args, data);
        Ok(())
    }

    /// An object's properties as a client sees them: ids and values.
    fn property_list(&mut self, file: FileId, object: Object) -> Result<(Vec<u32>, Vec<u64>), Errno> {
        let sees_all = self.file(file)?.atomic;
        let properties = self.properties(object);
        let seen = properties.into_iter().filter(|(property, _)| sees_all || !property.is_atomic());
        Ok(seen.map(|(property, value)| (property.id(), value)).unzip())
    }

    /// An object's properties with their values.
    pub(crate) fn properties(&self, object: Object) -> Vec<(Property, u64)> {
        use Property::*;
        match object {
            Object::Encoder(_) => Vec::new(),
            Object::Connector(index) => {
                let (pipe, state) = (&self.pipes[index], &self.state[index]);
                let crtc = if state.is_connected { pipe.crtc } else { 0 };
                let edid = pipe.edid.as_ref().map_or(0, |blob| blob.id);
                vec![(Edid, edid.into()), (Dpms, state.dpms), (LinkStatus, 0), (NonDesktop, 0), (ConnectorCrtc, crtc.into())]
            }
            Object::Crtc(index) => {
                let state = &self.state[index];
                let mode = state.mode.as_ref().map_or(0, |(_, blob)| blob.id);
                vec![(Active, state.is_active.into()), (ModeId, mode.into())]
            }
            Object::Plane(index, kind) => {
                let plane = self.state[index].plane(kind);
                let crtc = if plane.on_crtc { self.pipes[index].crtc } else { 0 };
                let plane_type = if kind == PlaneKind::Primary { plane_type::PRIMARY } else { plane_type::CURSOR };
                let signed = |value: i32| i64::from(value).cast_unsigned();
                vec![
                    (PlaneType, plane_type),
                    (FbId, plane.framebuffer.into()),
                    (CrtcId, crtc.into()),
                    (CrtcX, signed(plane.crtc_x)),
                    (CrtcY, signed(plane.crtc_y)),
                    (CrtcW, plane.crtc_w.into()),
                    (CrtcH, plane.crtc_h.into()),
                    (SrcX, plane.src_x.into()),
                    (SrcY, plane.src_y.into()),
                    (SrcW, plane.src_w.into()),
                    (SrcH, plane.src_h.into()),
                    (DamageClips, 0),
                ]
            }
        }
    }

    /// The object with an id, if it is of the asked type.
    pub(crate) fn typed_object(&self, id: u32, kind: u32) -> Result<Object, Errno> {
        let object = self.object(id).ok_or(Errno::NOENT)?;
        let its = match object {
            Object::Crtc(_) => object::CRTC,
            Object::Connector(_) => object::CONNECTOR,
            Object::Encoder(_) => object::ENCODER,
            Object::Plane(..) => object::PLANE,
        };
        if kind == object::ANY || kind == its { Ok(object) } else { Err(Errno::NOENT) }
    }

    pub(crate) fn get_object_properties(&mut self, file: FileId, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: ObjGetProperties = decode(data);
        let object = self.typed_object(args.obj_id, args.obj_type)?;
        if let Object::Encoder(_) = object {
            return Err(Errno::INVAL);
        }
        let (ids, values) = self.property_list(file, object)?;
        let mut count = args.count_props;
        give_list(memory, args.props, &mut count, &ids)?;
        give_list(memory, args.values, &mut args.count_props, &values)?;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn get_property(&mut self, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: GetProperty = decode(data);
        let property = Property::of_id(args.prop_id).ok_or(Errno::NOENT)?;
        (args.flags, args.name) = (property.flags(), name(property.name()));
        let values: Vec<u64> = match property.values() {
            Values::Range(from, to) => vec![from, to],
            Values::SignedRange(from, to) => vec![from.cast_unsigned(), to.cast_unsigned()],
            Values::Enum(names) => names.iter().map(|(value, _)| *value).collect(),
            Values::Blob => Vec::new(),
            Values::Object(kind) => vec![kind.into()],
        };
        give_list(memory, args.values, &mut args.count_values, &values)?;
        let enums: Vec<PropertyEnum> = match property.values() {
            Values::Enum(names) => names.iter().map(|(value, text)| PropertyEnum { value: *value, name: name(text) }).collect(),
            _ => Vec::new(),
        };
        give_list(memory, args.enums, &mut args.count_enums, &enums)?;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn get_blob(&mut self, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: GetBlob = decode(data);
        let bytes = self.blob(args.blob_id).ok_or(Errno::NOENT)?;
        // Unlike lists, a blob comes only where the room is exactly right.
        if args.length as usize == bytes.len() {
            memory.write(args.data, &bytes)?;
        }
        args.length = bytes.len() as u32;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn create_blob(&mut self, file: FileId, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: CreateBlob = decode(data);
        if args.length == 0 {
            return Err(Errno::INVAL);
        }
        if args.length > MOST_BLOB || self.blobs.len() >= MOST_BLOBS {
            return Err(Errno::NOMEM);
        }
        let mut bytes = vec![0; args.length as usize];
        memory.read(args.data, &mut bytes)?;
        args.blob_id = self.new_id();
        self.blobs.insert(args.blob_id, OwnedBlob { bytes: bytes.into(), owner: file });
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn destroy_blob(&mut self, file: FileId, data: &[u8]) -> Result<(), Errno> {
        let id = decode::<Id>(data).id;
        match self.blobs.get(&id) {
            None if self.blob(id).is_some() => Err(Errno::PERM),
            None => Err(Errno::NOENT),
            Some(blob) if blob.owner != file => Err(Errno::PERM),
            Some(_) => {
                self.blobs.remove(&id);
                Ok(())
            }
        }
    }

    pub(crate) fn get_plane_resources(&mut self, file: FileId, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: PlaneRes = decode(data);
        // Clients that do not ask for all see overlays only, of which there are none.
        let sees_all = self.file(file)?.universal_planes;
        let all = self.pipes.iter().flat_map(|pipe| std::iter::once(pipe.primary).chain(pipe.cursor));
        let planes: Vec<u32> = if sees_all { all.collect() } else { Vec::new() };
        give_list(memory, args.planes, &mut args.count_planes, &planes)?;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn get_plane(&mut self, data: &mut [u8], memory: Memory<'_>) -> Result<(), Errno> {
        let mut args: GetPlane = decode(data);
        let Some(Object::Plane(index, kind)) = self.object(args.plane_id) else { return Err(Errno::NOENT) };
        let plane = self.state[index].plane(kind);
        args.crtc_id = if plane.on_crtc { self.pipes[index].crtc } else { 0 };
        args.fb_id = plane.framebuffer;
        (args.possible_crtcs, args.gamma_size) = (1 << index, 0);
        let formats: Vec<u32> = match kind {
            PlaneKind::Primary => self.backend.limits().formats.iter().map(|format| format.0).collect(),
            PlaneKind::Cursor => vec![crate::fourcc::ARGB8888.0],
        };
        give_list(memory, args.formats, &mut args.count_formats, &formats)?;
        encode(&args, data);
        Ok(())
    }

    /// Reads an array of ids.
    pub(crate) fn ids(memory: Memory<'_>, address: u64, count: u64) -> Result<Vec<u32>, Errno> {
        read_array(memory, address, count)
    }
}
