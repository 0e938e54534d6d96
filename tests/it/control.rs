//! The output of `wechat status` and `wechat stop`, and the control socket that they use.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::support::control_socket::*;
use crate::support::tools::{Output, finish};
use crate::support::*;

/// The output of `wechat status` without the first rows and the times, which differ each time.
#[track_caller]
fn stable_status(control: &str) -> String {
    let output = run(control, &["status"]);
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    let is_stable = |line: &&str| {
        let is_time = line.starts_with("answer p") || line.starts_with("since ");
        !line.starts_with("uptime") && (!is_time || line.ends_with("none yet"))
    };
    let lines = output.out.lines().skip(3).filter(is_stable);
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn status_counts_messages_replies_and_refusals() {
    let folder = ShortFolder::new("status");
    let control = folder.path("control");
    let rules = folder.path("rules.xml");
    fs::write(&rules, "<rules><on Event=\"*\"><success/></on><on><text>hi</text></on></rules>")
        .unwrap();
    let program = start(&control, &["--rules", &rules, "--max-connections", "7"]);
    let at_start = "\
stopping          no
rules current     yes
since message     none yet
messages          0
modes             0
unread            0
replies           0
without reply     0
given up          0
answer p50        none yet
answer p99        none yet
tries joined      0
programs running  0
programs failed   0
programs limited  0
processes left    0
token checks      0
refusals          0
connections       0
being answered    0
max connections   7
evictions         0
panics            0
log lines lost    0
";
    assert_eq!(stable_status(&control), at_start);
    let mut stream = connect(program.address);
    for number in 1..=3 {
        assert_eq!(ask(&mut stream, &post(&text_of("oUser1", number, "x"))).status, 200);
    }
    assert_eq!(ask(&mut stream, &post(&click_of("oUser1", 1, "k"))).content, "success");
    let unknown_type = text_of("oUser1", 9, "x").replace(">text<", ">hologram<");
    assert_eq!(ask(&mut stream, &post(&unknown_type)).status, 200);
    let check = format!("/wx?{}&echostr=7", signed_now());
    assert_eq!(ask(&mut stream, &get(&check)).content, "7");
    assert_eq!(ask(&mut stream, &get("/wx?echostr=7")).status, 400);
    let wrong = "/wx?signature=0000000000000000000000000000000000000000&timestamp=1&nonce=1";
    for _ in 0..2 {
        assert_eq!(ask(&mut stream, &post_to(wrong, "HTTP/1.1", "", "<xml/>")).status, 403);
    }
    assert_eq!(exchange(program.address, b"nonsense\r\n\r\n")[..12], *b"HTTP/1.1 400");
    let after_requests = "\
stopping             no
rules current        yes
messages             5
  text               3
  event              1
  other              1
modes                5
  plain              5
unread               0
replies              4
without reply        1
given up             0
tries joined         0
programs running     0
programs failed      0
programs limited     0
processes left       0
token checks         1
refusals             4
  missing-parameter  1
  bad-signature      2
  bad-method         1
connections          1
being answered       0
max connections      7
evictions            0
panics               0
log lines lost       0
";
    until("the other connection is closed", || number(&control, "connections") == 1);
    assert_eq!(stable_status(&control), after_requests);
    let output = run(&control, &["status"]).out;
    let lines: Vec<&str> = output.lines().collect();
    let (version, id, address) = (version(), program.id(), program.address);
    assert_eq!(lines[0], format!("version              {version}"));
    assert_eq!(lines[1], format!("process              {id}"));
    assert_eq!(lines[2], format!("address              {address}"));
    for (name, units) in [
        ("uptime", &["s"][..]),
        ("since message", &["s"]),
        ("answer p50", &["µs", "ms", "s"]),
        ("answer p99", &["µs", "ms", "s"]),
    ] {
        let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
        assert!(units.contains(&line.rsplit(' ').next().unwrap()), "{line}");
    }
}

#[test]
fn refusals_have_no_answer_time() {
    let folder = ShortFolder::new("refusal");
    let control = folder.path("control");
    let program = start(&control, &[]);
    let wrong = "/?signature=0000000000000000000000000000000000000000&timestamp=1&nonce=1";
    let request = post_to(wrong, "HTTP/1.1", "", "<xml/>");
    assert_eq!(ask(&mut connect(program.address), &request).status, 403);
    assert!(stable_status(&control).contains("\nanswer p50        none yet\n"));
}

#[test]
fn prints_status_as_json() {
    let folder = ShortFolder::new("json");
    let control = folder.path("control");
    let program = start(&control, &[]);
    let output = run(&control, &["status", "--json"]);
    let (version, id, address) = (version(), program.id(), program.address);
    // The uptime is not compared, because it differs each time.
    let (before, rest) = output.out.split_once("\"uptime_seconds\":").unwrap();
    let (uptime, after) = rest.split_once(',').unwrap();
    assert!(uptime.parse::<u64>().is_ok());
    assert_eq!(
        format!("{before}{after}"),
        format!(
            "{{\"version\":\"{version}\",\"process\":{id},\"address\":\"{address}\",\
             \"stopping\":false,\"rules_current\":true,\"since_message_seconds\":null,\
             \"messages\":{{\"text\":0,\"image\":0,\"voice\":0,\"video\":0,\"shortvideo\":0,\
             \"location\":0,\"link\":0,\"file\":0,\"miniprogrampage\":0,\"event\":0,\"other\":0}},\
             \"modes\":{{\"plain\":0,\"compatible\":0,\"safe\":0}},\"unread\":0,\
             \"replies\":0,\"without_reply\":0,\"given_up\":0,\"answer_p50_microseconds\":null,\
             \"answer_p99_microseconds\":null,\"tries_joined\":0,\"programs_running\":0,\
             \"programs_failed\":0,\"programs_limited\":0,\"processes_left\":0,\"token_checks\":0,\"refusals\":{{}},\
             \"connections\":0,\"being_answered\":0,\"max_connections\":1024,\"evictions\":0,\
             \"panics\":0,\"log_lines_lost\":0}}\n"
        )
    );
    let wrong = "/?signature=0000000000000000000000000000000000000000&timestamp=1&nonce=1";
    ask(&mut connect(program.address), &post_to(wrong, "HTTP/1.1", "", "<xml/>"));
    ask(&mut connect(program.address), &post(&text_of("oUser1", 1, "x")));
    let output = run(&control, &["status", "--json"]);
    assert!(output.out.contains("\"refusals\":{\"bad-signature\":1}"), "{}", output.out);
    assert!(number(&control, "answer_p99_microseconds") < 60_000_000);
}

#[test]
fn counts_joined_tries_running_programs_and_evictions() {
    let folder = ShortFolder::new("counted");
    let control = folder.path("control");
    let (rules, begun, go) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules, "--max-connections", "1"]);
    let slow = text_of("oUser1", 1, "slow");
    let mut first = connect(program.address);
    first.write_all(&post(&slow)).unwrap();
    until("the program runs", || begun.exists());
    assert_eq!(number(&control, "programs_running"), 1);
    assert_eq!(number(&control, "being_answered"), 1);
    let mut second = connect(program.address);
    second.write_all(&post(&slow)).unwrap();
    until("the second try waits", || number(&control, "tries_joined") == 1);
    fs::write(&go, "").unwrap();
    for stream in [&mut first, &mut second] {
        assert_eq!(element(&read_answer(stream, false).content, "Content"), "done");
    }
    until("the program has exited", || number(&control, "programs_running") == 0);
    let mut third = connect(program.address);
    assert_eq!(ask(&mut third, &get("/")).status, 200);
    // The second connection may have had a slot above the limit, so one or two connections were evicted.
    until("a connection is evicted", || number(&control, "evictions") >= 1);
    let log = program.stop();
    let line = "cause=crowded reason=\"connection limit 1 reached; closing a connection that waits for its client\"";
    assert!(log.iter().all(|found| found == line), "{log:?}");
}

