//! The command line, with one file for each subcommand.
//!
//! Exit codes: 0 for success, 1 for a failure, 2 for a wrong configuration or wrong arguments.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

mod create_admin;
mod database;
mod drawings;
mod export;
mod import;
mod logging;
mod openapi;
mod password;
mod sample;
mod seed;
mod serve;
mod set_password;
mod stopping;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigProblems};

/// The backend of a spare-parts shop.
#[derive(Parser)]
#[command(name = "myspares", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Configured(Configured),
    /// Print the OpenAPI description
    Openapi(openapi::OpenapiArgs),
}

/// The subcommands that need the configuration.
#[derive(Subcommand)]
enum Configured {
    /// Serve the API (the default)
    Serve(serve::ServeArgs),
    /// Do only the background work, beside servers that run with --no-workers
    Work,
    /// Check the configuration and start nothing
    CheckConfig,
    /// Fill an empty catalogue with sample parts
    Seed(seed::SeedArgs),
    /// Bring the catalogue into the state that a file describes
    Import(import::ImportArgs),
    /// Write the whole catalogue to a file
    Export(export::ExportArgs),
    /// Create the account of an administrator
    CreateAdmin(create_admin::CreateAdminArgs),
    /// Set the password of an account whose owner can't sign in any more
    SetPassword(set_password::SetPasswordArgs),
}

/// An error that ends a subcommand. Its text is for the person at the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the subcommand that the arguments name, or `serve` if they name none. Returns the exit code.
pub fn main() -> ExitCode {
    let command = match Cli::parse().command {
        Some(Command::Openapi(args)) => {
            openapi::run(&args);
            return ExitCode::SUCCESS;
        }
        Some(Command::Configured(command)) => command,
        None => Configured::Serve(serve::ServeArgs::default()),
    };
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => return report_problems(&problems),
    };
    match run(command, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("myspares: {}", with_causes(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// Returns the texts of an error and of its causes, with the outermost first.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error).chain(causes).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn report_problems(problems: &ConfigProblems) -> ExitCode {
    eprintln!("myspares: {problems}");
    ExitCode::from(2)
}

fn run(command: Configured, config: Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    match command {
        Configured::Serve(args) => {
            let _log_guard = logging::start(&config)?;
            runtime.block_on(serve::run(config, args))
        }
        Configured::Work => {
            let _log_guard = logging::start(&config)?;
            runtime.block_on(work::run(config))
        }
        Configured::CheckConfig => {
            println!("the configuration is valid");
            Ok(())
        }
        Configured::Seed(args) => runtime.block_on(seed::run(config, args)),
        Configured::Import(args) => runtime.block_on(import::run(config, args)),
        Configured::Export(args) => runtime.block_on(export::run(config, args)),
        Configured::CreateAdmin(args) => runtime.block_on(create_admin::run(config, args)),
        Configured::SetPassword(args) => runtime.block_on(set_password::run(config, args)),
    }
}
