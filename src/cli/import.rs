//! `myspares import`: imports a file into the catalogue. The entries in the audits have no actor.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::File;

use super::{Failure, database::RunningDatabase, export::FileFormat};
use crate::{
    app::App,
    catalogue::transfer::{self, FailedRow, ImportMode, ImportOptions, Report, StockRule, TableFile},
    clock::Clock,
    config::Config,
};

/// The arguments of `import`.
#[derive(clap::Args)]
pub struct ImportArgs {
    /// The file to read
    file: PathBuf,
    /// The format; without this option, it follows from the name of the file
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Tell what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Which entries to write
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// What happens to the stock of existing products
    #[arg(long, value_enum, default_value_t)]
    stock: Stock,
}

/// Which entries an import writes.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Mode {
    /// New ones and existing ones
    #[default]
    Upsert,
    /// New ones only
    Insert,
    /// Existing ones only
    Update,
}

/// What an import does to the stock of existing products.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Stock {
    /// It becomes that of the file
    #[default]
    Set,
    /// It stays as it is
    Keep,
}

impl ImportArgs {
    fn options(&self) -> ImportOptions {
        let mode = match self.mode {
            Mode::Upsert => ImportMode::Upsert,
            Mode::Insert => ImportMode::Insert,
            Mode::Update => ImportMode::Update,
        };
        let stock = match self.stock {
            Stock::Set => StockRule::Set,
            Stock::Keep => StockRule::Keep,
        };
        ImportOptions { mode, stock, is_dry_run: self.dry_run }
    }
}

/// Imports the file. Fails if one of its lines fails; the other lines are imported all the same.
pub async fn run(config: Config, args: ImportArgs) -> Result<(), Failure> {
    let at_file = |error| format!("{}: {error}", args.file.display());
    let file = File::open(&args.file).await.map_err(at_file)?;
    let length = file.metadata().await.map_err(at_file)?.len();
    let format = FileFormat::of(args.format, Some(&args.file));
    let database = RunningDatabase::own_or_shared(&config).await?;
    let bar = progress_bar(length);
    let import = async {
        let app = App::connect(config, &database.uri, Clock::system()).await?;
        let file = TableFile { source: file, format, charset: None };
        let report = transfer::import(&app, None, file, args.options(), |bytes| bar.set_position(bytes)).await;
        Ok::<Report, Failure>(report.map_err(|error| format!("{}: {error}", args.file.display()))?)
    };
    let outcome = import.await;
    bar.finish_and_clear();
    database.stop().await;
    print_report(&outcome?, args.dry_run)
}

fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(length).with_style(style.expect("the template is valid"))
}

/// Prints what was imported, or what a dry run has found out. Fails if some lines failed.
fn print_report(report: &Report, is_dry_run: bool) -> Result<(), Failure> {
    let Report { inserted, updated, unchanged, failed, failed_count, warnings, .. } = report;
    for failure in failed {
        eprintln!("{}", told(failure));
    }
    for warning in warnings {
        eprintln!("line {}, {}: warning: {}", warning.line, warning.column, warning.text);
    }
    let prefix = if is_dry_run { "dry run, nothing is changed: " } else { "" };
    println!("{prefix}inserted {inserted}, updated {updated}, unchanged {unchanged}, failed {failed_count}");
    match (failed_count, is_dry_run) {
        (0, _) => Ok(()),
        (1, true) => Err("1 line would fail".into()),
        (count, true) => Err(format!("{count} lines would fail").into()),
        (1, false) => Err("1 line failed; the others are imported".into()),
        (count, false) => Err(format!("{count} lines failed; the others are imported").into()),
    }
}

/// Returns what is printed about a row that failed: `line 3, price "1.005": invalid price`.
fn told(failure: &FailedRow) -> String {
    let FailedRow { line, column, value, error } = failure;
    let column = column.map(|column| format!(", {column}")).unwrap_or_default();
    // Quoting escapes control characters, which a terminal would obey.
    let value = value.as_ref().map(|value| format!(" {value:?}")).unwrap_or_default();
    format!("line {line}{column}{value}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_with_column_and_value() {
        let failure = |column, value: Option<&str>| {
            told(&FailedRow { line: 3, column, value: value.map(str::to_owned), error: "wrong".to_owned() })
        };
        assert_eq!(failure(Some("price"), Some("1.005")), "line 3, price \"1.005\": wrong");
        assert_eq!(failure(Some("stock"), Some("a\u{1b}[2J")), "line 3, stock \"a\\u{1b}[2J\": wrong");
        assert_eq!(failure(Some("price"), None), "line 3, price: wrong");
        assert_eq!(failure(None, None), "line 3: wrong");
    }

    #[test]
    fn one_line_is_not_lines() {
        let outcome = |failed_count, is_dry_run| {
            let report = Report { failed_count, ..Report::default() };
            print_report(&report, is_dry_run).err().map(|failure| failure.to_string())
        };
        assert_eq!(outcome(0, false), None);
        assert_eq!(outcome(1, false).as_deref(), Some("1 line failed; the others are imported"));
        assert_eq!(outcome(2, true).as_deref(), Some("2 lines would fail"));
    }
}
