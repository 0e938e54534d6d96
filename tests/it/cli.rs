//! The program as a user starts it: settings, exit codes, output, and a socket as standard input.

use std::fs;
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram};
use std::process::Stdio;

use crate::support::tools::finish;
use crate::support::*;

/// The exit code, standard output and standard error of a command with this environment.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let finished = finish(command().args(arguments).envs(environment.iter().copied()));
    (finished.code, finished.out, finished.err)
}

#[test]
fn prints_help_and_version() {
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
        for name in
            ["--listen", "--token-file", "--path", "--max-age", "--max-connections", "WECHAT_TOKEN"]
        {
            assert!(out.contains(name), "{name}");
        }
    }
    for flag in ["--version", "-V"] {
        assert_eq!(run(&[flag], &[]), (0, format!("wechat {}\n", version()), String::new()));
    }
}

#[test]
fn invalid_arguments_and_settings_are_one_line_and_exit_code_2() {
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
        (&["--rules", ""], &[], "wechat: --rules is \"\"; expected a file path\n"),
        (&["--version", "x"], &[], "wechat: unexpected argument \"x\"; see wechat help version\n"),
        (&["staus"], &[], "wechat: unknown command \"staus\"; did you mean status?\n"),
        (&["help", "sned"], &[], "wechat: no help on \"sned\"; did you mean send?\n"),
        (&["restart"], &[], "wechat: unknown command \"restart\"; see wechat help\n"),
        (&["--port", "1"], &[], "wechat: unknown flag \"--port\"; see wechat help serve\n"),
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
        assert_eq!(run(arguments, environment), (2, String::new(), message.to_owned()));
    }
    for token in ["ab", "s3cret!"] {
        let (code, out, err) = run(&[], &[("WECHAT_TOKEN", token)]);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1));
        assert!(err.starts_with("wechat: WECHAT_TOKEN: "), "{err}");
        assert!(!err.contains(token), "{err}");
    }
}

