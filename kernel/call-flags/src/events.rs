//! Waiting for events.

use crate::errno::Errno::EINVAL;
use crate::files::{CLOEXEC, NONBLOCK};
use crate::set::{Flags, Unknown, Values, idle, on};
use crate::sets;

sets! {
    /// `epoll_create1(2)`
    EPOLL_CREATE1: Flags = Flags::new(&["epoll_create1"], "flags", Unknown::Refused(EINVAL), &[on("EPOLL_CLOEXEC", CLOEXEC)]);
    /// `epoll_ctl(2)`
    EPOLL_CTL: Values = Values::new(&["epoll_ctl"], "operation", EINVAL, &[on("EPOLL_CTL_ADD", 1), on("EPOLL_CTL_DEL", 2), on("EPOLL_CTL_MOD", 3)]);
    /// `epoll_ctl(2)`: bits without a name are kept and never come true.
    EPOLL_EVENTS: Flags = Flags::new(&["epoll_ctl"], "events", Unknown::Ignored, &[
        on("EPOLLIN", 1),
        on("EPOLLPRI", 2),
        on("EPOLLOUT", 4),
        on("EPOLLERR", 8),
        on("EPOLLHUP", 0x10),
        on("EPOLLRDNORM", 0x40),
        on("EPOLLRDBAND", 0x80),
        on("EPOLLWRNORM", 0x100),
        on("EPOLLWRBAND", 0x200),
        idle("EPOLLMSG", 0x400, "as on Linux: never comes true"),
        on("EPOLLRDHUP", 0x2000),
        on("EPOLLEXCLUSIVE", 1 << 28),
        idle("EPOLLWAKEUP", 1 << 29, "the system does not sleep while a program works"),
        on("EPOLLONESHOT", 1 << 30),
        on("EPOLLET", 1 << 31),
    ]);
    /// `epoll_ctl(2)` with EPOLLEXCLUSIVE in an addition
    EPOLL_EXCLUSIVE: Flags = Flags::new(&["epoll_ctl"], "events with EPOLLEXCLUSIVE", Unknown::Refused(EINVAL), &[
        on("EPOLLIN", 1),
        on("EPOLLOUT", 4),
        on("EPOLLERR", 8),
        on("EPOLLHUP", 0x10),
        on("EPOLLEXCLUSIVE", 1 << 28),
        idle("EPOLLWAKEUP", 1 << 29, "the system does not sleep while a program works"),
        on("EPOLLET", 1 << 31),
    ]);
    /// `eventfd2(2)`
    EVENTFD2: Flags = Flags::new(&["eventfd2"], "flags", Unknown::Refused(EINVAL), &[on("EFD_SEMAPHORE", 1), on("EFD_CLOEXEC", CLOEXEC), on("EFD_NONBLOCK", NONBLOCK)]);
    /// `timerfd_create(2)`
    TIMERFD_CREATE: Flags = Flags::new(&["timerfd_create"], "flags", Unknown::Refused(EINVAL), &[on("TFD_CLOEXEC", CLOEXEC), on("TFD_NONBLOCK", NONBLOCK)]);
    /// `timerfd_create(2)`
    TIMERFD_CLOCK: Values = Values::new(&["timerfd_create"], "clock", EINVAL, &[
        on("CLOCK_REALTIME", 0),
        on("CLOCK_MONOTONIC", 1),
        on("CLOCK_BOOTTIME", 7),
        on("CLOCK_REALTIME_ALARM", 8),
        on("CLOCK_BOOTTIME_ALARM", 9),
    ]);
    /// `timerfd_settime(2)`
    TIMERFD_SETTIME: Flags = Flags::new(&["timerfd_settime"], "flags", Unknown::Refused(EINVAL), &[on("TFD_TIMER_ABSTIME", 1), on("TFD_TIMER_CANCEL_ON_SET", 2)]);
}
