//! `myspares create-admin`: creates the account of an administrator.

use super::{Failure, database::RunningDatabase, password::given_or_prompted};
use crate::{
    accounts::registration::{Application, NewAccount, create_admin},
    app::App,
    clock::Clock,
    config::Config,
    values::mask,
};

/// The arguments of `create-admin`.
#[derive(clap::Args)]
pub struct CreateAdminArgs {
    /// The username, 4 to 24 characters
    #[arg(long)]
    username: String,
    /// The phone number to sign in with
    #[arg(long)]
    phone: String,
    /// The password; without this option, the command asks for it, which needs a terminal
    #[arg(long)]
    password: Option<String>,
}

/// Creates the account and prints what to do next. Fails if the username or the number is taken.
pub async fn run(config: Config, args: CreateAdminArgs) -> Result<(), Failure> {
    let password = given_or_prompted(args.password)?;
    let application = Application {
        username: Some(args.username.trim().to_owned()),
        password: Some(password),
        phone_number: Some(args.phone.trim().to_owned()),
        email: None,
    };
    let account = NewAccount::check(application, config.default_region)?;
    let database = RunningDatabase::own_or_shared(&config).await?;
    let outcome = create(config, &database, account).await;
    database.stop().await;
    outcome?;
    println!("created the admin \"{}\" with the number {}", args.username, mask::phone(&args.phone));
    println!(
        "no contact of the account is proven yet, so a forgotten password can only be replaced by `myspares set-password`: \
         sign in and confirm the number by a code"
    );
    Ok(())
}

async fn create(config: Config, database: &RunningDatabase, account: NewAccount) -> Result<(), Failure> {
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    create_admin(&app, account).await?;
    Ok(())
}
