//! DRM's user interface as data: ioctl numbers (`drm(7)`, Linux's `include/uapi/drm/drm.h` and `drm_mode.h`), structures, constants.
//!
//! An ioctl's number also says the size of its structure; only the last byte of it names the call, so that structures can grow. See
//! [`crate::memory::decode`].

mod core;
mod kms;

pub use self::core::*;
pub use self::kms::*;

/// Declares structures whose bytes travel: `repr(C)`, without padding, any bytes valid.
macro_rules! structures {
    ($($(#[$meta:meta])* $name:ident [$bytes:literal] { $($field:ident: $ty:ty),* $(,)? })*) => {$(
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)]
        #[allow(missing_docs, reason = "the field's names are those of drm_mode(7) and drm.h")]
        pub struct $name {
            $(pub $field: $ty,)*
        }
        const _: () = assert!(size_of::<$name>() == $bytes);
    )*};
}
use structures;

/// The ioctl type of all of DRM's numbers: `d`.
pub const MAGIC: u8 = b'd';
/// Major number of DRM's character devices; the minor of `card<n>` is n.
pub const MAJOR: u32 = 226;

/// The call that an ioctl number names; `None` where it is none of DRM's.
pub const fn call_of(number: u32) -> Option<u8> {
    if (number >> 8) as u8 == MAGIC { Some(number as u8) } else { None }
}
