//! `myspares openapi`: the description of the API, which depends on nothing but the code.

use crate::http::{spec_json, spec_yaml};

/// What to print.
#[derive(clap::Args)]
pub struct Args {
    /// YAML instead of JSON
    #[arg(long)]
    yaml: bool,
}

/// Prints the description.
pub fn run(args: &Args) {
    println!("{}", if args.yaml { spec_yaml() } else { spec_json() });
}