#[test]
fn failures_are_one_line_and_exit_code_1() {
    let (code, out, err) = run(&["--token-file", "/nonexistent/token"], &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(
        err,
        "wechat: cannot read \"/nonexistent/token\": No such file or directory (os error 2)\n"
    );
    let pipes = folder("token-pipe");
    let pipe = pipes.join("token");
    make_pipe(&pipe);
    for (path, flags, credentials) in [
        (pipe.to_str().unwrap(), &["--token-file", pipe.to_str().unwrap()][..], "/nonexistent"),
        ("/dev/zero", &["--token-file", "/dev/zero"], "/nonexistent"),
        (pipe.to_str().unwrap(), &[], pipes.to_str().unwrap()),
    ] {
        let (code, _, err) = run(flags, &[("CREDENTIALS_DIRECTORY", credentials)]);
        assert_eq!((code, err), (1, format!("wechat: cannot read {path:?}: not a regular file\n")));
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, out, err) = run(&["--listen", &address], &[("WECHAT_TOKEN", TOKEN)]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with(&format!("wechat: cannot listen on {address}: ")), "{err}");
}

#[test]
fn reads_the_token_from_flag_then_variable_then_credential() {
    let credentials = folder("credentials");
    fs::write(credentials.join("token"), format!("{TOKEN}\n")).unwrap();
    let file = credentials.join("token");
    let other = folder("other-credentials");
    fs::write(other.join("token"), "other").unwrap();
    let accepts_the_token = |environment: &[(&str, &str)], flags: &[&str]| {
        let program = Program::spawn(
            command()
                .args(["--listen", "127.0.0.1:0"])
                .args(flags)
                .envs(environment.iter().copied())
                .env("CREDENTIALS_DIRECTORY", &other),
        );
        let response = ask(&mut connect(program.address), &post(&text_message("a")));
        assert_eq!(response.status, 200);
        program.stop_silent();
    };
    let flags = ["--token-file", file.to_str().unwrap()];
    accepts_the_token(&[("WECHAT_TOKEN", "other")], &flags);
    accepts_the_token(&[("WECHAT_TOKEN", TOKEN)], &[]);
    fs::copy(&file, other.join("token")).unwrap();
    accepts_the_token(&[], &[]);
    fs::write(&file, "hello 2021").unwrap();
    let (code, _, err) = run(&["--token-file", file.to_str().unwrap()], &[]);
    assert_eq!(code, 2);
    assert!(err.starts_with(&format!("wechat: {file:?}: ")), "{err}");
    assert!(!err.contains("hello"), "{err}");
    // Only a missing credential file means that there is no token. Any other failure is an error.
    let (code, _, err) = run(&[], &[("CREDENTIALS_DIRECTORY", file.to_str().unwrap())]);
    let start = "wechat: cannot read ";
    let reason = ": Not a directory (os error 20)\n";
    assert_eq!(code, 1);
    assert!(err.starts_with(start) && err.ends_with(reason), "{err}");
}

#[test]
fn generates_a_token_and_prints_commands_that_work() {
    let start = || {
        let mut program =
            Program::spawn(command().args(["--listen", "127.0.0.1:0", "--path", "/wx"]));
        let generated = program.next_line();
        assert!(
            generated.starts_with("no token given; generated one for this run: "),
            "{generated}"
        );
        (generated.trim_end().rsplit(' ').next().unwrap().to_owned(), program)
    };
    let ((token, mut program), (other_token, another)) = (start(), start());
    assert_eq!(token.len(), 20);
    assert_ne!(token, other_token);
    assert_eq!(program.next_line(), "try it in another terminal:\n");
    // Both commands, pasted into a shell.
    for (word, last) in [("verify", "WeChat would accept "), ("你好", "WeChat would deliver this")]
    {
        let line = program.next_line();
        assert!(line.contains(word), "{line}");
        let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(text.lines().last().unwrap().starts_with(last), "{text}");
    }
    another.stop_silent();
}

/// A token made up for one run would be in the log, and another one after each restart.
#[test]
fn only_a_trial_at_a_loopback_address_starts_without_a_token() {
    let start = "wechat: no token; set WECHAT_TOKEN or pass --token-file FILE; looked for WECHAT_TOKEN and ";
    let systemd = " (systemd before 247 ignores LoadCredential=); a server generates a token only for a trial, and ";
    let unset = "$CREDENTIALS_DIRECTORY/token, but CREDENTIALS_DIRECTORY is not set";
    let credentials = folder("no-credentials");
    let missing = format!("the file {:?}, which does not exist", credentials.join("token"));
    let refused = |listen: &str, variables: &[(&str, &str)], looked: &str, reason: &str| {
        let mut command = command();
        command.args(["--listen", listen]).envs(variables.iter().copied());
        let output = finish(&mut command);
        assert_eq!((output.code, output.out.as_str()), (2, ""));
        assert_eq!(output.err, format!("{start}{looked}{systemd}{reason}\n"));
    };
    let local = "127.0.0.1:0";
    let folder = ("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap());
    let invocation = ("INVOCATION_ID", "4d2f");
    let reason = "CREDENTIALS_DIRECTORY is set, as in a service";
    refused(local, &[folder], &missing, reason);
    refused(local, &[folder, invocation], &missing, reason);
    let reason = "NOTIFY_SOCKET is set, as in a service";
    refused(local, &[("NOTIFY_SOCKET", "/nonexistent/notify")], unset, reason);
    refused(local, &[invocation], unset, "INVOCATION_ID is set, as in a service");
    // Other secrets do not change the explanation.
    let previous = ("WECHAT_TOKEN_PREVIOUS", TOKEN);
    refused(local, &[invocation, previous], unset, "INVOCATION_ID is set, as in a service");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
        refused(address, &[], unset, &format!("other machines can reach {address}"));
    }
    let socket = TcpListener::bind(local).unwrap();
    let output = finish(command().stdin(Stdio::from(OwnedFd::from(socket))));
    let reason = "a listening socket was passed as standard input";
    assert_eq!((output.code, output.err), (2, format!("{start}{unset}{systemd}{reason}\n")));
    for listen in ["127.0.0.1:0", "127.1.2.3:0", "[::1]:0"] {
        let mut command = command();
        // An empty variable is not set.
        command.env("INVOCATION_ID", "").args(["--listen", listen]);
        assert!(
            Program::spawn(&mut command).next_line().starts_with("no token given; "),
            "{listen}"
        );
    }
}

#[test]
fn a_secret_is_never_a_flag_and_never_shown() {
    let start = "secrets are never flags, because every user of a machine can read them: ";
    for command in ["serve", "verify", "send", "replay"] {
        for flag in ["--token", "--token=s3cret", "--wechat-token", "--Token"] {
            let (code, out, err) = run(&[command, flag, "s3cret"], &[]);
            assert_eq!((code, out.as_str()), (2, ""));
            let name = flag.split('=').next().unwrap();
            assert_eq!(
                err,
                format!(
                    "wechat: unknown flag {name:?}; {start}pass --token-file FILE or set WECHAT_TOKEN\n"
                )
            );
        }
        let (_, _, err) = run(&[command, "--encoding-aes-key=s3cret"], &[]);
        assert_eq!(
            err,
            format!("wechat: unknown flag \"--encoding-aes-key\"; {start}set WECHAT_AES_KEY\n")
        );
    }
    let (_, _, err) = run(&["send", "--token-flie", "x"], &[]);
    assert_eq!(err, "wechat: unknown flag \"--token-flie\"; did you mean --token-file?\n");
    // A command that needs no secret says nothing about secrets.
    let (_, _, err) = run(&["status", "--token", "x"], &[]);
    assert_eq!(err, "wechat: unknown flag \"--token\"; see wechat help status\n");
}

#[test]
fn a_secret_that_was_saved_wrongly_is_explained_and_not_shown() {
    let file = folder("secret-flaws").join("token");
    for (content, reason) in [
        (
            "\u{FEFF}s3cret\n",
            "begins with a byte order mark (EF BB BF); save it as UTF-8 without BOM",
        ),
        ("s\u{0}3\u{0}c\u{0}", "is UTF-16; save it as UTF-8 without BOM"),
        ("\"s3cret\"\n", "the secret is in quotes; write it without quotes"),
        (
            "s3cret\n\n",
            "white space or an empty line before or after the secret; write one line with the secret alone",
        ),
        ("WECHAT_TOKEN=s3cret\n", "a name and = before the secret; write the secret alone"),
    ] {
        fs::write(&file, content).unwrap();
        let (code, _, err) = run(&["--token-file", file.to_str().unwrap()], &[]);
        assert_eq!((code, err), (2, format!("wechat: {file:?}: {reason}\n")));
    }
    let (code, _, err) = run(&["verify"], &[("WECHAT_TOKEN", "'s3cret'")]);
    let reason = "WECHAT_TOKEN: the secret is in quotes; write it without quotes";
    assert_eq!((code, err), (2, format!("wechat: {reason}\n")));
}

#[test]
fn uses_a_listening_socket_on_standard_input() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // systemd may pass a nonblocking socket.
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    // The connection that starts a socket unit is queued before the server runs.
    let mut early = connect(address);
    let stdin = Stdio::from(OwnedFd::from(listener.try_clone().unwrap()));
    let program = Program::spawn(
        command().env("WECHAT_TOKEN", TOKEN).args(["--listen", "192.0.2.1:1"]).stdin(stdin),
    );
    assert_eq!(program.address, address);
    assert_eq!(ask(&mut early, &post(&text_message("a"))).status, 200);
    program.stop_silent();
    // The socket remains open after the server has ended, and still accepts connections.
    let _queued = connect(address);
}

