//! `myspares openapi`: prints the description of the API. It depends only on the code and needs no configuration.

use crate::http::{spec_json, spec_yaml};

/// The arguments of `openapi`.
#[derive(clap::Args)]
pub struct OpenapiArgs {
    /// Print YAML instead of JSON
    #[arg(long)]
    yaml: bool,
}

/// Prints the description to standard output.
pub fn run(args: &OpenapiArgs) {
    println!("{}", if args.yaml { spec_yaml() } else { spec_json() });
}
