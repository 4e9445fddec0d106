//! The binary: see `myspares --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    myspares::cli::main()
}
