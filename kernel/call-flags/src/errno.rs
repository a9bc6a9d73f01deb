//! The errors that calls refuse flags with.

macro_rules! errnos {
    ($($name:ident = $value:literal),* $(,)?) => {
        /// An error number of `errno(3)`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(i32)]
        pub enum Errno {
            $(#[doc = concat!("`", stringify!($name), "`")] $name = $value),*
        }

        impl Errno {
            /// All that are used here.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

errnos! {
    EPERM = 1,
    EIO = 5,
    EAGAIN = 11,
    ENOMEM = 12,
    ENODEV = 19,
    EINVAL = 22,
    ENOSYS = 38,
    ENOPKG = 65,
    ESOCKTNOSUPPORT = 94,
    EOPNOTSUPP = 95,
    EAFNOSUPPORT = 97,
}

impl Errno {
    /// The number.
    pub const fn number(self) -> i32 {
        self as i32
    }
}
