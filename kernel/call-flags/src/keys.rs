//! Keys and rings.

use crate::errno::Errno::{EINVAL, EOPNOTSUPP};
use crate::set::{Flags, Unknown, Values, no, on};
use crate::sets;

const NO_ASKING: &str = "the error of a Linux without public keys and exchanges of keys: only bytes are kept";

sets! {
    /// `keyctl(2)`
    KEYCTL: Values = Values::new(&["keyctl"], "operation", EOPNOTSUPP, &[
        on("KEYCTL_GET_KEYRING_ID", 0),
        on("KEYCTL_JOIN_SESSION_KEYRING", 1),
        on("KEYCTL_UPDATE", 2),
        on("KEYCTL_REVOKE", 3),
        on("KEYCTL_CHOWN", 4),
        on("KEYCTL_SETPERM", 5),
        on("KEYCTL_DESCRIBE", 6),
        on("KEYCTL_CLEAR", 7),
        on("KEYCTL_LINK", 8),
        on("KEYCTL_UNLINK", 9),
        on("KEYCTL_SEARCH", 10),
        on("KEYCTL_READ", 11),
        on("KEYCTL_INSTANTIATE", 12),
        on("KEYCTL_NEGATE", 13),
        on("KEYCTL_SET_REQKEY_KEYRING", 14),
        on("KEYCTL_SET_TIMEOUT", 15),
        on("KEYCTL_ASSUME_AUTHORITY", 16),
        on("KEYCTL_GET_SECURITY", 17),
        on("KEYCTL_SESSION_TO_PARENT", 18),
        on("KEYCTL_REJECT", 19),
        on("KEYCTL_INSTANTIATE_IOV", 20),
        on("KEYCTL_INVALIDATE", 21),
        on("KEYCTL_GET_PERSISTENT", 22),
        no("KEYCTL_DH_COMPUTE", 23, EOPNOTSUPP, NO_ASKING),
        no("KEYCTL_PKEY_QUERY", 24, EOPNOTSUPP, NO_ASKING),
        no("KEYCTL_PKEY_ENCRYPT", 25, EOPNOTSUPP, NO_ASKING),
        no("KEYCTL_PKEY_DECRYPT", 26, EOPNOTSUPP, NO_ASKING),
        no("KEYCTL_PKEY_SIGN", 27, EOPNOTSUPP, NO_ASKING),
        no("KEYCTL_PKEY_VERIFY", 28, EOPNOTSUPP, NO_ASKING),
        on("KEYCTL_RESTRICT_KEYRING", 29),
        on("KEYCTL_MOVE", 30),
        on("KEYCTL_CAPABILITIES", 31),
        no("KEYCTL_WATCH_KEY", 32, EOPNOTSUPP, "there are no pipes for notifications"),
    ]);
    /// `keyctl(2)` with KEYCTL_SETPERM
    PERMISSIONS: Flags = Flags::new(&["keyctl"], "permissions of KEYCTL_SETPERM", Unknown::Refused(EINVAL), &[
        on("KEY_POS_ALL", 0x3f00_0000),
        on("KEY_USR_ALL", 0x003f_0000),
        on("KEY_GRP_ALL", 0x0000_3f00),
        on("KEY_OTH_ALL", 0x0000_003f),
    ]);
    /// `keyctl(2)` with KEYCTL_MOVE
    MOVE: Flags = Flags::new(&["keyctl"], "flags of KEYCTL_MOVE", Unknown::Refused(EINVAL), &[on("KEYCTL_MOVE_EXCL", 1)]);
    /// `keyctl(2)` with KEYCTL_SET_REQKEY_KEYRING
    REQUESTS_GO_TO: Values = Values::new(&["keyctl"], "where KEYCTL_SET_REQKEY_KEYRING lets keys go", EINVAL, &[
        on("KEY_REQKEY_DEFL_NO_CHANGE", u32::MAX as u64),
        on("KEY_REQKEY_DEFL_DEFAULT", 0),
        on("KEY_REQKEY_DEFL_THREAD_KEYRING", 1),
        on("KEY_REQKEY_DEFL_PROCESS_KEYRING", 2),
        on("KEY_REQKEY_DEFL_SESSION_KEYRING", 3),
        on("KEY_REQKEY_DEFL_USER_KEYRING", 4),
        on("KEY_REQKEY_DEFL_USER_SESSION_KEYRING", 5),
        on("KEY_REQKEY_DEFL_REQUESTOR_KEYRING", 7),
    ]);
}
