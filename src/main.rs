//! The program `myspares`. `myspares --help` lists its subcommands.

use std::process::ExitCode;

fn main() -> ExitCode {
    myspares::cli::main()
}
