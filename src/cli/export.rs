//! `myspares export`: writes the whole catalogue to a file or to standard output.
//!
//! The file gets its name only when it is complete.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    fs::{self, File},
    io::{AsyncWrite, AsyncWriteExt},
};

use super::{Failure, database::RunningDatabase};
use crate::{
    app::App,
    catalogue::transfer::{self, Export, TableFormat},
    clock::Clock,
    config::Config,
};

/// The arguments of `export`.
#[derive(clap::Args)]
pub struct ExportArgs {
    /// The file to write; without it, the command writes to standard output
    file: Option<PathBuf>,
    /// The format; without this option, it follows from the name of the file
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
}

/// The format of a file of the catalogue.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum FileFormat {
    /// Comma-separated values with a header line
    Csv,
    /// One JSON object per line
    Jsonl,
}

impl FileFormat {
    /// Returns the format that was asked for. Otherwise returns the format that the name of the file tells, or CSV.
    pub fn of(asked: Option<Self>, file: Option<&Path>) -> TableFormat {
        match asked {
            Some(Self::Csv) => TableFormat::Csv,
            Some(Self::Jsonl) => TableFormat::JsonLines,
            None => file.and_then(|file| TableFormat::of_file_name(file.to_str()?)).unwrap_or(TableFormat::Csv),
        }
    }
}

/// Exports the catalogue.
pub async fn run(config: Config, args: ExportArgs) -> Result<(), Failure> {
    let format = FileFormat::of(args.format, args.file.as_deref());
    let database = RunningDatabase::own_or_shared(&config).await?;
    let outcome = match &args.file {
        Some(file) => write_file(config, &database, format, file).await,
        None => write(config, &database, format, &mut tokio::io::stdout()).await,
    };
    database.stop().await;
    outcome
}

/// Writes to a file with the extension `.part` and renames it at the end. So an export that fails leaves no file that
/// looks complete, and doesn't overwrite an older file.
async fn write_file(
    config: Config,
    database: &RunningDatabase,
    format: TableFormat,
    file: &Path,
) -> Result<(), Failure> {
    let mut part_name = file.as_os_str().to_owned();
    part_name.push(".part");
    let part = PathBuf::from(part_name);
    let at_part = |error| format!("{}: {error}", part.display());
    let mut out = File::create(&part).await.map_err(at_part)?;
    if let Err(failure) = write(config, database, format, &mut out).await {
        // The first failure is the one to report.
        let _removed = fs::remove_file(&part).await;
        return Err(failure);
    }
    out.sync_all().await.map_err(at_part)?;
    fs::rename(&part, file).await.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

async fn write(
    config: Config,
    database: &RunningDatabase,
    format: TableFormat,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Failure> {
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    let mut export = Export::begin(&app, format).await?;
    let bar = progress_bar(transfer::estimated_products(&app).await?);
    while let Some(piece) = export.next().await? {
        out.write_all(&piece).await?;
        bar.set_position(export.products());
    }
    out.flush().await?;
    bar.finish_and_clear();
    Ok(())
}

fn progress_bar(products: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(products).with_style(style.expect("the template is valid"))
}