#[test]
fn counts_failed_and_limited_programs_and_broken_rules() {
    let folder = ShortFolder::new("wrong");
    let control = folder.path("control");
    let rules = folder.path("rules.xml");
    let valid = "<rules><on><run limit=\"1/1h\">/bin/false</run></on></rules>";
    fs::write(&rules, valid).unwrap();
    let program = start(&control, &["--rules", &rules]);
    let mut stream = connect(program.address);
    for msg_id in 1..=3 {
        let failing = text_of("oUser1", msg_id, "x");
        assert_eq!(ask(&mut stream, &post(&failing)).content, "success");
    }
    assert_eq!(number(&control, "programs_failed"), 1);
    assert_eq!(number(&control, "programs_limited"), 2);

    // `status` checks the file itself, even if no message arrives.
    fs::write(&rules, "<rules><on><txt/></on></rules>").unwrap();
    assert!(stable_status(&control).contains("\nrules current     no\n"));
    fs::write(&rules, valid).unwrap();
    assert!(stable_status(&control).contains("\nrules current     yes\n"));
}

/// A server answers in the language of the client.
#[test]
fn status_and_stop_are_chinese_for_a_chinese_client() {
    let folder = ShortFolder::new("chinese");
    let control = folder.path("control");
    let program = start(&control, &[]);
    let ask_in_chinese = |name: &str| {
        let mut command = command();
        finish(command.env("WECHAT_CONTROL", &control).env("WECHAT_LANG", "zh_CN").arg(name)).out
    };
    assert_eq!(ask(&mut connect(program.address), &post(&text_message("x"))).status, 200);
    until("the connection is closed", || number(&control, "connections") == 0);
    let status = ask_in_chinese("status");
    assert!(status.starts_with(&format!("版本            {}\n", version())), "{status}");
    for rows in [
        "\n正在停止        否\n规则是最新的    是\n距上一条消息    ",
        "\n消息            1\n  text          1\n消息加解密方式  1\n  明文模式      1\n",
        "\npanic 次数      0\n",
    ] {
        assert!(status.contains(rows), "{status}");
    }
    assert!(!status.contains("since") && status.lines().count() == 30, "{status}");
    assert!(ask_in_chinese("stop").starts_with("已停止，用时 "));
    assert_eq!(program.ended(), (Some(0), vec![]));
}

