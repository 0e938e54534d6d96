//! Examines the file of a program: why the system cannot start it (execve(2)).

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::file::{ClosedToOthers, ReadError, find_closed_to_others, is_home, system_error};
use super::wording::wording;

/// Bytes of the start of a file that are examined. The first line of a script and the headers of a program are in them.
const START_MAX: u64 = 4096;

/// Maximum number of interpreters that are scripts themselves (execve(2)).
const INTERPRETERS_MAX: usize = 4;

/// The error number of a file in an unknown format (ENOEXEC on Linux). `io::ErrorKind` does not have it.
const UNKNOWN_FORMAT: i32 = 8;

/// The exit status of `env` if it does not find the program (env(1)).
const NOT_FOUND_BY_ENV: i32 = 127;

/// A reason why the system cannot start a program, and what to do.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such file.
    Missing {
        file: PathBuf,
    },
    /// The file is a link, and there is no file at its end.
    DeadLink {
        file: PathBuf,
        target: PathBuf,
    },
    /// The name has no slash, and no folder of `PATH` has such a file.
    NotInPath {
        name: String,
    },
    /// The user of this process may not enter a folder. The text is the reason.
    ClosedFolder {
        reason: String,
        folder: PathBuf,
    },
    Folder {
        file: PathBuf,
    },
    NotRegularFile {
        file: PathBuf,
    },
    /// No user may execute the file.
    NotExecutable {
        file: PathBuf,
        mode: u32,
    },
    /// The file is on a file system from which no file may be executed (mount(8)).
    NoExec {
        file: PathBuf,
        mount: PathBuf,
    },
    /// Only some users may execute the file, or enter a folder above it.
    ClosedToOthers(ClosedToOthers),
    Empty {
        file: PathBuf,
    },
    /// The file begins with a byte order mark.
    ByteOrderMark {
        file: PathBuf,
    },
    /// The file is neither a script nor a program of this system.
    NoInterpreter {
        file: PathBuf,
    },
    /// The first line of the script ends in a carriage return.
    CarriageReturn {
        file: PathBuf,
    },
    /// The first line of the script names an interpreter that does not exist.
    InterpreterMissing {
        file: PathBuf,
        interpreter: String,
    },
    /// The first line of the script has `/usr/bin/env NAME`, and no folder of `PATH` has such a file.
    InterpreterNotInPath {
        file: PathBuf,
        interpreter: String,
    },
    /// The program needs a dynamic loader that does not exist, because it was built for another C library.
    LoaderMissing {
        file: PathBuf,
        loader: String,
    },
    /// The program was built for another processor.
    OtherProcessor {
        file: PathBuf,
    },
}

