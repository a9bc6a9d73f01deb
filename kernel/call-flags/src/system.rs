//! The system as a whole.

use crate::errno::Errno::EINVAL;
use crate::set::{Flags, Unknown, Values, idle, no, on};
use crate::sets;

sets! {
    /// `getrandom(2)`: not the last two together.
    GETRANDOM: Flags = Flags::new(&["getrandom"], "flags", Unknown::Refused(EINVAL), &[
        idle("GRND_NONBLOCK", 1, "random numbers are there from the start"),
        idle("GRND_RANDOM", 2, "as Linux since 5.6: there is one source"),
        idle("GRND_INSECURE", 4, "random numbers are there from the start"),
    ]);
    /// `reboot(2)`
    REBOOT: Values = Values::new(&["reboot"], "command", EINVAL, &[
        on("LINUX_REBOOT_CMD_RESTART", 0x0123_4567),
        on("LINUX_REBOOT_CMD_HALT", 0xcdef_0123),
        on("LINUX_REBOOT_CMD_POWER_OFF", 0x4321_fedc),
        idle("LINUX_REBOOT_CMD_CAD_ON", 0x89ab_cdef, "Ctrl-Alt-Del is the terminal's"),
        idle("LINUX_REBOOT_CMD_CAD_OFF", 0, "Ctrl-Alt-Del is the terminal's"),
        no("LINUX_REBOOT_CMD_RESTART2", 0xa1b2_c3d4, EINVAL, "there is nothing to tell the firmware"),
        no("LINUX_REBOOT_CMD_SW_SUSPEND", 0xd000_fce2, EINVAL, "memory is never written to disk"),
        no("LINUX_REBOOT_CMD_KEXEC", 0x4558_4543, EINVAL, "kernels start by the boot loader"),
    ]);
    /// `syslog(2)`
    SYSLOG: Values = Values::new(&["syslog"], "action", EINVAL, &[
        idle("SYSLOG_ACTION_CLOSE", 0, "as on Linux"),
        idle("SYSLOG_ACTION_OPEN", 1, "as on Linux"),
        no("SYSLOG_ACTION_READ", 2, EINVAL, "/dev/kmsg is to be read"),
        on("SYSLOG_ACTION_READ_ALL", 3),
        on("SYSLOG_ACTION_READ_CLEAR", 4),
        on("SYSLOG_ACTION_CLEAR", 5),
        on("SYSLOG_ACTION_CONSOLE_OFF", 6),
        on("SYSLOG_ACTION_CONSOLE_ON", 7),
        on("SYSLOG_ACTION_CONSOLE_LEVEL", 8),
        on("SYSLOG_ACTION_SIZE_UNREAD", 9),
        on("SYSLOG_ACTION_SIZE_BUFFER", 10),
    ]);
}
