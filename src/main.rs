//! The `wechat` command: maps what became of it to an exit code.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let program = arguments.next().unwrap_or_default();
    match wechat::cli::run(&program, arguments, |name| env::var_os(name)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wechat: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