/// The socket has mode 0600 from the moment when it appears at its path.
#[test]
fn only_root_and_the_servers_user_can_connect() {
    let folder = ShortFolder::new("owner");
    fs::set_permissions(&folder.0, Permissions::from_mode(0o777)).unwrap();
    let control = folder.path("control");
    let _program = start(&control, &[]);
    let metadata = fs::metadata(&control).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "only the expected files are there");
    // Only root can start a program as another user.
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let program = folder.path("wechat");
    // Another process writes the copy, because a file that this process has open for writing cannot be executed, and
    // another test may start a process that inherits it.
    let copy = [env!("CARGO_BIN_EXE_wechat"), &program];
    assert!(std::process::Command::new("cp").args(copy).status().unwrap().success());
    let output = finish(
        std::process::Command::new(&program)
            .args(["status", "--control", &control])
            .uid(65534)
            .gid(65534),
    );
    let expected =
        format!("wechat: cannot open {control:?}; only root and the server's own user can\n");
    assert_eq!((output.code, output.err), (1, expected));
}

#[test]
fn stop_waits_for_requests_and_later_tries() {
    let folder = ShortFolder::new("stop");
    let control = folder.path("control");
    let (rules, begun, go) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules]);
    let address = program.address;
    let slow = post(&text_of("oUser1", 1, "slow"));
    let mut first = connect(address);
    first.write_all(&slow).unwrap();
    until("the program runs", || begun.exists());
    let stop = {
        let control = control.clone();
        thread::spawn(move || run(&control, &["stop"]))
    };
    until("it stops", || run(&control, &["status", "--json"]).out.contains("\"stopping\":true,"));
    // WeChat gives up on the first try and sends the message again. The server still accepts this try and other
    // messages.
    drop(first);
    let mut second = connect(address);
    second.write_all(&slow).unwrap();
    until("the second try waits", || number(&control, "tries_joined") == 1);
    let answer = ask(&mut connect(address), &post(&text_of("oUser2", 2, "x")));
    assert_eq!(element(&answer.content, "Content"), "quick");
    assert_eq!(answer.field("Connection"), Some("close"));
    fs::write(&go, "").unwrap();
    let answer = read_answer(&mut second, false);
    assert_eq!(element(&answer.content, "Content"), "done");
    assert_eq!(answer.field("Connection"), Some("close"));

    let output = stop.join().unwrap();
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    assert!(output.out.starts_with("stopped after "), "{}", output.out);
    assert!(!output.out.contains("answered"), "{}", output.out);
    let (code, log) = program.ended();
    assert_eq!((code, log), (Some(0), vec![]));
    assert!(TcpStream::connect(address).is_err());
    assert!(!Path::new(&control).exists());
    let output = run(&control, &["stop"]);
    let expected = no_server(&control);
    assert_eq!((output.code, output.err), (1, expected));
}