wording! { Fault {
    Self::Missing { file } => en: "there is no file {}; correct the path in the rules file",
        zh: "没有文件 {}；请改正规则文件中的路径", shown(file);
    Self::DeadLink { file, target } => en: "{} is a link to {}, which does not exist",
        zh: "{} 是指向 {} 的链接，但后者不存在", shown(file), shown(target);
    Self::NotInPath { name } => en: "no folder of PATH has a program {}; write its whole path into the rules file",
        zh: "PATH 的各个目录中都没有程序 {}；请在规则文件中写出完整路径", shown(name);
    Self::ClosedFolder { reason, folder } if is_home(folder) =>
        en: "{reason}; move the program out of the home folder, for example to /usr/local/bin",
        zh: "{reason}；请把程序移出用户主目录，例如放到 /usr/local/bin";
    Self::ClosedFolder { reason, folder } => en: "{reason}; chmod o+x {}", zh: "{reason}；请运行 chmod o+x {}", shown(folder);
    Self::Folder { file } => en: "{} is a folder; write the path of the program in it",
        zh: "{} 是目录；请写出其中程序的路径", shown(file);
    Self::NotRegularFile { file } => en: "{} is not a regular file", zh: "{} 不是普通文件", shown(file);
    Self::NotExecutable { file, mode } => en: "{0} has mode {mode:04o}, so no user may execute it; chmod +x {0}",
        zh: "{0} 的权限是 {mode:04o}，没有用户能执行；请运行 chmod +x {0}", shown(file);
    Self::NoExec { file, mount } =>
        en: "{} may not be executed, because {} is mounted with noexec; move it, for example to /usr/local/bin",
        zh: "{} 不能执行，因为 {} 以 noexec 挂载；请移动程序，例如放到 /usr/local/bin", shown(file), shown(mount);
    Self::ClosedToOthers(ClosedToOthers { closed, mode, is_folder: true }) if is_home(closed) =>
        en: "folder {} has mode {mode:04o}, so the user of the service may not be able to enter it; \
            move the program out of the home folder, for example to /usr/local/bin",
        zh: "目录 {} 的权限是 {mode:04o}，运行服务的用户可能无法进入；请把程序移出用户主目录，例如放到 /usr/local/bin",
        shown(closed);
    Self::ClosedToOthers(ClosedToOthers { closed, mode, is_folder: true }) =>
        en: "folder {0} has mode {mode:04o}, so the user of the service may not be able to enter it; chmod o+x {0}",
        zh: "目录 {0} 的权限是 {mode:04o}，运行服务的用户可能无法进入；请运行 chmod o+x {0}", shown(closed);
    Self::ClosedToOthers(ClosedToOthers { closed, mode, is_folder: false }) =>
        en: "{0} has mode {mode:04o}, so the user of the service may not be able to execute it; chmod o+rx {0}",
        zh: "{0} 的权限是 {mode:04o}，运行服务的用户可能无法执行；请运行 chmod o+rx {0}", shown(closed);
    Self::Empty { file } => en: "{} is empty", zh: "{} 是空文件", shown(file);
    Self::ByteOrderMark { file } => en: "{} begins with a byte order mark (BOM); save it as UTF-8 without BOM",
        zh: "{} 以字节顺序标记（BOM）开头；请保存为不带 BOM 的 UTF-8", shown(file);
    Self::NoInterpreter { file } =>
        en: "{} is neither a program of this system nor a script that begins with #! and an interpreter; \
            write a first line such as #!/bin/sh or #!/usr/bin/env python3",
        zh: "{} 既不是本系统的程序，也不是以 #! 和解释器开头的脚本；\
            请加上第一行，例如 #!/bin/sh 或 #!/usr/bin/env python3", shown(file);
    Self::CarriageReturn { file } =>
        en: "the first line of {} ends in a carriage return; save it with the line ends of Unix (LF)",
        zh: "{} 的第一行以回车符（CR）结尾；请用 Unix 换行（LF）保存", shown(file);
    Self::InterpreterMissing { file, interpreter } =>
        en: "the first line of {} names {}, which does not exist; install it, or correct the first line",
        zh: "{} 的第一行指定了 {}，但它不存在；请安装它，或改正第一行", shown(file), shown(interpreter);
    Self::InterpreterNotInPath { file, interpreter } =>
        en: "the first line of {} names {}, which no folder of PATH has; install it, or write its whole path",
        zh: "{} 的第一行指定了 {}，但 PATH 的各个目录中都没有；请安装它，或写出完整路径", shown(file), shown(interpreter);
    Self::LoaderMissing { file, loader } =>
        en: "{} needs {}, which does not exist; install the C library that it was built for, or build it statically",
        zh: "{} 需要 {}，但它不存在；请安装它编译时使用的 C 库，或改为静态编译", shown(file), shown(loader);
    Self::OtherProcessor { file } => en: "{} was built for another processor; build it for this one",
        zh: "{} 是为别的处理器编译的；请为本机的处理器编译", shown(file);
} }

/// A path for a sentence. Characters that are not printable are escaped.
fn shown(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().escape_debug().to_string()
}

