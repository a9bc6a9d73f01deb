//! What `execve(2)` makes of the sets and ids (`capabilities(7)`, Transformation of capabilities during execve).

use crate::{Capability, FileCapabilities, Ids, Set, State, bits};

/// The program, and under what it is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program {
    /// Its set-user-ID bit counts: its owner.
    pub set_uid: Option<u32>,
    /// Its set-group-ID bit counts: its group.
    pub set_gid: Option<u32>,
    /// Its capabilities, where they count.
    pub file: Option<FileCapabilities>,
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: bool,
    /// Somebody may watch it who may not see more than the thread has: a tracer without `CAP_SYS_PTRACE`, or who shares its root and working directory.
    pub watched: bool,
}

/// The thread afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its sets.
    pub state: State,
    /// Its effective user id, which is the saved one, too.
    pub uid: u32,
    /// Its effective group id, likewise.
    pub gid: u32,
    /// The program must not trust its environment (`AT_SECURE`).
    pub secure: bool,
}

/// The file says that all its permitted capabilities are to be in effect, and the bounding set lacks some: `EPERM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl State {
    /// The sets and effective ids after an execve by a thread with these ids (`gids`: real and effective group).
    ///
    /// # Errors
    /// [`Refused`].
    pub fn exec(&self, ids: Ids, gids: (u32, u32), program: &Program) -> Result<Executed, Refused> {
        let old = self;
        let (mut uid, mut gid) = (ids.effective, gids.1);
        if !program.no_new_privs {
            uid = program.set_uid.unwrap_or(uid);
            gid = program.set_gid.unwrap_or(gid);
        }
        let mut new = *old;
        new.permitted = Set::EMPTY;
        let mut effective = false;
        if let Some(file) = program.file {
            new.permitted = old.bounding.intersection(file.permitted).union(old.inheritable.intersection(file.inheritable));
            effective = file.effective;
            if effective && !file.permitted.is_subset(new.permitted) {
                return Err(Refused);
            }
        }
        let has_file = program.file.is_some();
        // A set-user-ID-root program that has capabilities of its own gets just those, unless root runs it.
        if !old.is_set(bits::NO_ROOT) && !(has_file && ids.real != 0 && uid == 0) {
            if uid == 0 || ids.real == 0 {
                new.permitted = old.bounding.union(old.inheritable);
            }
            effective |= uid == 0;
        }
        let is_setid = uid != ids.real || gid != gids.0;
        let gained = !new.permitted.is_subset(old.permitted);
        if (is_setid || gained) && (program.no_new_privs || program.watched) {
            if !old.effective.has(Capability::SETUID) || program.no_new_privs {
                uid = ids.real;
                gid = gids.0;
            }
            new.permitted = new.permitted.intersection(old.permitted);
        }
        if has_file || is_setid {
            new.ambient = Set::EMPTY;
        }
        new.permitted = new.permitted.union(new.ambient);
        new.effective = if effective { new.permitted } else { new.ambient };
        new.secure_bits &= !bits::KEEP_CAPS;
        let secure = is_setid || (ids.real != 0 && (effective || !new.permitted.is_subset(new.ambient)));
        Ok(Executed { state: new, uid, gid, secure })
    }
}
