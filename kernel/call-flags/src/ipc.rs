//! System V IPC and POSIX message queues.

use crate::errno::Errno::{EINVAL, ENOMEM};
use crate::set::{Entry, Flags, Unknown, Values, idle, no, on};
use crate::sets;

const CREAT: Entry = on("IPC_CREAT", 0o1000);
const EXCL: Entry = on("IPC_EXCL", 0o2000);
const NOWAIT: Entry = on("IPC_NOWAIT", 0o4000);
const MODE: Entry = on("permission bits", 0o777);

sets! {
    /// `shmget(2)`
    SHMGET: Flags = Flags::new(&["shmget"], "flags", Unknown::Ignored, &[
        MODE,
        CREAT,
        EXCL,
        no("SHM_HUGETLB", 0o4000, ENOMEM, "there is no pool of huge pages"),
        idle("SHM_NORESERVE", 0o10000, "memory is never reserved"),
    ]);
    /// `shmat(2)`
    SHMAT: Flags = Flags::new(&["shmat"], "flags", Unknown::Ignored, &[on("SHM_RDONLY", 0o10000), on("SHM_RND", 0o20000), on("SHM_REMAP", 0o40000), on("SHM_EXEC", 0o100000)]);
    /// `shmctl(2)`
    SHMCTL: Values = Values::new(&["shmctl"], "command", EINVAL, &[
        on("IPC_RMID", 0),
        on("IPC_SET", 1),
        on("IPC_STAT", 2),
        on("IPC_INFO", 3),
        on("SHM_LOCK", 11),
        on("SHM_UNLOCK", 12),
        on("SHM_STAT", 13),
        on("SHM_INFO", 14),
        on("SHM_STAT_ANY", 15),
    ]);
    /// `semget(2)`
    SEMGET: Flags = Flags::new(&["semget"], "flags", Unknown::Ignored, &[MODE, CREAT, EXCL]);
    /// `semop(2)`
    SEMOP: Flags = Flags::new(&["semop", "semtimedop"], "sem_flg", Unknown::Ignored, &[NOWAIT, on("SEM_UNDO", 0o10000)]);
    /// `semctl(2)`
    SEMCTL: Values = Values::new(&["semctl"], "command", EINVAL, &[
        on("IPC_RMID", 0),
        on("IPC_SET", 1),
        on("IPC_STAT", 2),
        on("IPC_INFO", 3),
        on("GETPID", 11),
        on("GETVAL", 12),
        on("GETALL", 13),
        on("GETNCNT", 14),
        on("GETZCNT", 15),
        on("SETVAL", 16),
        on("SETALL", 17),
        on("SEM_STAT", 18),
        on("SEM_INFO", 19),
        on("SEM_STAT_ANY", 20),
    ]);
    /// `mq_open(2)`
    MQ_OPEN: Flags = Flags::new(&["mq_open"], "flags", Unknown::Ignored, &[
        on("O_RDONLY", 0),
        on("O_WRONLY", 1),
        on("O_RDWR", 2),
        on("O_CREAT", 0o100),
        on("O_EXCL", 0o200),
        on("O_NONBLOCK", 0o4000),
        idle("O_CLOEXEC", 0o2000000, "as on Linux: every descriptor of a queue is closed by execve"),
    ]);
    /// `mq_notify(2)`
    MQ_NOTIFY: Values = Values::new(&["mq_notify"], "sigev_notify", EINVAL, &[on("SIGEV_SIGNAL", 0), on("SIGEV_NONE", 1), on("SIGEV_THREAD", 2)]);
    /// `mq_getsetattr(2)`
    MQ_ATTR: Flags = Flags::new(&["mq_getsetattr"], "mq_flags", Unknown::Refused(EINVAL), &[on("O_NONBLOCK", 0o4000)]);
    /// `msgget(2)`
    MSGGET: Flags = Flags::new(&["msgget"], "flags", Unknown::Ignored, &[MODE, CREAT, EXCL]);
    /// `msgsnd(2)`
    MSGSND: Flags = Flags::new(&["msgsnd"], "flags", Unknown::Ignored, &[NOWAIT]);
    /// `msgrcv(2)`
    MSGRCV: Flags = Flags::new(&["msgrcv"], "flags", Unknown::Ignored, &[
        NOWAIT,
        on("MSG_NOERROR", 0o10000),
        on("MSG_EXCEPT", 0o20000),
        on("MSG_COPY", 0o40000),
    ]);
    /// `msgctl(2)`
    MSGCTL: Values = Values::new(&["msgctl"], "command", EINVAL, &[
        on("IPC_RMID", 0),
        on("IPC_SET", 1),
        on("IPC_STAT", 2),
        on("IPC_INFO", 3),
        on("MSG_STAT", 11),
        on("MSG_INFO", 12),
        on("MSG_STAT_ANY", 13),
    ]);
}