/// Examines a program as named in a command. `path` is the variable `PATH`, in whose folders a name without a slash is
/// searched. Returns all faults, in the order in which the system finds them; none if the program can be started as far
/// as its file says.
pub(crate) fn examine(program: &OsStr, path: &OsStr) -> Vec<Fault> {
    let mut faults = Vec::new();
    match find(program, path) {
        Some(file) => examine_file(&file, path, INTERPRETERS_MAX, &mut faults),
        None => faults.push(Fault::NotInPath { name: program.to_string_lossy().into_owned() }),
    }
    faults
}

/// The fault because of which the system refused to start a program with this error; `None` if it is not known.
pub(crate) fn explain(program: &OsStr, path: &OsStr, error: &io::Error) -> Option<Fault> {
    let is_cause = |fault: &Fault| match fault {
        Fault::Missing { .. }
        | Fault::DeadLink { .. }
        | Fault::NotInPath { .. }
        | Fault::CarriageReturn { .. }
        | Fault::InterpreterMissing { .. }
        | Fault::LoaderMissing { .. } => is_missing(error),
        Fault::ClosedFolder { .. }
        | Fault::Folder { .. }
        | Fault::NotRegularFile { .. }
        | Fault::NotExecutable { .. }
        | Fault::NoExec { .. }
        | Fault::ClosedToOthers(_) => error.kind() == io::ErrorKind::PermissionDenied,
        Fault::Empty { .. }
        | Fault::ByteOrderMark { .. }
        | Fault::NoInterpreter { .. }
        | Fault::OtherProcessor { .. } => error.raw_os_error() == Some(UNKNOWN_FORMAT),
        Fault::InterpreterNotInPath { .. } => false,
    };
    examine(program, path).into_iter().find(is_cause)
}

/// The fault because of which the interpreter of a script ended with this exit status; `None` if it is not known.
pub(crate) fn explain_status(program: &OsStr, path: &OsStr, status: Option<i32>) -> Option<Fault> {
    let is_cause = |fault: &Fault| {
        matches!(fault, Fault::CarriageReturn { .. } | Fault::InterpreterNotInPath { .. })
    };
    let faults = || examine(program, path).into_iter().find(is_cause);
    (status == Some(NOT_FOUND_BY_ENV)).then(faults).flatten()
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The file of a program. Of several files in the folders of `path`, the first one that may be executed.
fn find(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return std::path::absolute(program).ok();
    }
    let files = env::split_paths(path).map(|folder| folder.join(program));
    let files: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    let is_executable = |file: &&PathBuf| {
        fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
    };
    files.iter().find(is_executable).or(files.first()).cloned()
}

fn examine_file(file: &Path, path: &OsStr, interpreters: usize, faults: &mut Vec<Fault>) {
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) => return faults.extend(unreachable(file, error)),
    };
    let owned = file.to_owned();
    if metadata.is_dir() {
        return faults.push(Fault::Folder { file: owned });
    }
    if !metadata.is_file() {
        return faults.push(Fault::NotRegularFile { file: owned });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o111 == 0 {
        faults.push(Fault::NotExecutable { file: owned, mode });
    } else if let Some(mount) = find_noexec(file) {
        faults.push(Fault::NoExec { file: owned, mount });
    }
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(START_MAX).read_to_end(&mut start));
    let is_script = start.starts_with(b"#!");
    // A script must be readable too, because its interpreter reads it.
    let needed = if is_script { 0o005 } else { 0o001 };
    if mode & 0o111 != 0 {
        faults.extend(find_closed_to_others(file, needed).map(Fault::ClosedToOthers));
    }
    if read.is_ok() {
        examine_start(&start, file, path, interpreters, faults);
    }
}

/// The fault of a file that cannot be reached because of this error.
fn unreachable(file: &Path, error: io::Error) -> Option<Fault> {
    if is_missing(&error) {
        let file = file.to_owned();
        return Some(match fs::read_link(&file) {
            Ok(target) => Fault::DeadLink { file, target },
            Err(_) => Fault::Missing { file },
        });
    }
    let error = system_error(file, error);
    let reason = error.to_string();
    let ReadError::NoPermission { closed, .. } = error else {
        return None;
    };
    Some(Fault::ClosedFolder { reason, folder: closed })
}