/// The server gets the commands at the same time, `stop` last.
#[test]
fn stop_is_answered_before_waiting_status_commands() {
    let folder = ShortFolder::new("first");
    let control = folder.path("control");
    let (rules, begun, go) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules]);
    let mut slow = connect(program.address);
    slow.write_all(&post(&text_of("oUser1", 1, "slow"))).unwrap();
    until("the program runs", || begun.exists());
    let signal = |name: &str| {
        let kill = format!("kill -{name} {}", program.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    };
    signal("STOP");
    let send = |command: &[u8]| {
        let mut stream = UnixStream::connect(&control).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(command).unwrap();
        stream
    };
    let waiting: Vec<_> = (0..5).map(|_| send(b"status json\n")).collect();
    let _stop = send(b"stop\n");
    signal("CONT");
    for mut stream in waiting {
        let mut status = String::new();
        stream.read_to_string(&mut status).unwrap();
        assert!(status.contains("\"stopping\":true,"), "{status}");
    }
    fs::write(&go, "").unwrap();
    assert_eq!(element(&read_answer(&mut slow, false).content, "Content"), "done");
    assert_eq!(program.ended(), (Some(0), vec![]));
}

/// What `status` and `stop` print if no server listens at this path.
fn no_server(control: &str) -> String {
    format!(
        "wechat: no server at {control:?}; if it is at another path, pass --control PATH; \
         if the service has failed, journalctl -u wechat -e says why\n"
    )
}

/// During the stop, the server counts the clients that disconnect. `fifteen_seconds.rs` runs this case.
pub fn stop_ends_after_15_seconds_and_reports_unanswered_requests() {
    let folder = ShortFolder::new("cut");
    let control = folder.path("control");
    let (rules, begun, _) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules]);
    let request = post(&text_of("oUser1", 1, "slow"));
    let mut slow = connect(program.address);
    slow.write_all(&request).unwrap();
    until("the program runs", || begun.exists());
    let mut second = connect(program.address);
    second.write_all(&request).unwrap();
    until("the second try waits", || number(&control, "tries_joined") == 1);
    let stop = {
        let control = control.clone();
        thread::spawn(move || run(&control, &["stop"]))
    };
    // After five seconds, the server checks whether the second client is still connected.
    drop(second);
    until("the server has noticed", || number(&control, "given_up") == 1);
    let output = stop.join().unwrap();
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    let (took, rest_of_line) = output.out.split_once(" s; ").unwrap();
    assert_eq!(rest_of_line, "1 request was not answered\n");
    let took = took.strip_prefix("stopped after ").unwrap();
    assert!(took.parse::<f64>().unwrap() >= 15.0, "{took}");
    assert_eq!(program.ended().0, Some(0));
    assert_eq!(rest(&mut slow), b"");
}

/// The socket of the first server was moved away, and a second server uses its path.
#[test]
fn removes_only_its_own_control_socket() {
    let folder = ShortFolder::new("moved");
    let (control, moved) = (folder.path("control"), folder.path("moved"));
    let first = start(&control, &[]);
    fs::rename(&control, &moved).unwrap();
    let _second = start(&control, &[]);
    assert_eq!(run(&moved, &["stop"]).code, 0);
    assert_eq!(first.ended(), (Some(0), vec![]));
    assert_eq!(run(&control, &["status"]).code, 0);
}

#[test]
fn replaces_the_control_socket_of_a_killed_server() {
    let folder = ShortFolder::new("left");
    let control = folder.path("control");
    start(&control, &[]).stop_silent();
    assert!(Path::new(&control).exists());
    let output = run(&control, &["status"]);
    let gone = no_server(&control);
    assert_eq!((output.code, output.err), (1, gone));
    let _program = start(&control, &[]);
    assert_eq!(run(&control, &["status"]).code, 0);
    let file = folder.path("file");
    fs::write(&file, "").unwrap();
    let output = run(&file, &["status"]);
    let other = no_server(&file);
    assert_eq!((output.code, output.err), (1, other));
}

#[track_caller]
fn assert_no_start(control: &str, reason: &str) {
    let output = finish(command().env("WECHAT_TOKEN", TOKEN).args([
        "--listen",
        "127.0.0.1:0",
        "--control",
        control,
    ]));
    let expected = format!("wechat: cannot create the control socket {control:?}: {reason}\n");
    assert_eq!((output.code, output.out.as_str(), output.err), (1, "", expected));
}

