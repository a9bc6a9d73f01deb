//! System V IPC calls (`sysvipc(7)`).


use call_flags::ipc;
use zerocopy::IntoBytes;

use super::Cx;
use super::time::TimeSpec;
use crate::error::*;
use crate::ipc::limits;
use crate::ipc::sysv::{msg, sem, shm};
use crate::user;

const IPC_RMID: u32 = 0;
const IPC_SET: u32 = 1;
const IPC_STAT: u32 = 2;
const IPC_INFO: u32 = 3;

/// shmget(2)
pub fn sys_shmget(cx: &Cx<'_>, key: i32, size: usize, flags: u32) -> Result<usize> {
    ipc::SHMGET.check(flags)?;
    shm::get(key, size, flags, &cx.thread.creds(), cx.process.pid)
}

/// shmat(2)
pub fn sys_shmat(cx: &Cx<'_>, id: i32, addr: usize, flags: u32) -> Result<usize> {
    shm::attach(&cx.process.mm()?, id, addr, flags, &cx.thread.creds(), cx.process.pid)
}

/// shmdt(2)
pub fn sys_shmdt(cx: &Cx<'_>, addr: usize) -> Result<usize> {
    shm::detach(&*cx.process.mm()?, addr, cx.process.pid).map(|()| 0)
}

/// shmctl(2)
pub fn sys_shmctl(cx: &Cx<'_>, id: i32, cmd: u32, buf: usize) -> Result<usize> {
    const SHM_LOCK: u32 = 11;
    const SHM_UNLOCK: u32 = 12;
    const SHM_STAT: u32 = 13;
    const SHM_INFO: u32 = 14;
    const SHM_STAT_ANY: u32 = 15;
    let creds = cx.thread.creds();
    if id < 0 {
        return Err(EINVAL);
    }
    ipc::SHMCTL.check(cmd)?;
    match cmd {
        IPC_RMID => shm::remove(id, &creds)?,
        IPC_SET => shm::set(id, &user::read::<shm::Status>(buf)?.perm, &creds)?,
        IPC_STAT => user::write(buf, &shm::status(id, &creds, false)?)?,
        SHM_STAT | SHM_STAT_ANY => {
            let id = shm::at_place(id)?;
            user::write(buf, &shm::status(id, &creds, cmd == SHM_STAT_ANY)?)?;
            return Ok(id as usize);
        }
        SHM_LOCK | SHM_UNLOCK => shm::lock(id, cmd == SHM_LOCK, &creds)?,
        IPC_INFO => {
            // struct shminfo64: largest and smallest segment, segments, segments a process, pages of all.
            let [most, segments, all] = [limits::get(|it| &it.shm_max), limits::get(|it| &it.shm_segments), limits::get(|it| &it.shm_all)].map(|it| it as u64);
            user::write(buf, &[most, 1, segments, segments, all, 0, 0, 0, 0])?;
            return Ok(shm::totals().0);
        }
        SHM_INFO => {
            // struct shm_info
            let (highest, count, pages) = shm::totals();
            user::write(buf, &[count as u64, pages as u64, pages as u64, 0, 0, 0])?;
            return Ok(highest);
        }
        _ => return Err(EINVAL),
    }
    Ok(0)
}

/// semget(2)
pub fn sys_semget(cx: &Cx<'_>, key: i32, count: i32, flags: u32) -> Result<usize> {
    sem::get(key, count, flags, &cx.thread.creds())
}

/// semop(2)
pub fn sys_semop(cx: &Cx<'_>, id: i32, ops: usize, count: usize) -> Result<usize> {
    sys_semtimedop(cx, id, ops, count, 0)
}

/// semtimedop(2)
pub fn sys_semtimedop(cx: &Cx<'_>, id: i32, ops: usize, count: usize, timeout: usize) -> Result<usize> {
    let deadline = match timeout {
        0 => None,
        at => Some(frame::time::now_ns().saturating_add(user::read::<TimeSpec>(at)?.to_ns()?)),
    };
    if count == 0 || id < 0 {
        return Err(EINVAL);
    }
    if count > sem::SEM_MAX_OPS {
        return Err(E2BIG);
    }
    let ops: alloc::vec::Vec<sem::Op> = user::read_vec(ops, count)?;
    sem::operate(id, &ops, deadline, &cx.thread.creds(), cx.process.pid).map(|()| 0)
}

