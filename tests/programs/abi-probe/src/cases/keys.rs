//! Keys and keyrings. Serial numbers differ, so that only descriptions and contents are printed.

use std::ffi::CStr;

use super::util::*;
use crate::{cases, sys};

const THREAD: i32 = KEY_SPEC_THREAD_KEYRING;
const PROCESS: i32 = KEY_SPEC_PROCESS_KEYRING;
const SESSION: i32 = KEY_SPEC_SESSION_KEYRING;
const USER: i32 = KEY_SPEC_USER_KEYRING;
const USER_SESSION: i32 = KEY_SPEC_USER_SESSION_KEYRING;

fn add(kind: &CStr, name: &CStr, payload: &[u8], ring: i32) -> i64 {
    sys!(SYS_add_key, kind, name, payload.as_ptr(), payload.len(), ring)
}

fn user(name: &CStr, ring: i32) -> i32 {
    add(c"user", name, b"payload", ring) as i32
}

fn ring(name: &CStr, ring: i32) -> i32 {
    add(c"keyring", name, b"", ring) as i32
}

fn request(kind: &CStr, name: &CStr, ring: i32) -> i64 {
    sys!(SYS_request_key, kind, name, 0, ring)
}

fn search(top: i32, kind: &CStr, name: &CStr, to: i32) -> i64 {
    sys!(SYS_keyctl, KEYCTL_SEARCH, top, kind, name, to)
}

fn join(name: &CStr) -> i64 {
    sys!(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name)
}

/// A session keyring of its own, so that the machine's others are not touched.
fn alone() {
    assert!(sys!(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0) > 0, "a session keyring");
}

/// The description without a number that differs, or the error.
fn described(key: i32) -> String {
    let mut text = [0u8; 256];
    match sys!(SYS_keyctl, KEYCTL_DESCRIBE, key, text.as_mut_ptr(), text.len()) {
        -1 => error(),
        n => String::from_utf8_lossy(&text[..n as usize - 1]).into_owned(),
    }
}

fn content(key: i32) -> String {
    let mut text = [0u8; 64];
    match sys!(SYS_keyctl, KEYCTL_READ, key, text.as_mut_ptr(), text.len()) {
        -1 => error(),
        n => format!("{n} {:?}", String::from_utf8_lossy(&text[..text.len().min(n as usize)])),
    }
}

/// What is linked to a keyring.
fn links(ring: i32) -> String {
    let mut keys = [0i32; 16];
    match sys!(SYS_keyctl, KEYCTL_READ, ring, keys.as_mut_ptr(), size_of_val(&keys)) {
        -1 => error(),
        n => {
            let mut names: Vec<_> = keys[..n as usize / 4].iter().map(|key| described(*key)).collect();
            names.sort();
            format!("{names:?}")
        }
    }
}

const POSSESSOR_ALL: u32 = 0x3f00_0000;