#[test]
fn does_not_start_if_the_given_control_socket_cannot_be_made() {
    let folder = ShortFolder::new("cannot");
    let control = folder.path("control");
    let _program = start(&control, &[]);
    assert_no_start(&control, "another server uses this socket");
    assert_eq!(run(&control, &["status"]).code, 0, "the first server still answers");
    assert_no_start("/", "the file exists and is not a socket");
    let file = folder.path("file");
    fs::write(&file, "precious").unwrap();
    assert_no_start(&file, "the file exists and is not a socket");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let link = folder.path("link");
    std::os::unix::fs::symlink(folder.path("gone"), &link).unwrap();
    assert_no_start(&link, "the file exists and is not a socket");
    // A socket of another type.
    let datagram = folder.path("datagram");
    let _datagram = UnixDatagram::bind(&datagram).unwrap();
    assert_no_start(&datagram, "Protocol wrong type for socket (os error 91)");
    let nowhere = folder.path("nowhere/control");
    assert_no_start(&nowhere, "No such file or directory (os error 2)");
    let long = folder.path(&"long".repeat(30));
    let output = finish(command().env("WECHAT_TOKEN", TOKEN).args([
        "--listen",
        "127.0.0.1:0",
        "--control",
        &long,
    ]));
    let reason = format!("path of {} bytes, at most ", long.len());
    assert!(output.code == 1 && output.err.contains(&reason), "{}", output.err);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 4, "only the expected files are there");
}

/// A server without a control socket prints the reason.
#[test]
fn starts_without_a_control_socket_if_none_was_given() {
    let folder = ShortFolder::new("without");
    let directory = folder.path("none");
    let spawn = |directory: &str| {
        Program::spawn(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("RUNTIME_DIRECTORY", directory)
                .args(["--listen", "127.0.0.1:0"]),
        )
    };
    let mut program = spawn(&directory);
    assert_eq!(
        program.next_line(),
        format!(
            "note: no control socket ({directory} does not exist); for status and stop, pass --control PATH\n"
        )
    );
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    program.stop_silent();
    fs::create_dir(&directory).unwrap();
    let program = spawn(&format!("{directory}:/other"));
    let mut second = spawn(&directory);
    assert_eq!(
        second.next_line(),
        format!(
            "note: no control socket ({directory}/control: another server uses this socket); \
             for status and stop, pass --control PATH\n"
        )
    );
    second.stop_silent();
    let ask = |name: &str| finish(command().env("RUNTIME_DIRECTORY", &directory).arg(name));
    assert_eq!(ask("status").code, 0);
    assert_eq!(ask("stop").code, 0);
    assert_eq!(program.ended(), (Some(0), vec![]));
}

#[test]
fn unknown_commands_and_silent_clients_do_not_delay_status() {
    let folder = ShortFolder::new("odd");
    let control = folder.path("control");
    let _program = start(&control, &[]);
    let say = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&control).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        // If the server does not read all bytes, the connection is reset.
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    let version = version();
    assert_eq!(
        say(b"restart\x1b\n"),
        format!("unknown command \"restart\\u{{1b}}\"; this server is wechat {version}")
    );
    assert_eq!(
        say(b"\xff\n"),
        format!("unknown command \"\u{fffd}\"; this server is wechat {version}")
    );
    let long = "a".repeat(65);
    assert_eq!(
        say(long.as_bytes()),
        format!("unknown command \"{long}\"; this server is wechat {version}")
    );
    assert!(say(b"status\nstop\n").starts_with("ok\n"), "the first line is the command");
    // A command may arrive in parts, and its end may be the end of what the client sends.
    let mut stream = UnixStream::connect(&control).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(b"stat").unwrap();
    assert_eq!(run(&control, &["status"]).code, 0);
    stream.write_all(b"us").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("ok\n"), "{answer}");
    // If the server served these clients one after another, `wechat status` would time out.
    let silent: Vec<_> = (0..100).map(|_| UnixStream::connect(&control).unwrap()).collect();
    assert_eq!(run(&control, &["status"]).code, 0);
    drop(silent);
}

/// The silent client that was accepted first is disconnected, so that other clients are served.
#[test]
fn status_is_answered_while_many_clients_are_silent() {
    let folder = ShortFolder::new("silent");
    let control = folder.path("control");
    let _program = start(&control, &[]);
    // A silent client is disconnected after a second anyway. On a slow machine this second may pass.
    until("a silent client is disconnected before its time", || {
        let mut silent: Vec<_> = (0..129).map(|_| UnixStream::connect(&control).unwrap()).collect();
        assert_eq!(run(&control, &["status"]).code, 0);
        silent[0].set_read_timeout(Some(TIMEOUT)).unwrap();
        assert_eq!(silent[0].read(&mut [0]).unwrap(), 0);
        silent[1].set_nonblocking(true).unwrap();
        silent[1].read(&mut [0]).is_err()
    });
}

