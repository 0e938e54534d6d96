//! The `wechat` command.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    wechat::cli::run(env::args_os(), |name| env::var_os(name))
}