#[test]
fn serves_while_descriptors_run_out() {
    // Connections may use 10 of 20 descriptors. The seven inherited descriptors and those of the server itself are more
    // than the other 10.
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
        assert_eq!(ask(&mut connect(program.address), &post(&text_message("a"))).status, 200);
    }
    let lines = program.stop();
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line.starts_with("cause=accept ")),
        "{lines:#?}"
    );
}

#[test]
fn ignores_a_connected_socket_on_standard_input() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = connect(listener.local_addr().unwrap());
    let stdin = Stdio::from(OwnedFd::from(stream));
    let program = Program::spawn(
        command().env("WECHAT_TOKEN", TOKEN).args(["--listen", "127.0.0.1:0"]).stdin(stdin),
    );
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    program.stop_silent();
}

#[test]
fn refuses_a_socket_on_standard_input_that_does_not_listen() {
    let udp = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let connected_udp = udp();
    connected_udp.connect(udp().local_addr().unwrap()).unwrap();
    // On Linux, this makes a listening socket one that does not listen.
    let tcp = TcpStream::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap()));
    tcp.shutdown(Shutdown::Read).unwrap();
    let sockets: [(OwnedFd, &str); 3] = [
        (udp().into(), "a socket of another protocol than TCP, such as UDP"),
        (connected_udp.into(), "a socket of another protocol than TCP, such as UDP"),
        (tcp.into(), "a TCP socket that does not listen"),
    ];
    for (socket, name) in sockets {
        let output = finish(command().env("WECHAT_TOKEN", TOKEN).stdin(socket));
        let expected = format!(
            "wechat: standard input is {name}; expected a listening TCP socket or no socket\n"
        );
        assert_eq!((output.code, output.err.as_str()), (2, expected.as_str()));
    }
}

