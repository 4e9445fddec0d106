//! `myspares create-admin`: the first account that may run the shop.

use std::io::{IsTerminal, stdin};

use super::{Failure, database::Database};
use crate::{
    app::App,
    config::Config,
    domain::{mask, password::Password},
    integrations::clock::Clock,
    services::registration::{Application, NewAccount, create_admin},
};

/// The new administrator.
#[derive(clap::Args)]
pub struct Args {
    /// 4 to 24 characters
    #[arg(long)]
    username: String,
    /// The phone number to sign in with
    #[arg(long)]
    phone: String,
    /// The password; asked for when it is left out and a terminal is there
    #[arg(long)]
    password: Option<String>,
}

/// Makes the account.
pub async fn run(config: Config, args: Args) -> Result<(), Failure> {
    let password = args.password.map_or_else(ask_password, Ok)?;
    let application = Application {
        username: Some(args.username.trim().to_owned()),
        password: Some(Password::new(password)),
        phone_number: Some(args.phone.trim().to_owned()),
        email: None,
    };
    let account = NewAccount::check(application, config.default_region)?;
    let database = Database::own_or_shared(&config).await?;
    let created = create(config, &database, account).await;
    database.stop().await;
    created?;
    println!("created the admin \"{}\" with the number {}", args.username, mask::phone(&args.phone));
    Ok(())
}

async fn create(config: Config, database: &Database, account: NewAccount) -> Result<(), Failure> {
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    create_admin(&app, account).await?;
    Ok(())
}

fn ask_password() -> Result<String, Failure> {
    if !stdin().is_terminal() {
        return Err("--password is needed where there is no terminal to ask for it".into());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Once more: ")? != password {
        return Err("the two passwords differ".into());
    }
    Ok(password)
}
