//! How a scheme's method ends without a value.

pub use rustix::io::Errno;
use scheme_abi::Malformed;

/// Why a method has no value to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fail {
    /// The request failed: the caller sees this error.
    Errno(Errno),
    /// The answer comes later through [`crate::Outbox::answer`], with the tag in [`crate::Context::tag`].
    Later,
    /// Nothing was done; hand the same request in again. Only for daemons with a loop of their own around
    /// [`crate::Server::handle`]: the plain loops answer EAGAIN.
    Retry,
}

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<std::io::Error> for Fail {
    fn from(error: std::io::Error) -> Self {
        Self::Errno(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

impl From<Malformed> for Fail {
    fn from(_: Malformed) -> Self {
        Self::Errno(Errno::INVAL)
    }
}

/// What a scheme's methods return.
pub type Result<T, E = Fail> = core::result::Result<T, E>;

/// The `Errno` of a malformed message: EINVAL.
pub fn malformed(_: Malformed) -> Errno {
    Errno::INVAL
}

/// The `Errno` with Redox's number, which is Linux's; EIO for a number that no error has.
pub fn redox(number: i32) -> Errno {
    if (1..=133).contains(&number) {
        Errno::from_raw_os_error(number)
    } else {
        Errno::IO
    }
}
