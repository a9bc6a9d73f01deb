//! What is not mode setting: versions, capabilities, masters, handles, vertical blanks.

use super::structures;

/// Numbers of calls, the last byte of the ioctl.
pub mod call {
    #![allow(missing_docs, reason = "named as in drm.h, without DRM_IOCTL_")]
    pub const VERSION: u8 = 0x00;
    pub const GET_UNIQUE: u8 = 0x01;
    pub const GET_MAGIC: u8 = 0x02;
    pub const SET_VERSION: u8 = 0x07;
    pub const GEM_CLOSE: u8 = 0x09;
    pub const GET_CAP: u8 = 0x0c;
    pub const SET_CLIENT_CAP: u8 = 0x0d;
    pub const AUTH_MAGIC: u8 = 0x11;
    pub const SET_MASTER: u8 = 0x1e;
    pub const DROP_MASTER: u8 = 0x1f;
    pub const PRIME_HANDLE_TO_FD: u8 = 0x2d;
    pub const PRIME_FD_TO_HANDLE: u8 = 0x2e;
    pub const WAIT_VBLANK: u8 = 0x3a;
    pub const CRTC_GET_SEQUENCE: u8 = 0x3b;
    pub const CRTC_QUEUE_SEQUENCE: u8 = 0x3c;
    pub const MODE_GETRESOURCES: u8 = 0xa0;
    pub const MODE_GETCRTC: u8 = 0xa1;
    pub const MODE_SETCRTC: u8 = 0xa2;
    pub const MODE_CURSOR: u8 = 0xa3;
    pub const MODE_GETGAMMA: u8 = 0xa4;
    pub const MODE_SETGAMMA: u8 = 0xa5;
    pub const MODE_GETENCODER: u8 = 0xa6;
    pub const MODE_GETCONNECTOR: u8 = 0xa7;
    pub const MODE_GETPROPERTY: u8 = 0xaa;
    pub const MODE_SETPROPERTY: u8 = 0xab;
    pub const MODE_GETPROPBLOB: u8 = 0xac;
    pub const MODE_GETFB: u8 = 0xad;
    pub const MODE_ADDFB: u8 = 0xae;
    pub const MODE_RMFB: u8 = 0xaf;
    pub const MODE_PAGE_FLIP: u8 = 0xb0;
    pub const MODE_DIRTYFB: u8 = 0xb1;
    pub const MODE_CREATE_DUMB: u8 = 0xb2;
    pub const MODE_MAP_DUMB: u8 = 0xb3;
    pub const MODE_DESTROY_DUMB: u8 = 0xb4;
    pub const MODE_GETPLANERESOURCES: u8 = 0xb5;
    pub const MODE_GETPLANE: u8 = 0xb6;
    pub const MODE_SETPLANE: u8 = 0xb7;
    pub const MODE_ADDFB2: u8 = 0xb8;
    pub const MODE_OBJ_GETPROPERTIES: u8 = 0xb9;
    pub const MODE_OBJ_SETPROPERTY: u8 = 0xba;
    pub const MODE_CURSOR2: u8 = 0xbb;
    pub const MODE_ATOMIC: u8 = 0xbc;
    pub const MODE_CREATEPROPBLOB: u8 = 0xbd;
    pub const MODE_DESTROYPROPBLOB: u8 = 0xbe;
    pub const MODE_GETFB2: u8 = 0xce;
}

/// Capabilities that [`call::GET_CAP`] knows.
pub mod cap {
    #![allow(missing_docs, reason = "named as in drm.h, without DRM_CAP_")]
    pub const DUMB_BUFFER: u64 = 0x1;
    pub const VBLANK_HIGH_CRTC: u64 = 0x2;
    pub const DUMB_PREFERRED_DEPTH: u64 = 0x3;
    pub const DUMB_PREFER_SHADOW: u64 = 0x4;
    pub const PRIME: u64 = 0x5;
    pub const TIMESTAMP_MONOTONIC: u64 = 0x6;
    pub const ASYNC_PAGE_FLIP: u64 = 0x7;
    pub const CURSOR_WIDTH: u64 = 0x8;
    pub const CURSOR_HEIGHT: u64 = 0x9;
    pub const ADDFB2_MODIFIERS: u64 = 0x10;
    pub const PAGE_FLIP_TARGET: u64 = 0x11;
    pub const CRTC_IN_VBLANK_EVENT: u64 = 0x12;
    pub const SYNCOBJ: u64 = 0x13;
    pub const SYNCOBJ_TIMELINE: u64 = 0x14;
}

