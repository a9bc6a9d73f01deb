//! Capabilities of programs as setcap(8) is given them, and as a file has them.

use crate::xattr::Value;

/// Linux's capabilities in the order of their numbers.
const NAMES: [&str; 41] = [
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable", "net_bind_service",
    "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin",
    "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap", "mac_override",
    "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
];
/// `VFS_CAP_REVISION_2`.
const REVISION: u32 = 0x0200_0000;

/// Who gets which capabilities by a line such as `setcap cap_net_raw+ep /bin/ping`, alone or as the condition of an `if`; none where it is anything else.
pub(crate) fn of_line(line: &str) -> Option<(&str, Value)> {
    let line = line.strip_suffix("; then").and_then(|it| it.strip_prefix("if ")).unwrap_or(line);
    let line = line.strip_suffix("|| true").unwrap_or(line).trim();
    let words: Vec<&str> = line.split_whitespace().collect();
    let (["setcap", text, path] | ["/sbin/setcap", text, path]) = words[..] else { return None };
    let is_plain = path.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._+-".contains(&it)) && path.starts_with('/') && !path.contains("..");
    Some((path, parse(text).filter(|_| is_plain)?))
}

/// The value of `security.capability` for a text of setcap's. One clause: names, `+` or `=`, and which of the sets `e`, `i`, `p`; none where it is anything else.
pub fn parse(text: &str) -> Option<Value> {
    let text = text.trim_matches(['"', '\'']);
    let (names, sets) = text.split_once(['+', '='])?;
    let mut mask = 0u64;
    for name in names.split(',') {
        let name = name.strip_prefix("cap_")?;
        mask |= 1 << NAMES.iter().position(|it| *it == name)?;
    }
    if sets.is_empty() || !sets.bytes().all(|it| b"eip".contains(&it)) {
        return None;
    }
    let half = |set: char, shift: u32| if sets.contains(set) { u32::try_from(mask >> shift & 0xffff_ffff).unwrap_or_default() } else { 0 };
    let words = [REVISION | u32::from(sets.contains('e')), half('p', 0), half('i', 0), half('p', 32), half('i', 32)];
    Some(Value(words.iter().flat_map(|it| it.to_le_bytes()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_setcap_is_given_is_what_files_have() {
        let value = |text: &str| String::from(parse(text).unwrap());
        // As getfattr(1) shows them after setcap(8).
        assert_eq!(value("cap_net_raw+ep"), "0100000200200000000000000000000000000000");
        assert_eq!(value("cap_net_admin,cap_net_raw=eip"), "0100000200300000003000000000000000000000");
        assert_eq!(value("cap_bpf=p"), "0000000200000000000000008000000000000000");
        for text in ["", "cap_net_raw", "net_raw+ep", "cap_none+ep", "cap_kill+x", "cap_kill+", "cap_kill-e", "all=ep"] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert_eq!(of_line("if setcap cap_net_raw+ep /bin/ping; then").unwrap().0, "/bin/ping");
        for line in ["setcap cap_kill+ep $x", "setcap cap_kill+ep /bin/../x", "setcap -r /bin/ping", "setcap cap_kill+ep /a; rm b", "xsetcap cap_kill+ep /a", "setcap cap_kill+ep $(rm x)"] {
            assert!(of_line(line).is_none(), "{line}");
        }
    }
}
