//! The processes that `/proc` shows (proc(5)), and the processes of the server's own service.

use std::fs;
use std::path::{Path, PathBuf};

use crate::text::digits;

/// A process, as `/proc/ID/stat` describes it.
pub(super) struct Process {
    pub(super) id: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) session: u32,
    /// The letter of its state.
    pub(super) state: u8,
    /// When the process started, in clock ticks since the start of the machine. Ids are used again; an id and a start
    /// name one process. `None` if `/proc` hides the process.
    pub(super) start: Option<u64>,
}

impl Process {
    /// Reads a process; `None` if it has ended or is hidden.
    pub(super) fn read(id: u32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{id}/stat")).ok()?;
        // The name of the process is in parentheses and may contain any character.
        let name_end = stat.iter().rposition(|octet| *octet == b')')?;
        let fields: Vec<&[u8]> = stat[name_end..].split(|octet| *octet == b' ').skip(1).collect();
        let number = |index: usize| digits::parse_decimal(fields.get(index)?).ok();
        let id_at = |index: usize| u32::try_from(number(index)?).ok();
        Some(Self {
            id,
            state: *fields.first()?.first()?,
            parent: id_at(1)?,
            group: id_at(2)?,
            session: id_at(3)?,
            start: Some(number(19)?),
        })
    }

    /// A process that `/proc` does not show. With the mount option `hidepid`, which `ProtectProc=invisible` sets, these
    /// are processes that may not be traced.
    pub(super) const fn hidden(id: u32) -> Self {
        Self { id, parent: 0, group: 0, session: 0, state: b'?', start: None }
    }

    /// Whether the process has ended. Its parent has not read its exit status yet.
    pub(super) const fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// Whether the process cannot start another process, because it is stopped or has ended. A hidden process counts as
    /// stopped.
    pub(super) const fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't' | b'Z' | b'X' | b'?')
    }

    /// Whether the process is running or in uninterruptible sleep.
    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.state, b'R' | b'D')
    }

    /// The value of an environment variable, as at the start of the process; `None` if the process has overwritten or
    /// hides its environment.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read(format!("/proc/{}/environ", self.id)).ok()?;
        let mut variables = environment.split(|octet| *octet == 0);
        let value =
            variables.find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        String::from_utf8(value.to_vec()).ok()
    }

    /// The filter of core dumps, in hexadecimal digits.
    pub(super) fn core_dump_filter(&self) -> Option<u64> {
        let filter = fs::read(format!("/proc/{}/coredump_filter", self.id)).ok()?;
        digits::parse_hex(filter.trim_ascii()).ok()
    }

    /// The hidden children of this process.
    pub(super) fn hidden_children(&self) -> Vec<Self> {
        let threads = ids_in(format!("/proc/{}/task", self.id));
        let children = |thread| {
            let children = format!("/proc/{}/task/{thread}/children", self.id);
            ids(&fs::read_to_string(children).unwrap_or_default())
        };
        let is_hidden = |id: &u32| !Path::new("/proc").join(id.to_string()).exists();
        threads.into_iter().flat_map(children).filter(is_hidden).map(Self::hidden).collect()
    }
}

/// All processes that are not hidden.
pub(super) fn all() -> Vec<Process> {
    ids_in("/proc".to_owned()).into_iter().filter_map(Process::read).collect()
}

/// Whether `/proc` hides processes. It then hides the first one from all users but root.
pub(super) fn are_hidden() -> bool {
    !Path::new("/proc/1").exists()
}

/// The names in a folder that are process ids.
fn ids_in(folder: String) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|entry| ids(&entry.file_name().to_string_lossy())).collect()
}

/// The process ids in a text. Other words are skipped, and 0, which means a process that has no id here.
fn ids(text: &str) -> Vec<u32> {
    let words = text.split_ascii_whitespace();
    let id = |word| u32::try_from(digits::parse_decimal(word).ok()?).ok();
    words.filter_map(id).filter(|id| *id > 0).collect()
}

/// The control group of a systemd service (cgroups(7)). All processes that the service starts are in it, and they
/// cannot leave it.
#[derive(Debug)]
pub(super) struct ServiceGroup(PathBuf);

impl ServiceGroup {
    /// The control group of this process; `None` if this process is not the main process of a service.
    pub(super) fn own() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        // The hierarchy of systemd is in one of these folders: alone, or besides the hierarchies of version 1.
        let folders = [("0::", ""), ("0::", "unified"), ("1:name=systemd:", "systemd")];
        let parent = std::os::unix::process::parent_id();
        folders.iter().find_map(|(hierarchy, folder)| {
            let path = groups.lines().find_map(|line| line.strip_prefix(hierarchy))?;
            let path = path.strip_suffix(".service").map(|_| path.trim_start_matches('/'))?;
            let group = Self(Path::new("/sys/fs/cgroup").join(folder).join(path));
            let ids = group.ids();
            (ids.contains(&std::process::id()) && !ids.contains(&parent)).then_some(group)
        })
    }

    /// The ids of the processes in the group, hidden ones too.
    pub(super) fn ids(&self) -> Vec<u32> {
        ids(&fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default())
    }
}