/// What a client may ask for by [`call::SET_CLIENT_CAP`].
pub mod client_cap {
    #![allow(missing_docs, reason = "named as in drm.h, without DRM_CLIENT_CAP_")]
    pub const STEREO_3D: u64 = 1;
    pub const UNIVERSAL_PLANES: u64 = 2;
    pub const ATOMIC: u64 = 3;
    pub const ASPECT_RATIO: u64 = 4;
    pub const WRITEBACK_CONNECTORS: u64 = 5;
}

/// Bits of [`WaitVblank::kind`].
pub mod wait {
    #![allow(missing_docs, reason = "named as in drm.h, without _DRM_VBLANK_")]
    pub const RELATIVE: u32 = 0x1;
    pub const HIGH_CRTC_SHIFT: u32 = 1;
    pub const HIGH_CRTC_MASK: u32 = 0x3e;
    pub const EVENT: u32 = 0x0400_0000;
    pub const FLIP: u32 = 0x0800_0000;
    pub const NEXTONMISS: u32 = 0x1000_0000;
    pub const SECONDARY: u32 = 0x2000_0000;
    pub const SIGNAL: u32 = 0x4000_0000;
}

/// Flags of [`CrtcQueueSequence`].
pub mod sequence {
    /// The sequence is relative to the current one.
    pub const RELATIVE: u32 = 1;
    /// The next sequence where the asked one has passed.
    pub const NEXT_ON_MISS: u32 = 2;
}

/// Types of events.
pub mod event {
    #![allow(missing_docs, reason = "named as in drm.h, without DRM_EVENT_")]
    pub const VBLANK: u32 = 1;
    pub const FLIP_COMPLETE: u32 = 2;
    pub const CRTC_SEQUENCE: u32 = 3;
    /// Ours, to the text console only: displays have changed. Types from 0x8000_0000 on are the device's own.
    pub const DISPLAY_CHANGED: u32 = 0x8000_0001;
}

structures! {
    /// `struct drm_version`.
    Version [64] {
        major: i32, minor: i32, patch: i32, pad: u32,
        name_len: u64, name: u64, date_len: u64, date: u64, desc_len: u64, desc: u64,
    }
    /// `struct drm_unique`.
    Unique [16] { len: u64, text: u64 }
    /// `struct drm_auth`.
    Auth [4] { magic: u32 }
    /// `struct drm_set_version`: the interface's and the driver's version, -1 for "do not care".
    SetVersion [16] { di_major: i32, di_minor: i32, dd_major: i32, dd_minor: i32 }
    /// `struct drm_gem_close`.
    GemClose [8] { handle: u32, pad: u32 }
    /// `struct drm_get_cap`, and `struct drm_set_client_cap`.
    Cap [16] { capability: u64, value: u64 }
    /// `union drm_wait_vblank`: as a request `low` is a user word; as an answer `low` and `high` are seconds and microseconds.
    WaitVblank [24] { kind: u32, sequence: u32, low: u64, high: u64 }
    /// `struct drm_crtc_get_sequence`.
    CrtcGetSequence [24] { crtc_id: u32, active: u32, sequence: u64, sequence_ns: i64 }
    /// `struct drm_crtc_queue_sequence`.
    CrtcQueueSequence [24] { crtc_id: u32, flags: u32, sequence: u64, user_data: u64 }
    /// `struct drm_event_vblank`.
    EventVblank [32] { kind: u32, length: u32, user_data: u64, tv_sec: u32, tv_usec: u32, sequence: u32, crtc_id: u32 }
    /// `struct drm_event_crtc_sequence`.
    EventSequence [32] { kind: u32, length: u32, user_data: u64, time_ns: i64, sequence: u64 }
    /// `struct drm_event`, and nothing more.
    EventHeader [8] { kind: u32, length: u32 }
}