cases! { "keys";
    "added-and-read" => |o| { alone(); let key = user(c"name", SESSION); o.s(key > 0); o.s(described(key)); o.s(content(key)); o.s(links(SESSION)); let again = add(c"user", c"name", b"other", SESSION); o.s(again == i64::from(key)); o.s(content(key)); let other = add(c"user", c"another", b"x", SESSION); o.s(other == i64::from(key)); }
    "arguments-of-add" => |o| { alone(); o.ok(add(c"nothing", c"a", b"x", SESSION)); o.ok(add(c"", c"a", b"x", SESSION)); o.ok(add(c".user", c"a", b"x", SESSION)); o.ok(add(c"a-name-of-more-than-thirty-one-bytes", c"a", b"x", SESSION)); o.ok(add(c"user", c"", b"x", SESSION)); o.ok(add(c"user", c"a", b"", SESSION)); o.ok(add(c"keyring", c"a", b"x", SESSION)); o.ok(add(c"keyring", c".a", b"", SESSION)); o.ok(add(c"user", c".a", b"x", SESSION)); o.ok(add(c"logon", c"a", b"x", SESSION)); o.ok(add(c"logon", c":a", b"x", SESSION)); o.ok(add(c"logon", c"a:b", b"x", SESSION)); let long = vec![b'x'; 32768]; o.ok(add(c"user", c"long", &long[..32767], SESSION)); o.ok(add(c"user", c"long", &long, SESSION)); o.ok(sys!(SYS_add_key, c"user", c"a", BAD, 1, SESSION)); o.ok(sys!(SYS_add_key, BAD, c"a", c"x", 1, SESSION)); o.ok(sys!(SYS_add_key, c"user", BAD, c"x", 1, SESSION)); o.ok(sys!(SYS_add_key, c"user", c"a", 0, 1, SESSION)); o.ok(sys!(SYS_add_key, c"user", c"a", long.as_ptr(), 1 << 20, SESSION)); let name = std::ffi::CString::new(vec![b'n'; 4095]).unwrap(); o.ok(add(c"user", &name, b"x", SESSION)); let name = std::ffi::CString::new(vec![b'n'; 4096]).unwrap(); o.ok(add(c"user", &name, b"x", SESSION)); }
    "rings-by-number" => |o| { alone(); for ring in [THREAD, PROCESS, SESSION, USER, USER_SESSION, -6, -7, -8, -9, 0, i32::MAX] { o.ok(sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, ring, 0)); } o.ok(user(c"a", -6).into()); o.ok(user(c"a", -7).into()); o.ok(user(c"a", 0).into()); o.ok(user(c"a", i32::MAX).into()); let key = user(c"a", SESSION); o.ok(user(c"b", key).into()); }
    "rings-as-described" => |o| { alone(); for ring in [THREAD, PROCESS] { o.s(described(ring)); sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, ring, 1); o.s(described(ring)); } o.s(described(SESSION)); o.s(described(USER)); o.s(described(USER_SESSION)); let inner = ring(c"inner", SESSION); o.s(described(inner)); join(c"abi-probe named"); o.s(described(SESSION)); }
    "describe-and-read-into-little" => |o| { alone(); let key = user(c"name", SESSION); let mut text = *b"........................"; for len in [0, 4, 24] { o.v(sys!(SYS_keyctl, KEYCTL_DESCRIBE, key, text.as_mut_ptr(), len)); } o.v(sys!(SYS_keyctl, KEYCTL_DESCRIBE, key, 0, 64)); for len in [0, 3, 7] { let mut text = *b"........"; o.v(sys!(SYS_keyctl, KEYCTL_READ, key, text.as_mut_ptr(), len)); o.s(String::from_utf8_lossy(&text)); } o.v(sys!(SYS_keyctl, KEYCTL_READ, key, 0, 64)); user(c"second", SESSION); let mut two = [0i32; 2]; for len in [0, 3, 4, 8] { two = [0; 2]; o.v(sys!(SYS_keyctl, KEYCTL_READ, SESSION, two.as_mut_ptr(), len)); o.s(two.iter().filter(|key| **key != 0).count()); } o.v(sys!(SYS_keyctl, KEYCTL_READ, key, BAD, 64)); o.v(sys!(SYS_keyctl, KEYCTL_DESCRIBE, key, BAD, 64)); }
    "update" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, key, c"new", 3)); o.s(content(key)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, key, 0, 0)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, key, BAD, 3)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, key, c"new", 4097)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, SESSION, c"new", 3)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, 0, c"new", 3)); o.s(content(key)); }
    "logon-is-not-read" => |o| { alone(); let key = add(c"logon", c"a:b", b"secret", SESSION) as i32; o.s(described(key)); o.s(content(key)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, key, c"new", 3)); o.s(request(c"logon", c"a:b", 0) == i64::from(key)); }
    "revoke" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_REVOKE, key)); o.s(content(key)); o.s(described(key)); o.v(sys!(SYS_keyctl, KEYCTL_REVOKE, key)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, key, c"new", 3)); o.ok(request(c"user", c"a", 0)); o.ok(search(SESSION, c"user", c"a", 0)); let again = user(c"a", SESSION); o.s(again == key); o.s(content(again)); o.s(links(SESSION)); let inner = ring(c"inner", SESSION); user(c"b", inner); o.v(sys!(SYS_keyctl, KEYCTL_REVOKE, inner)); o.ok(user(c"c", inner).into()); o.s(content(inner)); }
    "invalidate" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_INVALIDATE, key)); o.s(eventually(|| described(key) == "E#126")); o.s(eventually(|| links(SESSION) == "[]")); }
    "expiry" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 1)); o.s(content(key)); o.s(eventually(|| content(key) != "7 \"payload\"")); o.s(content(key)); o.s(described(key)); o.ok(search(SESSION, c"user", c"a", 0)); o.ok(request(c"user", c"a", 0)); o.v(sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 0)); let key = user(c"b", SESSION); sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 1); o.v(sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 0)); std::thread::sleep(std::time::Duration::from_millis(1500)); o.s(content(key)); o.v(sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, 0, 1)); }
    "links" => |o| { alone(); let one = ring(c"one", SESSION); let two = ring(c"two", SESSION); let key = user(c"a", one); o.v(sys!(SYS_keyctl, KEYCTL_LINK, key, two)); o.s(links(two)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, key, two)); o.s(links(two)); o.v(sys!(SYS_keyctl, KEYCTL_UNLINK, key, two)); o.v(sys!(SYS_keyctl, KEYCTL_UNLINK, key, two)); o.s(content(key)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, key, key)); o.v(sys!(SYS_keyctl, KEYCTL_UNLINK, key, key)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, one, one)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, two, one)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, one, two)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, 0, two)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, key, 0)); }
    "a-link-takes-the-place-of-one-of-the-same-name" => |o| { alone(); let one = ring(c"one", SESSION); let two = ring(c"two", SESSION); let first = user(c"a", one); let second = add(c"user", c"a", b"second", two) as i32; o.v(sys!(SYS_keyctl, KEYCTL_LINK, second, one)); o.s(links(one)); o.s(search(one, c"user", c"a", 0) == i64::from(second)); o.s(eventually(|| content(first) == "ENOKEY" || content(first) == "E#126")); }
    "a-key-goes-with-its-last-link" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_UNLINK, key, SESSION)); o.s(eventually(|| described(key) == "E#126")); let inner = ring(c"inner", SESSION); let key = user(c"a", inner); o.v(sys!(SYS_keyctl, KEYCTL_CLEAR, SESSION)); o.s(eventually(|| described(key) == "E#126")); o.v(sys!(SYS_keyctl, KEYCTL_CLEAR, key)); }
    "clear" => |o| { alone(); let key = user(c"a", SESSION); user(c"b", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_CLEAR, key)); o.v(sys!(SYS_keyctl, KEYCTL_CLEAR, SESSION)); o.s(links(SESSION)); o.v(sys!(SYS_keyctl, KEYCTL_CLEAR, 0)); }
    "search" => |o| { alone(); let inner = ring(c"inner", SESSION); let deep = ring(c"deep", inner); let key = user(c"a", deep); o.s(search(SESSION, c"user", c"a", 0) == i64::from(key)); o.s(search(SESSION, c"keyring", c"deep", 0) == i64::from(deep)); o.s(search(inner, c"keyring", c"inner", 0) == i64::from(inner)); o.ok(search(SESSION, c"user", c"b", 0)); o.ok(search(SESSION, c"keyring", c"a", 0)); o.ok(search(SESSION, c"nothing", c"a", 0)); o.ok(search(key, c"user", c"a", 0)); o.ok(search(0, c"user", c"a", 0)); o.s(search(SESSION, c"user", c"a", PROCESS) == i64::from(key)); o.s(links(PROCESS)); o.ok(search(SESSION, c"user", c"a", key)); o.ok(sys!(SYS_keyctl, KEYCTL_SEARCH, SESSION, c"user", BAD, 0)); }
    "search-is-not-endless" => |o| { alone(); let mut at = SESSION; for name in [c"1", c"2", c"3", c"4", c"5", c"6", c"7", c"8"] { at = ring(name, at); user(name, at); o.s(search(SESSION, c"user", name, 0) > 0); } o.ok(search(SESSION, c"user", c"8", 0)); }
    "request" => |o| { alone(); let key = user(c"a", THREAD); o.s(request(c"user", c"a", 0) == i64::from(key)); o.s(request(c"user", c"a", SESSION) == i64::from(key)); o.s(links(SESSION)); o.ok(request(c"user", c"missing", 0)); o.ok(request(c"nothing", c"a", 0)); o.ok(request(c".user", c"a", 0)); o.ok(request(c"user", c"a", key)); o.ok(sys!(SYS_request_key, c"user", c"a", BAD, 0)); o.ok(sys!(SYS_request_key, BAD, c"a", 0, 0)); o.ok(sys!(SYS_request_key, c"user", BAD, 0, 0)); o.ok(request(c"user", c"a", 0x7fff_fff0)); }
    "where-requests-go" => |o| { alone(); for ring in [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, -2] { o.v(sys!(SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, ring)); } o.v(sys!(SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, -1)); }
    "permissions" => |o| { alone(); let key = user(c"a", SESSION); for (perm, what) in [(0x0100_0000u32, "view"), (0x0200_0000, "read"), (0x0b00_0000, "all of these"), (0x0a00_0000, "not view"), (0, "none")] { o.s(what); let inner = user(c"b", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_SETPERM, inner, perm)); o.s(described(inner)); o.s(content(inner)); o.v(sys!(SYS_keyctl, KEYCTL_UPDATE, inner, c"x", 1)); o.v(sys!(SYS_keyctl, KEYCTL_LINK, inner, PROCESS)); o.ok(request(c"user", c"b", 0)); o.v(sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, inner, 0)); o.v(sys!(SYS_keyctl, KEYCTL_UNLINK, inner, SESSION)); } o.v(sys!(SYS_keyctl, KEYCTL_SETPERM, key, 0x4000_0000)); o.v(sys!(SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL)); o.s(described(key)); o.v(sys!(SYS_keyctl, KEYCTL_SETPERM, 0, 0)); }
    "permissions-of-rings" => |o| { alone(); let inner = ring(c"inner", SESSION); let key = user(c"a", inner); for perm in [0x2f00_0000u32, 0x2900_0000, 0x3d00_0000, 0x3b00_0000, 0x3700_0000] { o.v(sys!(SYS_keyctl, KEYCTL_SETPERM, inner, perm)); o.ok(search(SESSION, c"user", c"a", 0)); o.ok(user(c"b", inner).into()); o.s(links(inner)); o.s(content(key)); } }
    "owners" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_CHOWN, key, -1, -1)); o.v(sys!(SYS_keyctl, KEYCTL_CHOWN, key, 1000, 1001)); o.s(described(key)); o.v(sys!(SYS_keyctl, KEYCTL_CHOWN, key, -1, 1002)); o.s(described(key)); o.s(as_user(|| sys!(SYS_keyctl, KEYCTL_CHOWN, key, 0, -1))); o.s(as_user(|| sys!(SYS_keyctl, KEYCTL_CHOWN, key, -1, 0))); o.s(as_user(|| sys!(SYS_keyctl, KEYCTL_CHOWN, key, -1, 1000))); o.v(sys!(SYS_keyctl, KEYCTL_CHOWN, 0, 1, 1)); }
    "other-users" => |o| { alone(); let key = user(c"a", SESSION); o.s(as_user(|| { if content(key) != "7 \"payload\"" { return -1; } 0 })); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_READ, key, 0, 0) })); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_DESCRIBE, key, 0, 0) })); o.s(as_user(|| sys!(SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL))); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_REVOKE, key) })); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_LINK, key, SESSION) })); sys!(SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL | 0x3f); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_READ, key, 0, 0) - 7 })); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_LINK, key, SESSION) })); }
    "what-a-user-may-have" => |o| { let most: i32 = std::fs::read_to_string("/proc/sys/kernel/keys/maxkeys").unwrap().trim().parse().unwrap(); o.s(most); o.s(std::fs::read_to_string("/proc/sys/kernel/keys/maxbytes").unwrap().trim()); o.s(child(|| { sys!(SYS_setresuid, 4321, 4321, 4321); alone(); let mut n = 0; while n < 1000 { let name = std::ffi::CString::new(format!("{n}")).unwrap(); if user(&name, SESSION) < 0 { break; } n += 1; } let full = code(-1); sys!(SYS_keyctl, KEYCTL_CLEAR, SESSION); let again = eventually(|| user(c"again", SESSION) > 0); if full == EDQUOT && n > most - 5 && n < most && again { 0 } else { n / 4 } })); o.s(child(|| { sys!(SYS_setresuid, 4322, 4322, 4322); alone(); let big = [b'x'; 15000]; add(c"user", c"a", &big, SESSION); let failed = code(add(c"user", c"b", &big, SESSION)); if failed == EDQUOT { 0 } else { failed } })); }
    "sessions" => |o| { alone(); user(c"a", SESSION); let first = sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0); o.s(child(|| i32::from(sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0) == first))); o.s(child(|| { alone(); code(request(c"user", c"a", 0)) })); o.s(sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0) == first); o.ok(join(c"abi-probe a")); let named = sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0); o.s(join(c"abi-probe a") == named); sys!(SYS_keyctl, KEYCTL_SETPERM, SESSION, 0x3f3f_0000u32); let named = sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0); o.s(child(|| { alone(); i32::from(join(c"abi-probe a") == named) })); o.ok(join(c".a")); o.ok(sys!(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, BAD)); }
    "rings-of-children" => |o| { alone(); let key = user(c"p", PROCESS); let thread = user(c"t", THREAD); o.s(content(key)); o.s(child(|| code(request(c"user", c"p", 0)))); o.s(child(|| code(request(c"user", c"t", 0)))); o.s(child(|| code(sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, PROCESS, 0)))); let other = std::thread::spawn(|| code(request(c"user", c"t", 0))).join().unwrap(); o.s(other); let other = std::thread::spawn(|| code(request(c"user", c"p", 0))).join().unwrap(); o.s(other); o.s(described(thread)); }
    "to-the-parent" => |o| { alone(); let before = sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0); o.s(child(|| { alone(); user(c"given", SESSION); code(sys!(SYS_keyctl, KEYCTL_SESSION_TO_PARENT)) })); o.s(sys!(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0) == before); o.s(links(SESSION)); o.s(as_user(|| { alone(); sys!(SYS_keyctl, KEYCTL_SESSION_TO_PARENT) })); }
    "move" => |o| { alone(); let one = ring(c"one", SESSION); let two = ring(c"two", SESSION); let key = user(c"a", one); o.v(sys!(SYS_keyctl, 30, key, one, two, 0)); o.s(links(one)); o.s(links(two)); o.v(sys!(SYS_keyctl, 30, key, one, two, 0)); o.v(sys!(SYS_keyctl, 30, key, two, two, 0)); let other = user(c"a", one); o.v(sys!(SYS_keyctl, 30, other, one, two, 1)); o.v(sys!(SYS_keyctl, 30, other, one, two, 2)); o.v(sys!(SYS_keyctl, 30, other, one, two, 0)); o.s(links(two)); o.v(sys!(SYS_keyctl, 30, two, SESSION, two, 0)); }
    "restrict" => |o| { alone(); let inner = ring(c"inner", SESSION); let key = user(c"a", inner); o.v(sys!(SYS_keyctl, 29, inner, 0, c"x")); o.v(sys!(SYS_keyctl, 29, inner, c"nothing", 0)); o.v(sys!(SYS_keyctl, 29, inner, c"user", c"x")); o.v(sys!(SYS_keyctl, 29, key, 0, 0)); o.v(sys!(SYS_keyctl, 29, inner, 0, 0)); o.v(sys!(SYS_keyctl, 29, inner, 0, 0)); o.ok(user(c"b", inner).into()); o.ok(user(c"a", inner).into()); o.v(sys!(SYS_keyctl, KEYCTL_LINK, SESSION, inner)); }
    "persistent" => |o| { alone(); let ring = sys!(SYS_keyctl, 22, -1, SESSION) as i32; o.s(ring > 0); o.s(described(ring)); o.s(links(SESSION)); o.s(sys!(SYS_keyctl, 22, 0, SESSION) as i32 == ring); o.s(as_user(|| sys!(SYS_keyctl, 22, 0, PROCESS))); o.s(as_user(|| i64::from(sys!(SYS_keyctl, 22, -1, PROCESS) > 0) - 1)); o.ok(sys!(SYS_keyctl, 22, -1, 0)); }
    "construction-needs-authority" => |o| { alone(); let key = user(c"a", SESSION); o.v(sys!(SYS_keyctl, KEYCTL_INSTANTIATE, key, c"x", 1, 0)); o.v(sys!(SYS_keyctl, KEYCTL_NEGATE, key, 10, 0)); o.v(sys!(SYS_keyctl, KEYCTL_REJECT, key, 10, EACCES, 0)); o.v(sys!(SYS_keyctl, KEYCTL_REJECT, key, 10, 0, 0)); o.v(sys!(SYS_keyctl, KEYCTL_REJECT, key, 10, 5000, 0)); o.v(sys!(SYS_keyctl, KEYCTL_ASSUME_AUTHORITY, 0)); o.v(sys!(SYS_keyctl, KEYCTL_ASSUME_AUTHORITY, -1)); o.v(sys!(SYS_keyctl, KEYCTL_ASSUME_AUTHORITY, key)); let iov = iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; o.v(sys!(SYS_keyctl, KEYCTL_INSTANTIATE_IOV, key, &raw const iov, 1, 0)); }
    "security-label" => |o| { alone(); let key = user(c"a", SESSION); let mut text = [b'x'; 8]; o.v(sys!(SYS_keyctl, KEYCTL_GET_SECURITY, key, text.as_mut_ptr(), 8)); o.s(text[0]); o.v(sys!(SYS_keyctl, KEYCTL_GET_SECURITY, key, 0, 0)); o.v(sys!(SYS_keyctl, KEYCTL_GET_SECURITY, 0, 0, 0)); }
    "commands" => |o| { for command in [99u32, 1000, u32::MAX] { o.v(sys!(SYS_keyctl, command, 0, 0, 0, 0)); } }
    "across-exec" => |o| { let pipe = pipe(0); let pid = spawn(|| { alone(); for key in [user(c"exec-s", SESSION), user(c"exec-p", PROCESS), user(c"exec-t", THREAD)] { sys!(SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL); } sys!(SYS_dup2, pipe[1], 1); let argv = [c"grep".as_ptr(), c"-o".as_ptr(), c"exec-[spt]: 7".as_ptr(), c"/proc/keys".as_ptr(), std::ptr::null()]; sys!(SYS_execve, c"/bin/grep", argv.as_ptr(), [std::ptr::null::<u8>()].as_ptr()) as i32 }); close(pipe[1]); o.s(reap(pid)); o.s(read(pipe[0])); }
    "capabilities" => |o| { let mut caps = [0xffu8; 6]; for len in [0, 1, 2, 6] { caps = [0xff; 6]; o.v(sys!(SYS_keyctl, 31, caps.as_mut_ptr(), len)); o.s(caps[0] & 0xe3); o.s(caps[2]); } o.v(sys!(SYS_keyctl, 31, BAD, 1)); }
    "as-listed" => |o| { alone(); let key = user(c"listed", SESSION); let line = |key: i32| std::fs::read_to_string("/proc/keys").unwrap().lines().find(|l| l.starts_with(&format!("{key:08x}"))).map(|l| format!("{:?}", &l[9..])); o.s(line(key).unwrap_or_default()); let inner = ring(c"inner", SESSION); o.s(line(inner).unwrap_or_default()); user(c"a", inner); o.s(line(inner).unwrap_or_default()); sys!(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 7205); o.s(line(key).unwrap_or_default()); sys!(SYS_keyctl, KEYCTL_REVOKE, key); o.s(line(key).is_some()); o.s(std::fs::read_to_string("/proc/key-users").unwrap().lines().any(|l| l.starts_with("    0: "))); }
}