/// Another user may write to the folder. The name that the socket has before it gets its own name cannot be guessed, and
/// the folder is opened only once.
#[test]
fn server_deletes_nothing_in_other_folders() {
    let folder = ShortFolder::new("others");
    let (used, moved, victim) = (folder.path("used"), folder.path("moved"), folder.path("victim"));
    fs::create_dir(&used).unwrap();
    fs::set_permissions(&used, Permissions::from_mode(0o777)).unwrap();
    fs::create_dir(&victim).unwrap();
    for name in ["s", "control"] {
        fs::write(Path::new(&victim).join(name), "precious").unwrap();
    }
    let assert_kept = || {
        for name in ["s", "control"] {
            let text = fs::read_to_string(Path::new(&victim).join(name)).unwrap();
            assert_eq!(text, "precious");
        }
        assert_eq!(fs::read_dir(&victim).unwrap().count(), 2);
    };
    let control = format!("{used}/control");
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    let last_id: u32 = load.split_whitespace().next_back().unwrap().parse().unwrap();
    for id in last_id..last_id + 200 {
        std::os::unix::fs::symlink(&victim, format!("{control}.{id}")).unwrap();
    }
    let program = start(&control, &[]);
    assert_kept();
    fs::rename(&used, &moved).unwrap();
    std::os::unix::fs::symlink(&victim, &used).unwrap();
    let control = format!("{moved}/control");
    assert_eq!(run(&control, &["stop"]).code, 0);
    assert_eq!(program.ended().0, Some(0));
    assert!(!Path::new(&control).exists());
    assert_kept();
}

/// A program listens in the server's place, and sends these bytes as the response to this command.
fn response_of_another(
    name: &str,
    command: &str,
    answer: impl Fn(UnixStream) + Send + 'static,
) -> Output {
    let folder = ShortFolder::new(name);
    let control = folder.path("control");
    let listener = UnixListener::bind(&control).unwrap();
    let length = command.len() + 1;
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut vec![0; length]).unwrap();
        answer(stream);
    });
    let output = run(&control, &[command]);
    other.join().unwrap();
    Output { err: output.err.replace(&format!("{control:?}"), "PATH"), ..output }
}

#[track_caller]
fn assert_reported(answer: &'static [u8], reason: &str) {
    let output =
        response_of_another("another", "stop", |mut stream| stream.write_all(answer).unwrap());
    assert_eq!(
        (output.code, output.out.as_str(), output.err),
        (1, "", format!("wechat: {reason}\n"))
    );
}

#[test]
fn reports_a_server_that_ends_without_an_answer() {
    assert_reported(b"", "the server at PATH ended without an answer");
    assert_reported(b"no \x1b[2J\n", "the server at PATH answered: no \\u{1b}[2J");
}

/// The service may run a program that listens in the server's place, and root runs `wechat status`.
#[test]
fn response_to_status_is_limited_and_safe_for_terminals() {
    let output = response_of_another("escapes", "status", |mut stream| {
        stream.write_all(b"ok\nversion \x1b]0;x\x07\x9b\t\xe2\x80\xae\r\n\xc2\xb5s\n").unwrap();
    });
    let escaped = "version \\u{1b}]0;x\\u{7}\\x9b\t\\u{202e}\\r\n\u{b5}s\n";
    assert_eq!((output.code, output.out.as_str(), output.err.as_str()), (0, escaped, ""));
    let output = response_of_another("endless", "status", |mut stream| {
        // This fails when the client has enough.
        while stream.write_all(b"ok\nendless").is_ok() {}
    });
    let reason =
        "wechat: the answer at PATH has more than 65536 bytes, so it is not from wechat serve\n";
    assert_eq!((output.code, output.out.as_str(), output.err.as_str()), (1, "", reason));
}

/// `fifteen_seconds.rs` runs this case.
pub fn response_that_does_not_end_is_given_up() {
    let output = response_of_another("drip", "status", |mut stream| {
        while stream.write_all(b"ok\n").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let reason = "wechat: the server at PATH does not answer; it may be stuck or suspended\n";
    assert_eq!((output.code, output.out.as_str(), output.err.as_str()), (1, "", reason));
}
