//! The program as a person starts it: settings, exit codes, what it prints, and a socket as
//! standard input.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::tools::finish;
use crate::support::*;

/// What a command says with this environment: exit code, standard output, standard error.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let said = finish(command().args(arguments).envs(environment.iter().copied()));
    (said.code, said.out, said.err)
}

#[test]
fn help_and_version_are_printed_and_nothing_is_served() {
    for flags in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["serve", "--help"],
        &["help", "serve"],
        &["--listen", "x", "-h"],
    ] {
        let (code, out, err) = run(flags, &[]);
        assert_eq!((code, err.as_str()), (0, ""));
        for name in [
            "--listen",
            "--token-file",
            "--path",
            "--max-age",
            "--max-connections",
            "WECHAT_TOKEN",
        ] {
            assert!(out.contains(name), "{name}");
        }
    }
    for flag in ["--version", "-V"] {
        assert_eq!(
            run(&[flag], &[]),
            (0, format!("wechat {}\n", version()), String::new())
        );
    }
}

#[test]
fn bad_settings_are_one_line_and_exit_code_2() {
    let cases: [(&[&str], &[(&str, &str)], &str); 14] = [
        (
            &["--path", "/a b"],
            &[],
            "wechat: --path is \"/a b\"; expected a percent-encoded path such as /wx\n",
        ),
        (
            &["--path", "/a?b"],
            &[],
            "wechat: --path is \"/a?b\"; expected a percent-encoded path such as /wx\n",
        ),
        (
            &["--rules", ""],
            &[],
            "wechat: --rules is \"\"; expected a file path\n",
        ),
        (
            &["--version", "x"],
            &[],
            "wechat: unexpected argument \"x\"; see wechat help --version\n",
        ),
        (
            &["staus"],
            &[],
            "wechat: unknown command \"staus\"; did you mean status?\n",
        ),
        (
            &["help", "sned"],
            &[],
            "wechat: unknown command \"sned\"; did you mean send?\n",
        ),
        (
            &["restart"],
            &[],
            "wechat: unknown command \"restart\"; see wechat help\n",
        ),
        (
            &["--port", "1"],
            &[],
            "wechat: unknown flag \"--port\"; see wechat help serve\n",
        ),
        (
            &["stop", "--cotnrol=/c"],
            &[],
            "wechat: unknown flag \"--cotnrol\"; did you mean --control?\n",
        ),
        (
            &["stop", "--listen", "x"],
            &[],
            "wechat: unknown flag \"--listen\"; see wechat help stop\n",
        ),
        (
            &["serve", "--listen"],
            &[],
            "wechat: --listen has no value; expected --listen ADDR:PORT\n",
        ),
        (
            &["--listen", "\x1b[2J\n"],
            &[],
            "wechat: --listen is \"\\u{1b}[2J\\n\"; expected ADDR:PORT such as 0.0.0.0:80 or [::1]:8000\n",
        ),
        (
            &["serve"],
            &[("WECHAT_MAX_AGE", "never")],
            "wechat: WECHAT_MAX_AGE is \"never\"; expected a whole number of seconds\n",
        ),
        (
            &["--max-connections", "0"],
            &[],
            "wechat: --max-connections is \"0\"; expected 1 to 16000\n",
        ),
    ];
    for (arguments, environment, message) in cases {
        assert_eq!(
            run(arguments, environment),
            (2, String::new(), message.to_owned())
        );
    }
    for token in ["ab", "s3cret!"] {
        let (code, out, err) = run(&[], &[("WECHAT_TOKEN", token)]);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1));
        assert!(err.starts_with("wechat: WECHAT_TOKEN: "), "{err}");
        assert!(!err.contains(token), "{err}");
    }
}

