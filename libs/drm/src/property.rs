//! Properties of mode objects, by ids that all devices share, and blobs.

use crate::uapi::{plane_type, property};
use std::rc::Rc;

/// All properties, in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in Linux")]
pub enum Property {
    Edid,
    Dpms,
    LinkStatus,
    NonDesktop,
    ConnectorCrtc,
    Active,
    ModeId,
    PlaneType,
    FbId,
    CrtcId,
    CrtcX,
    CrtcY,
    CrtcW,
    CrtcH,
    SrcX,
    SrcY,
    SrcW,
    SrcH,
    DamageClips,
}

/// What values a property has.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// From, to.
    Range(u64, u64),
    /// From, to.
    SignedRange(i64, i64),
    /// Names of values.
    Enum(&'static [(u64, &'static str)]),
    /// Id of a blob.
    Blob,
    /// Id of an object of this type.
    Object(u32),
}

/// A property's id of the first one; they come first of all objects.
const FIRST_ID: u32 = 1;

const ALL: [Property; 19] = [
    Property::Edid,
    Property::Dpms,
    Property::LinkStatus,
    Property::NonDesktop,
    Property::ConnectorCrtc,
    Property::Active,
    Property::ModeId,
    Property::PlaneType,
    Property::FbId,
    Property::CrtcId,
    Property::CrtcX,
    Property::CrtcY,
    Property::CrtcW,
    Property::CrtcH,
    Property::SrcX,
    Property::SrcY,
    Property::SrcW,
    Property::SrcH,
    Property::DamageClips,
];

/// The id after the last property's.
pub const FIRST_FREE_ID: u32 = FIRST_ID + ALL.len() as u32;

/// Values of DPMS: on, standby, suspend, off.
const DPMS: &[(u64, &str)] = &[(0, "On"), (1, "Standby"), (2, "Suspend"), (3, "Off")];
const LINK_STATUS: &[(u64, &str)] = &[(0, "Good"), (1, "Bad")];
const PLANE_TYPES: &[(u64, &str)] = &[(plane_type::OVERLAY, "Overlay"), (plane_type::PRIMARY, "Primary"), (plane_type::CURSOR, "Cursor")];

impl Property {
    /// Its id.
    pub fn id(self) -> u32 {
        FIRST_ID + self as u32
    }

    /// The property with an id.
    pub fn of_id(id: u32) -> Option<Self> {
        ALL.get(id.checked_sub(FIRST_ID)? as usize).copied()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edid => "EDID",
            Self::Dpms => "DPMS",
            Self::LinkStatus => "link-status",
            Self::NonDesktop => "non-desktop",
            Self::ConnectorCrtc | Self::CrtcId => "CRTC_ID",
            Self::Active => "ACTIVE",
            Self::ModeId => "MODE_ID",
            Self::PlaneType => "type",
            Self::FbId => "FB_ID",
            Self::CrtcX => "CRTC_X",
            Self::CrtcY => "CRTC_Y",
            Self::CrtcW => "CRTC_W",
            Self::CrtcH => "CRTC_H",
            Self::SrcX => "SRC_X",
            Self::SrcY => "SRC_Y",
            Self::SrcW => "SRC_W",
            Self::SrcH => "SRC_H",
            Self::DamageClips => "FB_DAMAGE_CLIPS",
        }
    }

    /// Its values.
    pub fn values(self) -> Values {
        match self {
            Self::Edid | Self::ModeId | Self::DamageClips => Values::Blob,
            Self::Dpms => Values::Enum(DPMS),
            Self::LinkStatus => Values::Enum(LINK_STATUS),
            Self::PlaneType => Values::Enum(PLANE_TYPES),
            Self::NonDesktop | Self::Active => Values::Range(0, 1),
            Self::ConnectorCrtc | Self::CrtcId => Values::Object(crate::uapi::object::CRTC),
            Self::FbId => Values::Object(crate::uapi::object::FB),
            Self::CrtcX | Self::CrtcY => Values::SignedRange(i32::MIN.into(), i32::MAX.into()),
            Self::CrtcW | Self::CrtcH => Values::Range(0, i32::MAX as u64),
            Self::SrcX | Self::SrcY | Self::SrcW | Self::SrcH => Values::Range(0, u32::MAX.into()),
        }
    }

    /// Whether only clients with the capability `ATOMIC` see it.
    pub fn is_atomic(self) -> bool {
        !matches!(self, Self::Edid | Self::Dpms | Self::LinkStatus | Self::NonDesktop | Self::PlaneType)
    }

    /// Whether it cannot be set.
    pub fn is_immutable(self) -> bool {
        matches!(self, Self::Edid | Self::NonDesktop | Self::PlaneType)
    }

    /// The flags of `DRM_IOCTL_MODE_GETPROPERTY`.
    pub fn flags(self) -> u32 {
        let kind = match self.values() {
            Values::Range(..) => property::RANGE,
            Values::SignedRange(..) => property::SIGNED_RANGE,
            Values::Enum(_) => property::ENUM,
            Values::Blob => property::BLOB,
            Values::Object(_) => property::OBJECT,
        };
        let immutable = if self.is_immutable() { property::IMMUTABLE } else { 0 };
        kind | immutable | if self.is_atomic() { property::ATOMIC } else { 0 }
    }

    /// Whether a value is one of its values; ids of objects are looked at by who knows the objects.
    pub fn allows(self, value: u64) -> bool {
        match self.values() {
            Values::Range(from, to) => (from..=to).contains(&value),
            Values::SignedRange(from, to) => (from..=to).contains(&value.cast_signed()),
            Values::Enum(names) => names.iter().any(|(known, _)| *known == value),
            Values::Blob | Values::Object(_) => value <= u32::MAX.into(),
        }
    }
}

/// Bytes under an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its id.
    pub id: u32,
    /// Its bytes.
    pub bytes: Rc<[u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_properties() {
        for (index, property) in ALL.iter().enumerate() {
            assert_eq!(*property as usize, index);
            assert_eq!(Property::of_id(property.id()), Some(*property));
        }
        assert_eq!(Property::of_id(0), None);
        assert_eq!(Property::of_id(FIRST_FREE_ID), None);
    }

    #[test]
    fn values_are_checked() {
        assert!(Property::CrtcX.allows((-5i64).cast_unsigned()) && !Property::CrtcX.allows(1 << 40));
        assert!(Property::Active.allows(1) && !Property::Active.allows(2));
        assert!(!Property::Dpms.allows(4));
    }
}