/// The mount point of a file if no file may be executed there (proc_mounts(5)).
fn find_noexec(file: &Path) -> Option<PathBuf> {
    let file = fs::canonicalize(file).ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((Path::new(fields.next()?), fields.nth(1)?))
    });
    // Of several mounts at one place, the last one counts.
    let (mount, options) = mounts
        .filter(|(mount, _)| file.starts_with(mount))
        .max_by_key(|(mount, _)| mount.components().count())?;
    options.split(',').any(|option| option == "noexec").then(|| mount.to_owned())
}

/// Examines the first bytes of a file.
fn examine_start(
    start: &[u8],
    file: &Path,
    path: &OsStr,
    interpreters: usize,
    faults: &mut Vec<Fault>,
) {
    let owned = file.to_owned();
    if let Some(line) = start.strip_prefix(b"#!") {
        examine_script(line, file, path, interpreters, faults);
    } else if start.starts_with(b"\x7FELF") {
        faults.extend(examine_elf(start, file));
    } else if start.is_empty() {
        faults.push(Fault::Empty { file: owned });
    } else if start.starts_with("\u{FEFF}".as_bytes()) {
        faults.push(Fault::ByteOrderMark { file: owned });
    } else {
        faults.push(Fault::NoInterpreter { file: owned });
    }
}

/// Examines the first line of a script, after the `#!`.
fn examine_script(
    start: &[u8],
    file: &Path,
    path: &OsStr,
    interpreters: usize,
    faults: &mut Vec<Fault>,
) {
    let owned = file.to_owned();
    let line = start.split(|octet| *octet == b'\n').next().unwrap_or_default();
    if line.ends_with(b"\r") {
        return faults.push(Fault::CarriageReturn { file: owned });
    }
    let mut words =
        line.split(|octet| matches!(octet, b' ' | b'\t')).filter(|word| !word.is_empty());
    let Some(interpreter) = words.next().map(|word| Path::new(OsStr::from_bytes(word))) else {
        return faults.push(Fault::NoInterpreter { file: owned });
    };
    if fs::metadata(interpreter).is_err_and(|error| is_missing(&error)) {
        let interpreter = interpreter.to_string_lossy().into_owned();
        return faults.push(Fault::InterpreterMissing { file: owned, interpreter });
    }
    if let Some(left) = interpreters.checked_sub(1) {
        examine_file(interpreter, path, left, faults);
    }
    let is_env = interpreter.file_name() == Some(OsStr::new("env"));
    let name = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='));
    if let Some(name) = name.filter(|_| is_env).map(OsStr::from_bytes)
        && find(name, path).is_none_or(|found| !found.exists())
    {
        let interpreter = name.to_string_lossy().into_owned();
        faults.push(Fault::InterpreterNotInPath { file: owned, interpreter });
    }
}