#[test]
fn runtime_failures_are_one_line_and_exit_code_1() {
    let (code, out, err) = run(&["--token-file", "/nonexistent/token"], &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(
        err,
        "wechat: cannot read \"/nonexistent/token\": No such file or directory (os error 2)\n"
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, out, err) = run(&["--listen", &address], &[("WECHAT_TOKEN", TOKEN)]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.starts_with(&format!("wechat: cannot listen on {address}: ")),
        "{err}"
    );
}

/// A file of this test alone, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &str) -> Self {
        let directory =
            std::env::temp_dir().join(format!("wechat-test-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("token"), content).unwrap();
        Self(directory)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a temporary directory hurts nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_token_comes_from_a_file_or_a_credential() {
    let scratch = Scratch::new("token", "hello2021\n");
    let file = scratch.0.join("token");
    let listen = ["--listen", "127.0.0.1:0"];
    let flag = Program::spawn(
        command()
            .args(listen)
            .arg("--token-file")
            .arg(&file)
            .env("WECHAT_TOKEN", "other"),
    );
    let credential = Program::spawn(
        command()
            .args(listen)
            .env("CREDENTIALS_DIRECTORY", &scratch.0),
    );
    for program in [flag, credential] {
        assert_eq!(
            ask(&mut connect(program.address), &post(&text_message("a"))).status,
            200
        );
        program.stop_silent();
    }
    fs::write(&file, "hello 2021").unwrap();
    let (code, _, err) = run(&["--token-file", file.to_str().unwrap()], &[]);
    assert_eq!(code, 2);
    assert!(err.starts_with(&format!("wechat: {file:?}: ")), "{err}");
    assert!(!err.contains("hello"), "{err}");
    // One that may be there and cannot be read is not one that is not there.
    let (code, _, err) = run(&[], &[("CREDENTIALS_DIRECTORY", file.to_str().unwrap())]);
    let of_file = "wechat: cannot read ";
    let reason = ": Not a directory (os error 20)\n";
    assert_eq!(code, 1);
    assert!(err.starts_with(of_file) && err.ends_with(reason), "{err}");
}

#[test]
fn without_a_token_one_is_made_up_and_the_printed_commands_work() {
    let start = || {
        let mut program =
            Program::spawn(command().args(["--listen", "127.0.0.1:0", "--path", "/wx"]));
        let made_up = program.next_line();
        assert!(
            made_up.starts_with("no token given; generated one for this run: "),
            "{made_up}"
        );
        (
            made_up.trim_end().rsplit(' ').next().unwrap().to_owned(),
            program,
        )
    };
    let ((token, mut program), (other_token, another)) = (start(), start());
    assert_eq!(token.len(), 20);
    assert_ne!(token, other_token);
    assert_eq!(program.next_line(), "try it in another terminal:\n");
    // Pasted into a shell, as they are.
    for (ending, last) in [
        ("verify", "WeChat would accept "),
        ("你好", "WeChat would deliver this"),
    ] {
        let line = program.next_line();
        assert!(line.contains(ending), "{line}");
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(text.lines().last().unwrap().starts_with(last), "{text}");
    }
    another.stop_silent();
}

#[test]
fn a_listening_socket_as_standard_input_is_used() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // As systemd may hand it over.
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    // Queued before the server runs, as the connection is that starts a socket unit.
    let mut early = connect(address);
    let stdin = Stdio::from(OwnedFd::from(listener.try_clone().unwrap()));
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .args(["--listen", "192.0.2.1:1"])
            .stdin(stdin),
    );
    assert_eq!(program.address, address);
    assert_eq!(ask(&mut early, &post(&text_message("a"))).status, 200);
    program.stop_silent();
    // The socket outlives the server, so its next owner finds it whole.
    let _queued = connect(address);
}

#[test]
fn running_out_of_descriptors_makes_room_as_running_out_of_seats_does() {
    // Of 20, connections leave 10; the seven that are passed on are more than that with the usual ones.
    let program = Program::spawn(
        std::process::Command::new("sh")
            .args([
                "-c",
                "ulimit -n 20; for n in 3 4 5 6 7 8 9; do eval \"exec $n< /dev/null\"; done
                 exec \"$0\" --listen 127.0.0.1:0",
                env!("CARGO_BIN_EXE_wechat"),
            ])
            .env("WECHAT_TOKEN", TOKEN)
            .stdin(Stdio::null()),
    );
    let _silent: Vec<_> = (0..120).map(|_| connect(program.address)).collect();
    for _ in 0..10 {
        assert_eq!(
            ask(&mut connect(program.address), &post(&text_message("a"))).status,
            200
        );
    }
    let lines = program.stop();
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line.starts_with("cause=accept ")),
        "{lines:#?}"
    );
}

#[test]
fn a_connected_socket_as_standard_input_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = connect(listener.local_addr().unwrap());
    let stdin = Stdio::from(OwnedFd::from(stream));
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(stdin),
    );
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    program.stop_silent();
}

#[test]
fn ipv6_is_listened_at_where_there_is_any() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("this machine has no IPv6, so nothing was tested");
        return;
    }
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .args(["--listen", "[::1]:0"]),
    );
    assert_eq!(
        ask(&mut connect(program.address), &post(&text_message("a"))).status,
        200
    );
    program.stop_silent();
}