/// semctl(2)
pub fn sys_semctl(cx: &Cx<'_>, id: i32, num: i32, cmd: u32, arg: usize) -> Result<usize> {
    const GETPID: u32 = 11;
    const GETVAL: u32 = 12;
    const GETALL: u32 = 13;
    const GETNCNT: u32 = 14;
    const GETZCNT: u32 = 15;
    const SETVAL: u32 = 16;
    const SETALL: u32 = 17;
    const SEM_STAT: u32 = 18;
    const SEM_INFO: u32 = 19;
    const SEM_STAT_ANY: u32 = 20;
    let creds = cx.thread.creds();
    if id < 0 {
        return Err(EINVAL);
    }
    ipc::SEMCTL.check(cmd)?;
    match cmd {
        IPC_RMID => sem::remove(id, &creds)?,
        IPC_SET => sem::set(id, &user::read::<sem::Status>(arg)?.perm, &creds)?,
        IPC_STAT => user::write(arg, &sem::status(id, &creds, false)?)?,
        SEM_STAT | SEM_STAT_ANY => {
            let id = sem::at_place(id)?;
            user::write(arg, &sem::status(id, &creds, cmd == SEM_STAT_ANY)?)?;
            return Ok(id as usize);
        }
        GETVAL => return sem::query(id, num, sem::Query::Value, &creds),
        GETPID => return sem::query(id, num, sem::Query::Pid, &creds),
        GETNCNT => return sem::query(id, num, sem::Query::Growing, &creds),
        GETZCNT => return sem::query(id, num, sem::Query::Zero, &creds),
        GETALL => frame::user::copy_to_user(arg as u64, sem::values(id, &creds)?.as_bytes())?,
        SETVAL => {
            let first = usize::try_from(num).map_err(|_| EINVAL)?;
            sem::set_values(id, first, &[arg as i32], &creds, cx.process.pid)?;
        }
        SETALL => {
            let raw: alloc::vec::Vec<u16> = user::read_vec(arg, sem::len(id)?)?;
            let values: alloc::vec::Vec<i32> = raw.into_iter().map(i32::from).collect();
            sem::set_values(id, 0, &values, &creds, cx.process.pid)?;
        }
        IPC_INFO | SEM_INFO => {
            // struct seminfo
            let (highest, sets, sems) = sem::totals();
            let most_sets = limits::get(|it| &it.sem_sets) as i32;
            let mut info = [1_024_000_000i32, most_sets, 1_024_000_000, 1_024_000_000, 32_000, 500, 500, 20, 32_767, 32_767];
            if cmd == SEM_INFO {
                (info[7], info[9]) = (sets as i32, sems as i32);
            }
            user::write(arg, &info)?;
            return Ok(highest);
        }
        _ => return Err(EINVAL),
    }
    Ok(0)
}

/// msgget(2)
pub fn sys_msgget(cx: &Cx<'_>, key: i32, flags: u32) -> Result<usize> {
    msg::get(key, flags, &cx.thread.creds())
}

/// msgsnd(2)
pub fn sys_msgsnd(cx: &Cx<'_>, id: i32, message: usize, size: usize, flags: u32) -> Result<usize> {
    let kind: i64 = user::read(message)?;
    if size > limits::get(|it| &it.msg_max) || id < 0 || kind < 1 {
        return Err(EINVAL);
    }
    let text = user::read_bytes(message + 8, size)?;
    msg::send(id, kind, text, flags, &cx.thread.creds(), cx.process.pid).map(|()| 0)
}

/// msgrcv(2)
pub fn sys_msgrcv(cx: &Cx<'_>, id: i32, message: usize, size: usize, kind: i64, flags: u32) -> Result<usize> {
    if id < 0 || (size as isize) < 0 {
        return Err(EINVAL);
    }
    let (kind, text) = msg::receive(id, size, kind, flags, &cx.thread.creds(), cx.process.pid)?;
    user::write(message, &kind)?;
    frame::user::copy_to_user((message + 8) as u64, &text)?;
    Ok(text.len())
}

/// msgctl(2)
pub fn sys_msgctl(cx: &Cx<'_>, id: i32, cmd: u32, buf: usize) -> Result<usize> {
    const MSG_STAT: u32 = 11;
    const MSG_INFO: u32 = 12;
    const MSG_STAT_ANY: u32 = 13;
    let creds = cx.thread.creds();
    if id < 0 {
        return Err(EINVAL);
    }
    ipc::MSGCTL.check(cmd)?;
    match cmd {
        IPC_RMID => msg::remove(id, &creds)?,
        IPC_SET => msg::set(id, &user::read::<msg::Status>(buf)?, &creds)?,
        IPC_STAT => user::write(buf, &msg::status(id, &creds, false)?)?,
        MSG_STAT | MSG_STAT_ANY => {
            let id = msg::at_place(id)?;
            user::write(buf, &msg::status(id, &creds, cmd == MSG_STAT_ANY)?)?;
            return Ok(id as usize);
        }
        IPC_INFO | MSG_INFO => {
            // struct msginfo: pool, map, largest message, bytes of a queue, queues, segment size, messages, segments
            let (highest, queues, messages, bytes) = msg::totals();
            let [longest, of_queue, most_queues] = [limits::get(|it| &it.msg_max), limits::get(|it| &it.msg_max_queue), limits::get(|it| &it.msg_queues)].map(|it| it as i32);
            let mut info = [512_000i32, 16_384, longest, of_queue, most_queues, 16, 16_384, 0xffff];
            if cmd == MSG_INFO {
                (info[0], info[1], info[6]) = (queues as i32, messages as i32, bytes as i32);
            }
            user::write(buf, &info)?;
            return Ok(highest);
        }
        _ => return Err(EINVAL),
    }
    Ok(0)
}