/// Examines a program in the format ELF (elf(5)): its processor, and its dynamic loader.
fn examine_elf(start: &[u8], file: &Path) -> Option<Fault> {
    const LITTLE_ENDIAN: u8 = 1;
    const CLASS_64: u8 = 2;
    const LOADER: u64 = 3;
    /// Pairs of processors, the second of which can run programs of the first.
    const COMPATIBLE: [(u64, u64); 2] = [(3, 62), (40, 183)];
    if *start.get(5)? != LITTLE_ENDIAN {
        return None;
    }
    let number = |offset: usize, length: usize| {
        let octets = start.get(offset..offset.checked_add(length)?)?;
        Some(octets.iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet)))
    };
    let index = |offset, length| usize::try_from(number(offset, length)?).ok();
    let mut own = [0; 20];
    File::open("/proc/self/exe").and_then(|mut exe| exe.read_exact(&mut own)).ok()?;
    let own = u64::from(u16::from_le_bytes([own[18], own[19]]));
    let processor = number(18, 2)?;
    let file = file.to_owned();
    if processor != own && !COMPATIBLE.contains(&(processor, own)) {
        return Some(Fault::OtherProcessor { file });
    }
    let is_64 = *start.get(4)? == CLASS_64;
    let (table, size, count) =
        if is_64 { (index(32, 8)?, 54, 56) } else { (index(28, 4)?, 42, 44) };
    let (size, count) = (index(size, 2)?, index(count, 2)?);
    let mut entries = (0..count).map_while(|number| table.checked_add(number.checked_mul(size)?));
    let entry = entries.find(|entry| number(*entry, 4) == Some(LOADER))?;
    let (offset, length) = match is_64 {
        true => (index(entry + 8, 8)?, index(entry + 32, 8)?),
        false => (index(entry + 4, 4)?, index(entry + 16, 4)?),
    };
    let loader = start.get(offset..offset.checked_add(length)?)?;
    let loader = str::from_utf8(loader.strip_suffix(&[0])?).ok()?;
    let is_missing = !Path::new(loader).exists();
    is_missing.then(|| Fault::LoaderMissing { file, loader: loader.to_owned() })
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// The sentences about a file with this content and mode, with `DIR` for its folder.
    fn sentences(name: &str, content: &[u8], mode: u32) -> Vec<String> {
        let folder = env::temp_dir().join(format!("wechat-executable-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let faults = examine(file.as_os_str(), OsStr::new("/usr/bin:/bin"));
        fs::remove_file(&file).unwrap();
        let folder = folder.to_str().unwrap();
        faults.iter().map(|fault| fault.to_string().replace(folder, "DIR")).collect()
    }

    /// A program in the format ELF for this processor, or for the processor with this number, with this loader.
    fn elf(loader: &[u8], processor: Option<u8>) -> Vec<u8> {
        let mut program = vec![0; 176];
        File::open("/proc/self/exe").unwrap().read_exact(&mut program[..20]).unwrap();
        program[4] = 2;
        program[18] = processor.unwrap_or(program[18]);
        // The table of program headers: at 64, two entries of 56 bytes.
        (program[32], program[54], program[56]) = (64, 56, 2);
        // The second entry: the loader, at 176.
        (program[120], program[128], program[152]) = (3, 176, u8::try_from(loader.len()).unwrap());
        program.extend_from_slice(loader);
        program
    }

    #[test]
    fn finds_faults_that_the_system_reports_to_other_users_only() {
        assert_eq!(sentences("ask", b"#!/bin/sh\n", 0o755), [""; 0]);
        assert_eq!(sentences("ask", b"#! /bin/sh -e\n", 0o755), [""; 0]);
        assert_eq!(sentences("ask", b"#!/usr/bin/env -S LANG=C sh\n", 0o755), [""; 0]);
        for mode in [0o750, 0o711] {
            let closed = format!(
                "DIR/ask has mode {mode:04o}, so the user of the service may not be able to execute it; \
                 chmod o+rx DIR/ask"
            );
            assert_eq!(sentences("ask", b"#!/bin/sh\n", mode), [closed]);
        }
        assert_eq!(sentences("ask", &fs::read("/bin/sh").unwrap(), 0o711), [""; 0]);
    }

    #[test]
    fn finds_programs_for_another_machine() {
        assert_eq!(sentences("program", &elf(b"/bin/sh\0", None), 0o755), [""; 0]);
        assert_eq!(
            sentences("program", &elf(b"/lib/ld-none.so.1\0", None), 0o755),
            ["DIR/program needs /lib/ld-none.so.1, which does not exist; \
              install the C library that it was built for, or build it statically"]
        );
        assert_eq!(
            sentences("program", &elf(b"/bin/sh\0", Some(8)), 0o755),
            ["DIR/program was built for another processor; build it for this one"]
        );
        // Every beginning of a program is examined without a panic.
        let whole = elf(b"/lib/ld-none.so.1\0", None);
        (1..whole.len()).for_each(|length| drop(sentences("program", &whole[..length], 0o755)));
    }
}