#[test]
fn listens_on_an_ipv6_address() {
    TcpListener::bind("[::1]:0").expect("this test needs IPv6");
    let program =
        Program::spawn(command().env("WECHAT_TOKEN", TOKEN).args(["--listen", "[::1]:0"]));
    assert_eq!(ask(&mut connect(program.address), &post(&text_message("a"))).status, 200);
    program.stop_silent();
}

/// A client that keeps all connections open cannot prevent programs from starting.
#[test]
fn connections_leave_descriptors_for_programs() {
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
        let response = ask(&mut connect(program.address), &post(&xml));
        assert_eq!(element(&response.content, "Content"), "yes");
    }
    let lines = program.stop();
    let is_crowded = |line: &String| line.starts_with("cause=crowded ");
    assert!(lines.iter().all(is_crowded), "{lines:#?}");
}

#[test]
fn prints_the_unit_and_valid_sample_rules() {
    let unit = fs::read_to_string(root().join("wechat.service")).unwrap();
    assert_eq!(finish(command().arg("unit")).out, unit);
    let path = folder("sample").join("rules.xml");
    for arguments in [&["rules"][..], &["rules", "--all"]] {
        fs::write(&path, finish(command().args(arguments)).out).unwrap();
        assert_eq!(finish(command().arg("check").arg(&path)).code, 0);
    }
}

#[test]
fn every_command_has_its_own_help() {
    let overview = finish(command().arg("help")).out;
    let (usages, chapters) = overview.split_once("\n\nmanual").unwrap();
    let (chapters, flags) = chapters.split_once("\n\nflags of serve").unwrap();
    // The commands and the chapters fit on a screen.
    let screen = format!("{usages}\n\nmanual{chapters}");
    assert!(screen.lines().count() <= 24);
    assert!(screen.lines().all(|line| crate::docs::columns(line) <= 80), "{screen}");
    let chapters: Vec<&str> =
        chapters.lines().skip(1).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(chapters, crate::docs::CHAPTERS);
    for chapter in chapters {
        let text = finish(command().args(["help", chapter])).out;
        assert!(text.contains("\n## ") && !text.contains(".md") && !text.contains("][]"), "{text}");
        // The line of the log in the chapter limits is longer.
        let mut lines = text.lines().filter(|line| !line.starts_with("403 "));
        let wide = lines.find(|line| crate::docs::columns(line) > 80 && chapter != "rules");
        assert_eq!(wide, None, "{chapter}");
    }
    let (_, shared) = flags.split_once("\n\nverify, send, replay ").unwrap();
    assert!(shared.contains("--url") && shared.contains("--token-file"), "{shared}");
    assert!(!shared.contains("--tries") && !shared.contains("--resign"), "{shared}");
    let names = usages
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .map(|usage| usage.split([' ', ']']).next().unwrap().trim_start_matches('['));
    let names: Vec<&str> = names.collect();
    let expected = [
        "serve",
        "check",
        "verify",
        "send",
        "replay",
        "status",
        "stop",
        "rules",
        "unit",
        "help",
        "--version",
    ];
    assert_eq!(names, expected);
    for name in names {
        let help = finish(command().args([name, "--help"])).out;
        let first = help.lines().next().unwrap();
        let usage = first.replace('[', "");
        assert!(usage.starts_with(&format!("usage: wechat {name}")), "{first}");
        let name = name.trim_start_matches("--");
        // The usage of a command precedes the chapter of the same name.
        let shown = finish(command().args(["help", name])).out;
        let chapter = shown.strip_prefix(&help).unwrap();
        assert_eq!(chapter.is_empty(), name != "rules", "{chapter}");
        let (text, table) = help.split_once("\nflag ").unwrap_or((&help, ""));
        assert!(text.lines().all(|line| crate::docs::columns(line) <= 80), "{name}");
        assert!(table.lines().all(|line| line.chars().count() <= 105), "{name}");
    }
}

