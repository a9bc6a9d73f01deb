//! Mode setting's structures and constants.

use super::structures;

/// Bits of [`ModeInfo::flags`].
pub mod mode_flag {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_FLAG_")]
    pub const PHSYNC: u32 = 1 << 0;
    pub const NHSYNC: u32 = 1 << 1;
    pub const PVSYNC: u32 = 1 << 2;
    pub const NVSYNC: u32 = 1 << 3;
    pub const INTERLACE: u32 = 1 << 4;
    pub const DBLSCAN: u32 = 1 << 5;
    /// All there are, with those of stereo and aspect ratio.
    pub const ALL: u32 = 0x7f_ffff;
}

/// Bits of [`ModeInfo::kind`].
pub mod mode_type {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_TYPE_")]
    pub const PREFERRED: u32 = 1 << 3;
    pub const USERDEF: u32 = 1 << 5;
    pub const DRIVER: u32 = 1 << 6;
}

/// Types of mode objects.
pub mod object {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_OBJECT_")]
    pub const ANY: u32 = 0;
    pub const CRTC: u32 = 0xcccc_cccc;
    pub const CONNECTOR: u32 = 0xc0c0_c0c0;
    pub const ENCODER: u32 = 0xe0e0_e0e0;
    pub const MODE: u32 = 0xdede_dede;
    pub const PROPERTY: u32 = 0xb0b0_b0b0;
    pub const FB: u32 = 0xfbfb_fbfb;
    pub const BLOB: u32 = 0xbbbb_bbbb;
    pub const PLANE: u32 = 0xeeee_eeee;
}

/// Kinds of properties, the flags of [`GetProperty`].
pub mod property {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_PROP_")]
    pub const RANGE: u32 = 1 << 1;
    pub const IMMUTABLE: u32 = 1 << 2;
    pub const ENUM: u32 = 1 << 3;
    pub const BLOB: u32 = 1 << 4;
    pub const BITMASK: u32 = 1 << 5;
    pub const OBJECT: u32 = 1 << 6;
    pub const SIGNED_RANGE: u32 = 2 << 6;
    pub const ATOMIC: u32 = 0x8000_0000;
}

/// Values of [`GetConnector::connection`].
pub mod connection {
    #![allow(missing_docs, reason = "named as in drm_mode.h")]
    pub const CONNECTED: u32 = 1;
    pub const DISCONNECTED: u32 = 2;
}

/// Types of connectors.
pub mod connector {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_CONNECTOR_")]
    pub const UNKNOWN: u32 = 0;
    pub const VIRTUAL: u32 = 15;
}

/// Types of encoders.
pub mod encoder {
    /// `DRM_MODE_ENCODER_VIRTUAL`.
    pub const VIRTUAL: u32 = 5;
}

/// Flags of [`PageFlip`] and [`Atomic`].
pub mod flip {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_")]
    pub const PAGE_FLIP_EVENT: u32 = 0x01;
    pub const PAGE_FLIP_ASYNC: u32 = 0x02;
    pub const ATOMIC_TEST_ONLY: u32 = 0x0100;
    pub const ATOMIC_NONBLOCK: u32 = 0x0200;
    pub const ATOMIC_ALLOW_MODESET: u32 = 0x0400;
}

/// Flags of [`Cursor`].
pub mod cursor {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_CURSOR_")]
    pub const BO: u32 = 1;
    pub const MOVE: u32 = 2;
}

/// Flags of [`FbDirty`].
pub mod dirty {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_FB_DIRTY_")]
    pub const ANNOTATE_COPY: u32 = 1;
    pub const ANNOTATE_FILL: u32 = 2;
    pub const MAX_CLIPS: u32 = 256;
}

/// Flags of [`FbCmd2`].
pub mod fb {
    #![allow(missing_docs, reason = "named as in drm_mode.h, without DRM_MODE_FB_")]
    pub const INTERLACED: u32 = 1;
    pub const MODIFIERS: u32 = 2;
}

/// Values of the property `type` of planes.
pub mod plane_type {
    #![allow(missing_docs, reason = "named as in drm_plane.h, without DRM_PLANE_TYPE_")]
    pub const OVERLAY: u64 = 0;
    pub const PRIMARY: u64 = 1;
    pub const CURSOR: u64 = 2;
}

