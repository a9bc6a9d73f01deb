//! Sockets.

use crate::errno::Errno::{EAFNOSUPPORT, EINVAL, EOPNOTSUPP, ESOCKTNOSUPPORT};
use crate::files::{CLOEXEC, NONBLOCK};
use crate::set::{Entry, Flags, Unknown, Values, idle, no, on};
use crate::sets;

const PEEK: Entry = on("MSG_PEEK", 2);
const TRUNC: Entry = on("MSG_TRUNC", 0x20);
const DONTWAIT: Entry = on("MSG_DONTWAIT", 0x40);
const WAITALL: Entry = on("MSG_WAITALL", 0x100);
const NOSIGNAL: Entry = on("MSG_NOSIGNAL", 0x4000);
const EOR: Entry = idle("MSG_EOR", 0x80, "as on Linux: a message is a record");
const CONFIRM: Entry = idle("MSG_CONFIRM", 0x800, "a hint for the table of neighbours");
const ZEROCOPY: Entry = idle("MSG_ZEROCOPY", 0x400_0000, "as on Linux without SO_ZEROCOPY, which is refused");
const OOB: Entry = on("MSG_OOB", 1);
const NO_OOB: Entry = no("MSG_OOB", 1, EOPNOTSUPP, "there are no urgent data");
const NO_DONTROUTE: Entry = no("MSG_DONTROUTE", 4, EOPNOTSUPP, "routes cannot be passed by");
const NO_CMSG_CLOEXEC: Entry = idle("MSG_CMSG_CLOEXEC", 0x4000_0000, "no descriptors come with messages");
const ERRQUEUE: Entry = on("MSG_ERRQUEUE", 0x2000);
const NO_ERRQUEUE: Entry = idle("MSG_ERRQUEUE", 0x2000, "as on Linux: the family has no queue of errors");