#[test]
fn help_lists_the_sections_that_contain_a_word() {
    let help = |word: &str| finish(command().args(["help", word]));
    let found = help("accessTOKEN");
    assert_eq!((found.code, found.out.as_str()), (2, ""));
    let found = help("BIND()");
    assert_eq!(
        (found.code, found.out.as_str(), found.err.as_str()),
        (0, "wechat help troubleshooting: nginx answers 404 or 502, or bind() failed\n", "")
    );
    // A section whose heading contains the word comes first. Words are found across the end of a line.
    assert!(help("docker").out.starts_with("wechat help deploy: Docker\n"));
    help("says why. systemd restarts").assert_line("wechat help deploy: Install");
    // A comment in a block of code is not a heading.
    let all = help("the");
    let lines: Vec<&str> = all.out.lines().collect();
    assert_eq!(lines.len(), 21, "{}", all.out);
    assert!(lines[20].starts_with("… ") && lines[20].ends_with(" more; search for a longer word"));
    let manual: Vec<String> =
        crate::docs::CHAPTERS.map(|chapter| help(chapter).out).into_iter().collect();
    for line in &lines[..20] {
        let (command, heading) = line.split_once(": ").unwrap();
        let chapter = command.strip_prefix("wechat help ").unwrap();
        let index = crate::docs::CHAPTERS.iter().position(|known| *known == chapter).unwrap();
        assert!(manual[index].lines().any(|line| line.trim_start_matches('#').trim() == heading));
    }
    // Words by which users have searched.
    for word in [
        "502",
        "404",
        "nginx",
        "token",
        "timezone",
        "time zone",
        "授权管理",
        "端口",
        "权限",
        "重启",
        "程序",
        "环境变量",
        "时区",
        "订阅号",
        "服务号",
        "个人",
        "认证",
        "personal",
        "wrong token",
        "connection refused",
        "not running",
        "not executable",
        "environment variable",
        "state directory",
        "read-only",
        "rules-kept",
        "unavailable resources",
        "dependency job",
        "address family",
    ] {
        assert_eq!(help(word).code, 0, "{word}");
    }
    assert_eq!(help("").code, 2);
}

#[test]
fn help_shows_each_flag_with_variable_default_and_purpose() {
    let (_, out, _) = run(&["help", "stop"], &[]);
    let expected = "\
usage: wechat stop [FLAG]...

Stops the running server when every message in progress is answered, at most 15
seconds later. Until then the server still accepts WeChat's later tries of these
messages. Returns when the server has ended.

flag                    environment                default
  --control PATH        WECHAT_CONTROL             $RUNTIME_DIRECTORY/control, else /run/wechat/control
                        control socket through which status and stop reach the server
";
    assert_eq!(out, expected);
}

