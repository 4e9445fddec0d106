//! `myspares set-password`: sets the password of an account whose owner can't sign in any more.

use super::{Failure, database::RunningDatabase, password::given_or_prompted};
use crate::{
    accounts::{operator, rules::password::Password},
    app::App,
    clock::Clock,
    config::Config,
};

/// The arguments of `set-password`.
#[derive(clap::Args)]
pub struct SetPasswordArgs {
    /// The username, in upper or lower case
    #[arg(long)]
    username: String,
    /// The password; without this option, the command asks for it, which needs a terminal
    #[arg(long)]
    password: Option<String>,
}

/// Sets the password and ends every session of the account.
pub async fn run(config: Config, args: SetPasswordArgs) -> Result<(), Failure> {
    let password = given_or_prompted(args.password)?;
    let database = RunningDatabase::own_or_shared(&config).await?;
    let outcome = set_password(config, &database, &args.username, password).await;
    database.stop().await;
    outcome?;
    println!("set the password of \"{}\" and ended all of its sessions", args.username);
    Ok(())
}

async fn set_password(
    config: Config,
    database: &RunningDatabase,
    username: &str,
    password: Password,
) -> Result<(), Failure> {
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    Ok(operator::set_password(&app, username.trim(), password).await?)
}
