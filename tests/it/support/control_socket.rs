//! Helpers of the tests that use the control socket of a server.

use std::fs;
use std::path::PathBuf;

use super::tools::{Output, finish};
use super::{Program, command};

/// A folder for one test. Its path is short enough for a socket in it. The folder is removed on drop.
pub struct ShortFolder(pub PathBuf);

impl ShortFolder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wechat-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for ShortFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a server with this control socket and these flags.
pub fn start(control: &str, flags: &[&str]) -> Program {
    Program::start(&[&["--control", control], flags].concat())
}

/// Runs `wechat` with this control socket and these arguments.
pub fn run(control: &str, arguments: &[&str]) -> Output {
    finish(command().env("WECHAT_CONTROL", control).args(arguments))
}

/// The number with this name in the output of `wechat status --json`.
pub fn number(control: &str, name: &str) -> u64 {
    let output = run(control, &["status", "--json"]);
    let (_, rest) = output.out.split_once(&format!("\"{name}\":")).unwrap();
    rest.split([',', '}']).next().unwrap().parse().unwrap()
}