#[test]
fn help_is_chinese_and_aligned_if_the_variable_says_so() {
    let help = |arguments: &[&str]| run(arguments, &[("WECHAT_LANG", "zh")]).1;
    let overview = help(&["help"]);
    let (screen, flags) = overview.split_once("\n\nserve 的选项").unwrap();
    assert!(
        screen.starts_with("wechat：微信公众号的完整后端\n\n用法：wechat [COMMAND]"),
        "{screen}"
    );
    assert!(screen.lines().count() <= 24);
    assert!(screen.lines().all(|line| crate::docs::columns(line) <= 80), "{screen}");
    assert!(flags.contains("\n语言：WECHAT_LANG（其次 LC_ALL、"), "{flags}");
    for line in screen.lines().filter(|line| line.starts_with("  ")) {
        assert!(line.as_bytes()[31] == b' ' && line.as_bytes()[32] != b' ', "{line}");
    }
    for name in overview.lines().take(14).filter_map(|line| line.strip_prefix("  ")) {
        let name = name.split([' ', ']']).next().unwrap().trim_start_matches(['[', '-']);
        let help = help(&[if name == "version" { "--version" } else { name }, "--help"]);
        let (text, table) = help.split_once("\n选项 ").unwrap_or((&help, ""));
        assert!(text.starts_with("用法：wechat "), "{text}");
        assert!(text.lines().all(|line| crate::docs::columns(line) <= 80), "{text}");
        assert!(table.lines().all(|line| crate::docs::columns(line) <= 105), "{table}");
    }
    let chapter = help(&["help", "programs"]);
    assert!(chapter.starts_with("# 用程序回复") && !chapter.contains("][]"), "{chapter}");
    // A line of the chapter ends in this text.
    let text = "以引号开头的词是错误。参数可以";
    assert!(!chapter.contains(text), "{chapter}");
    assert!(help(&["help", text]).starts_with("wechat help programs: 用程序回复"));
    let expected = "\
用法：wechat stop [选项]...

等正在处理的每条消息都得到回复后停止服务器，最多等 15 秒。在此期间，服务器仍然
接受微信对这些消息的重试。服务器结束后，本命令才返回。

选项                    环境变量                   默认值
  --control PATH        WECHAT_CONTROL             $RUNTIME_DIRECTORY/control，否则 /run/wechat/control
                        控制套接字；status 和 stop 通过它连接服务器
";
    assert_eq!(help(&["help", "stop"]), expected);
}

#[test]
fn errors_and_greeting_are_chinese_if_the_variable_says_so() {
    let zh = ("LANG", "zh_CN.UTF-8");
    for (arguments, message) in [
        (&["staus"][..], "未知命令 \"staus\"；是不是想用 status？"),
        (&["--listen", "x"], "--listen 是 \"x\"；应为：ADDR:PORT，例如 0.0.0.0:80 或 [::1]:8000"),
        (&["replay", "/nonexistent"], "无法读取 \"/nonexistent\"：文件或目录不存在 (os error 2)"),
    ] {
        assert_eq!(run(arguments, &[zh]).2, format!("wechat: {message}\n"));
    }
    let mut program = Program::spawn(command().envs([zh]).args(["--listen", "127.0.0.1:0"]));
    let generated = program.next_line();
    assert!(generated.starts_with("没有设置令牌(Token)；已为本次运行生成一个："), "{generated}");
    assert_eq!(program.next_line(), "请在另一个终端试用：\n");
    program.stop_silent();
}

#[test]
fn full_output_is_an_error_and_a_closed_pipe_is_not() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command().arg("unit").stdout(full).output().unwrap();
    let message = "wechat: cannot print: No space left on device (os error 28)\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
    assert_eq!(output.status.code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command().arg("rules").stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

/// sd_notify(3): the socket is a path, or `@` and an abstract name.
#[test]
fn tells_the_service_manager_when_it_is_ready() {
    let path = folder("notify").join("socket");
    let by_path = UnixDatagram::bind(&path).unwrap();
    let name = format!("wechat-test-{}", std::process::id());
    let address = UnixAddress::from_abstract_name(&name).unwrap();
    let by_name = UnixDatagram::bind_addr(&address).unwrap();
    let sockets = [(by_path, path.to_str().unwrap().to_owned()), (by_name, format!("@{name}"))];
    for (socket, shown) in sockets {
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
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
fn serves_without_a_reachable_service_manager() {
    let control = folder("notify-nobody").join("control");
    let control = control.to_str().unwrap();
    let program =
        Program::spawn(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("NOTIFY_SOCKET", "/nonexistent/notify")
                .args(["--listen", "127.0.0.1:0", "--control", control]),
        );
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    // The server answers status requests only after it has tried to notify the manager.
    assert_eq!(finish(command().args(["status", "--control", control])).code, 0);
    assert_eq!(
        program.stop(),
        ["cause=notify reason=\"No such file or directory (os error 2)\" \
          hint=\"NOTIFY_SOCKET must be the socket of the service manager\""]
    );
}
