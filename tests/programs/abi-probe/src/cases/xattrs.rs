//! Extended attributes.

use super::util::*;
use crate::{cases, sys};

fn set(p: &std::ffi::CStr, n: &std::ffi::CStr, v: &str, flags: i32) -> i64 {
    sys!(SYS_setxattr, p, n, v.as_ptr(), v.len(), flags)
}
fn get(p: &std::ffi::CStr, n: &std::ffi::CStr) -> String {
    let mut b = [0u8; 64];
    let r = sys!(SYS_getxattr, p, n, b.as_mut_ptr(), 64);
    if r < 0 { error() } else { String::from_utf8_lossy(&b[..r as usize]).into_owned() }
}

cases! { "xattrs";
    "trusted" => |o| { file(c"f", b""); o.v(set(c"f", c"trusted.a", "one", 0)); o.s(get(c"f", c"trusted.a")); o.v(set(c"f", c"trusted.a", "x", XATTR_CREATE)); o.v(set(c"f", c"trusted.b", "x", XATTR_REPLACE)); o.v(sys!(SYS_removexattr, c"f", c"trusted.a")); o.s(get(c"f", c"trusted.a")); o.v(sys!(SYS_removexattr, c"f", c"trusted.a")); o.s(as_user(|| set(c"f", c"trusted.a", "x", 0))); }
    "list" => |o| { file(c"f", b""); set(c"f", c"trusted.a", "1", 0); set(c"f", c"security.b", "2", 0); let mut b = [0u8; 64]; o.v(sys!(SYS_listxattr, c"f", 0, 0)); o.v(sys!(SYS_listxattr, c"f", b.as_mut_ptr(), 5)); o.v(sys!(SYS_listxattr, c"none", 0, 0)); }
    "names" => |o| { file(c"f", b""); o.v(set(c"f", c"plain", "x", 0)); o.v(set(c"f", c"", "x", 0)); o.v(set(c"f", c"bogus.x", "x", 0)); o.v(set(c"f", c"trusted.", "x", 0)); o.s(get(c"f", c"security.")); o.v(set(c"f", c"trusted.a", "x", 8)); let long = std::ffi::CString::new(format!("trusted.{}", "n".repeat(260))).unwrap(); o.v(set(c"f", &long, "x", 0)); o.s(get(c"f", c"bogus.x")); o.s(get(c"f", c"trusted.none")); }
    "sizes" => |o| { file(c"f", b""); set(c"f", c"trusted.a", "12345", 0); let mut b = [0u8; 4]; o.v(sys!(SYS_getxattr, c"f", c"trusted.a", 0, 0)); o.v(sys!(SYS_getxattr, c"f", c"trusted.a", b.as_mut_ptr(), 4)); o.v(sys!(SYS_setxattr, c"f", c"trusted.a", BAD, 5, 0)); o.v(sys!(SYS_setxattr, c"f", c"trusted.a", b.as_ptr(), 70000, 0)); o.v(set(c"f", c"trusted.e", "", 0)); o.v(sys!(SYS_getxattr, c"f", c"trusted.e", 0, 0)); }
    "fd-variants" => |o| { let f = file(c"f", b""); o.v(sys!(SYS_fsetxattr, f, c"trusted.a", c"v", 1, 0)); o.v(sys!(SYS_fgetxattr, f, c"trusted.a", 0, 0)); o.v(sys!(SYS_fremovexattr, f, c"trusted.a")); o.v(sys!(SYS_flistxattr, 999, 0, 0)); let p = open(c"f", O_PATH); o.v(sys!(SYS_fgetxattr, p, c"trusted.a", 0, 0)); sys!(SYS_symlink, c"f", c"l"); o.v(sys!(SYS_lsetxattr, c"l", c"trusted.a", c"v", 1, 0)); o.v(sys!(SYS_lsetxattr, c"l", c"user.a", c"v", 1, 0)); }
    "capability" => |o| { file(c"f", b""); let v = [0x0200_0001u32, 0x400, 0, 0, 0]; o.v(sys!(SYS_setxattr, c"f", c"security.capability", v.as_ptr(), 20, 0)); o.v(sys!(SYS_getxattr, c"f", c"security.capability", 0, 0)); o.v(sys!(SYS_setxattr, c"f", c"security.capability", v.as_ptr(), 3, 0)); o.s(as_user(|| sys!(SYS_setxattr, c"f", c"security.capability", v.as_ptr(), 20, 0))); }
}
