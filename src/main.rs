//! The `wechat` command: maps what became of it to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wechat::cli::run(std::env::args_os().skip(1), |name| std::env::var_os(name)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wechat: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