/// Somebody who holds all connections keeps no program from being started.
#[test]
fn connections_leave_descriptors_to_programs() {
    let rules = folder("descriptors").join("rules.xml");
    fs::write(&rules, "<rules><on><run>echo yes</run></on></rules>").unwrap();
    let program = Program::spawn(
        std::process::Command::new("sh")
            .args([
                "-c",
                "ulimit -n 100; exec \"$0\" --listen 127.0.0.1:0 --rules \"$1\"",
                env!("CARGO_BIN_EXE_wechat"),
                rules.to_str().unwrap(),
            ])
            .env("WECHAT_TOKEN", TOKEN)
            .stdin(Stdio::null()),
    );
    let _silent: Vec<_> = (0..200).map(|_| connect(program.address)).collect();
    for msg_id in 0..10 {
        let xml = text_of("oUser1", msg_id, "x");
        let answer = ask(&mut connect(program.address), &post(&xml));
        assert_eq!(element(&answer.content, "Content"), "yes");
    }
    let lines = program.stop();
    let is_crowd = |line: &String| line.starts_with("cause=crowded ");
    assert!(lines.iter().all(is_crowd), "{lines:#?}");
}

#[test]
fn the_unit_and_the_rules_are_those_of_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = finish(command().arg("unit"));
    assert_eq!(
        said.out,
        fs::read_to_string(root.join("wechat.service")).unwrap()
    );
    let sample = finish(command().arg("rules")).out;
    let path = folder("sample").join("rules.xml");
    fs::write(&path, sample).unwrap();
    assert_eq!(finish(command().arg("check").arg(&path)).code, 0);
    for name in ["unit", "rules"] {
        let said = finish(command().args([name, "x"]));
        assert_eq!(
            (said.code, said.err),
            (
                2,
                format!("wechat: unexpected argument \"x\"; see wechat help {name}\n")
            )
        );
    }
}

#[test]
fn each_command_has_a_help_of_its_own() {
    let all = finish(command().arg("help")).out;
    for name in [
        "serve", "check", "verify", "send", "replay", "rules", "unit",
    ] {
        let said = finish(command().args(["help", name]));
        let first = said.out.lines().next().unwrap();
        assert!(
            first.starts_with("usage: wechat ") && first.contains(name),
            "{first}"
        );
        assert_eq!(finish(command().args([name, "--help"])).out, said.out);
        assert!(
            all.contains(&format!("wechat {name}")) || name == "serve",
            "{name}"
        );
        assert!(
            said.out.lines().all(|line| line.chars().count() <= 120),
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_printed_is_an_error_but_who_stops_reading_is_none() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command().arg("unit").stdout(full).output().unwrap();
    let message = "wechat: cannot print: No space left on device (os error 28)\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
    assert_eq!(output.status.code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command().arg("rules").stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

/// sd_notify(3): by a path, or by an abstract name behind `@`.
#[test]
fn a_service_manager_hears_when_the_server_is_ready() {
    let path = folder("notify").join("socket");
    let by_path = UnixDatagram::bind(&path).unwrap();
    let name = format!("wechat-test-{}", std::process::id());
    let address = UnixAddress::from_abstract_name(&name).unwrap();
    let by_name = UnixDatagram::bind_addr(&address).unwrap();
    let sockets = [
        (by_path, path.to_str().unwrap().to_owned()),
        (by_name, format!("@{name}")),
    ];
    for (socket, shown) in sockets {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let program = Program::spawn(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("NOTIFY_SOCKET", &shown)
                .args(["--listen", "127.0.0.1:0"]),
        );
        let mut state = [0; 100];
        let length = socket.recv(&mut state).unwrap();
        assert_eq!(&state[..length], b"READY=1", "{shown}");
        assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
        program.stop_silent();
    }
}

#[test]
fn a_service_manager_that_is_not_there_keeps_nobody_from_being_served() {
    let control = folder("notify-nobody").join("control");
    let control = control.to_str().unwrap();
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .env("NOTIFY_SOCKET", "/nonexistent/notify")
            .args(["--listen", "127.0.0.1:0", "--control", control]),
    );
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    // Who asks for its status is answered behind that; a request may be in front of it.
    assert_eq!(
        finish(command().args(["status", "--control", control])).code,
        0
    );
    assert_eq!(
        program.stop(),
        [
            "cause=notify reason=\"No such file or directory (os error 2)\" \
          hint=\"is NOTIFY_SOCKET the service manager's?\""
        ]
    );
}