sets! {
    /// `socket(2)`
    SOCKET_FAMILY: Values = Values::new(&["socket", "socketpair"], "family (socketpair: the first)", EAFNOSUPPORT, &[
        on("AF_UNIX", 1),
        on("AF_INET", 2),
        on("AF_INET6", 10),
        on("AF_NETLINK", 16),
        on("AF_PACKET", 17),
        no("AF_ALG", 38, EAFNOSUPPORT, "not there"),
        no("AF_VSOCK", 40, EAFNOSUPPORT, "not there"),
    ]);
    /// `socket(2)`, AF_UNIX
    UNIX_TYPE: Values = Values::new(&["socket", "socketpair"], "type, AF_UNIX", ESOCKTNOSUPPORT, &[
        on("SOCK_STREAM", 1),
        on("SOCK_DGRAM", 2),
        on("SOCK_RAW", 3),
        on("SOCK_SEQPACKET", 5),
    ]);
    /// `socket(2)`, AF_NETLINK
    NETLINK_TYPE: Values = Values::new(&["socket"], "type, AF_NETLINK", ESOCKTNOSUPPORT, &[on("SOCK_DGRAM", 2), on("SOCK_RAW", 3)]);
    /// `socket(2)`, AF_PACKET
    PACKET_TYPE: Values = Values::new(&["socket"], "type, AF_PACKET", ESOCKTNOSUPPORT, &[
        on("SOCK_DGRAM", 2),
        on("SOCK_RAW", 3),
    ]);
    /// `socket(2)` and its relatives: the flags of the type.
    SOCKET: Flags = Flags::new(&["socket", "socketpair", "accept4"], "flags", Unknown::Refused(EINVAL), &[on("SOCK_CLOEXEC", CLOEXEC), on("SOCK_NONBLOCK", NONBLOCK)]);
    /// `shutdown(2)`
    SHUTDOWN: Values = Values::new(&["shutdown"], "how", EINVAL, &[on("SHUT_RD", 0), on("SHUT_WR", 1), on("SHUT_RDWR", 2)]);
    /// `sendmsg(2)`, `recvmsg(2)`, before the family is asked.
    MESSAGE: Flags = Flags::new(&["sendmsg", "recvmsg", "sendmmsg", "recvmmsg"], "flags, before those of the family", Unknown::Ignored, &[
        no("MSG_CMSG_COMPAT", 0x8000_0000, EINVAL, "as on Linux: for the calls of 32-bit programs"),
    ]);
    /// `recvmmsg(2)`
    RECVMMSG: Flags = Flags::new(&["recvmmsg"], "flags beside those of recvmsg", Unknown::Ignored, &[on("MSG_WAITFORONE", 0x1_0000)]);
    /// `send(2)`, AF_UNIX
    UNIX_SEND: Flags = Flags::new(&["sendto", "sendmsg", "sendmmsg"], "flags, AF_UNIX", Unknown::Ignored, &[
        OOB,
        DONTWAIT,
        NOSIGNAL,
        EOR,
        idle("MSG_DONTROUTE", 4, "as on Linux: there are no routes"),
        idle("MSG_MORE", 0x8000, "as on Linux"),
        CONFIRM,
        ZEROCOPY,
    ]);
    /// `recv(2)`, AF_UNIX
    UNIX_RECEIVE: Flags = Flags::new(&["recvfrom", "recvmsg", "recvmmsg"], "flags, AF_UNIX", Unknown::Ignored, &[
        OOB, PEEK, TRUNC, DONTWAIT, WAITALL, NO_ERRQUEUE,
        on("MSG_CMSG_CLOEXEC", 0x4000_0000),
    ]);
    /// `send(2)`, TCP
    STREAM_SEND: Flags = Flags::new(&["sendto", "sendmsg", "sendmmsg"], "flags, internet streams", Unknown::Ignored, &[
        OOB, NO_DONTROUTE, DONTWAIT, NOSIGNAL,
        idle("MSG_EOR", 0x80, "a hint how data are put into segments"),
        idle("MSG_MORE", 0x8000, "a hint how data are put into segments"),
        CONFIRM,
        ZEROCOPY,
        no("MSG_FASTOPEN", 0x2000_0000, EOPNOTSUPP, "the error of a Linux with tcp_fastopen switched off"),
    ]);
    /// `recv(2)`, TCP
    STREAM_RECEIVE: Flags = Flags::new(&["recvfrom", "recvmsg", "recvmmsg"], "flags, internet streams", Unknown::Ignored, &[
        OOB, PEEK, TRUNC, DONTWAIT, WAITALL, ERRQUEUE, NO_CMSG_CLOEXEC,
    ]);
    /// `send(2)`, UDP, ICMP
    DATAGRAM_SEND: Flags = Flags::new(&["sendto", "sendmsg", "sendmmsg"], "flags, internet datagrams", Unknown::Ignored, &[
        NO_OOB, NO_DONTROUTE,
        no("MSG_PROBE", 0x10, EOPNOTSUPP, "a path cannot be probed without sending"),
        DONTWAIT, NOSIGNAL, EOR,
        no("MSG_MORE", 0x8000, EOPNOTSUPP, "a datagram cannot be sent in pieces; sendmsg(2) gathers"),
        CONFIRM, ZEROCOPY,
    ]);
    /// `recv(2)`, UDP
    DATAGRAM_RECEIVE: Flags = Flags::new(&["recvfrom", "recvmsg", "recvmmsg"], "flags, UDP", Unknown::Ignored, &[
        idle("MSG_OOB", 1, "as on Linux: datagrams are not urgent"),
        PEEK, TRUNC, DONTWAIT, WAITALL, ERRQUEUE, NO_CMSG_CLOEXEC,
    ]);
    /// `recv(2)`, ICMP
    RAW_RECEIVE: Flags = Flags::new(&["recvfrom", "recvmsg", "recvmmsg"], "flags, ICMP", Unknown::Ignored, &[NO_OOB, PEEK, TRUNC, DONTWAIT, WAITALL, ERRQUEUE, NO_CMSG_CLOEXEC]);
    /// `send(2)`, AF_NETLINK
    NETLINK_SEND: Flags = Flags::new(&["sendto", "sendmsg", "sendmmsg"], "flags, AF_NETLINK", Unknown::Ignored, &[
        NO_OOB,
        idle("MSG_DONTWAIT", 0x40, "sending never waits"),
        idle("MSG_NOSIGNAL", 0x4000, "the other end never goes away"),
    ]);
    /// `recv(2)`, AF_NETLINK
    NETLINK_RECEIVE: Flags = Flags::new(&["recvfrom", "recvmsg", "recvmmsg"], "flags, AF_NETLINK", Unknown::Ignored, &[
        NO_OOB, PEEK, TRUNC, DONTWAIT, NO_ERRQUEUE,
        idle("MSG_WAITALL", 0x100, "as on Linux: a message is whole"),
        NO_CMSG_CLOEXEC,
    ]);
    /// `send(2)`, AF_PACKET
    PACKET_SEND: Flags = Flags::new(&["sendto", "sendmsg", "sendmmsg"], "flags, AF_PACKET", Unknown::Ignored, &[
        idle("MSG_DONTWAIT", 0x40, "sending never waits"),
        idle("MSG_NOSIGNAL", 0x4000, "the other end never goes away"),
    ]);
    /// `recv(2)`, AF_PACKET
    PACKET_RECEIVE: Flags = Flags::new(&["recvfrom", "recvmsg", "recvmmsg"], "flags, AF_PACKET", Unknown::Refused(EINVAL), &[
        PEEK, TRUNC, DONTWAIT, NO_CMSG_CLOEXEC, ERRQUEUE,
    ]);
}