structures! {
    /// `struct drm_mode_modeinfo`. `kind` is its field `type`.
    ModeInfo [68] {
        clock: u32, hdisplay: u16, hsync_start: u16, hsync_end: u16, htotal: u16, hskew: u16, vdisplay: u16, vsync_start: u16, vsync_end: u16,
        vtotal: u16, vscan: u16, vrefresh: u32, flags: u32, kind: u32, name: [u8; 32],
    }
    /// `struct drm_mode_card_res`.
    CardRes [64] {
        fbs: u64, crtcs: u64, connectors: u64, encoders: u64, count_fbs: u32, count_crtcs: u32, count_connectors: u32, count_encoders: u32,
        min_width: u32, max_width: u32, min_height: u32, max_height: u32,
    }
    /// `struct drm_mode_crtc`.
    Crtc [104] {
        set_connectors: u64, count_connectors: u32, crtc_id: u32, fb_id: u32, x: u32, y: u32, gamma_size: u32, mode_valid: u32, mode: ModeInfo,
    }
    /// `struct drm_mode_cursor`; with the hot spot `struct drm_mode_cursor2`.
    Cursor [36] { flags: u32, crtc_id: u32, x: i32, y: i32, width: u32, height: u32, handle: u32, hot_x: i32, hot_y: i32 }
    /// `struct drm_mode_crtc_lut`.
    Lut [32] { crtc_id: u32, gamma_size: u32, red: u64, green: u64, blue: u64 }
    /// `struct drm_mode_get_encoder`.
    GetEncoder [20] { encoder_id: u32, encoder_type: u32, crtc_id: u32, possible_crtcs: u32, possible_clones: u32 }
    /// `struct drm_mode_get_connector`.
    GetConnector [80] {
        encoders: u64, modes: u64, props: u64, prop_values: u64, count_modes: u32, count_props: u32, count_encoders: u32, encoder_id: u32,
        connector_id: u32, connector_type: u32, connector_type_id: u32, connection: u32, mm_width: u32, mm_height: u32, subpixel: u32, pad: u32,
    }
    /// `struct drm_mode_get_property`.
    GetProperty [64] { values: u64, enums: u64, prop_id: u32, flags: u32, name: [u8; 32], count_values: u32, count_enums: u32 }
    /// `struct drm_mode_property_enum`.
    PropertyEnum [40] { value: u64, name: [u8; 32] }
    /// `struct drm_mode_connector_set_property`.
    SetProperty [16] { value: u64, prop_id: u32, connector_id: u32 }
    /// `struct drm_mode_get_blob`.
    GetBlob [16] { blob_id: u32, length: u32, data: u64 }
    /// `struct drm_mode_fb_cmd`.
    FbCmd [28] { fb_id: u32, width: u32, height: u32, pitch: u32, bpp: u32, depth: u32, handle: u32 }
    /// `struct drm_mode_fb_cmd2`.
    FbCmd2 [104] {
        fb_id: u32, width: u32, height: u32, pixel_format: u32, flags: u32, handles: [u32; 4], pitches: [u32; 4], offsets: [u32; 4], pad: u32,
        modifier: [u64; 4],
    }
    /// A single id, for RMFB, DESTROY_DUMB and DESTROYPROPBLOB.
    Id [4] { id: u32 }
    /// `struct drm_mode_crtc_page_flip`.
    PageFlip [24] { crtc_id: u32, fb_id: u32, flags: u32, reserved: u32, user_data: u64 }
    /// `struct drm_mode_fb_dirty_cmd`.
    FbDirty [24] { fb_id: u32, flags: u32, color: u32, num_clips: u32, clips: u64 }
    /// `struct drm_clip_rect`: x2 and y2 lie beyond the rectangle.
    ClipRect [8] { x1: u16, y1: u16, x2: u16, y2: u16 }
    /// `struct drm_mode_rect`, in FB_DAMAGE_CLIPS: x2 and y2 lie beyond the rectangle.
    ModeRect [16] { x1: i32, y1: i32, x2: i32, y2: i32 }
    /// `struct drm_mode_create_dumb`.
    CreateDumb [32] { height: u32, width: u32, bpp: u32, flags: u32, handle: u32, pitch: u32, size: u64 }
    /// `struct drm_mode_map_dumb`.
    MapDumb [16] { handle: u32, pad: u32, offset: u64 }
    /// `struct drm_mode_get_plane_res`.
    PlaneRes [16] { planes: u64, count_planes: u32, pad: u32 }
    /// `struct drm_mode_get_plane`.
    GetPlane [32] { plane_id: u32, crtc_id: u32, fb_id: u32, possible_crtcs: u32, gamma_size: u32, count_formats: u32, formats: u64 }
    /// `struct drm_mode_set_plane`; sources are 16.16 fixed point, and height comes before width there.
    SetPlane [48] {
        plane_id: u32, crtc_id: u32, fb_id: u32, flags: u32, crtc_x: i32, crtc_y: i32, crtc_w: u32, crtc_h: u32, src_x: u32, src_y: u32,
        src_h: u32, src_w: u32,
    }
    /// `struct drm_mode_obj_get_properties`.
    ObjGetProperties [32] { props: u64, values: u64, count_props: u32, obj_id: u32, obj_type: u32, pad: u32 }
    /// `struct drm_mode_obj_set_property`.
    ObjSetProperty [24] { value: u64, prop_id: u32, obj_id: u32, obj_type: u32, pad: u32 }
    /// `struct drm_mode_atomic`.
    Atomic [56] { flags: u32, count_objs: u32, objs: u64, count_props: u64, props: u64, values: u64, reserved: u64, user_data: u64 }
    /// `struct drm_mode_create_blob`.
    CreateBlob [16] { data: u64, length: u32, blob_id: u32 }
}

/// Text as a fixed array that ends with a zero byte; what does not fit is cut off.
pub fn name(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let len = text.len().min(31);
    bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
    bytes
}
