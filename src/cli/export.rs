//! `myspares export`: the whole catalogue into a file, which has its name only once it is whole, or to standard output.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    fs::{self, File},
    io::{AsyncWrite, AsyncWriteExt},
};

use super::{Failure, database::Database};
use crate::{
    app::App,
    catalogue::transfer::{Export, Format},
    clock::Clock,
    config::Config,
};

/// Where to write, and how.
#[derive(clap::Args)]
pub struct Args {
    /// The file; standard output when left out
    file: Option<PathBuf>,
    /// How rows are written; told by the file's name when left out
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum FileFormat {
    /// Comma-separated, with a header
    Csv,
    /// A JSON object a line
    Jsonl,
}

impl FileFormat {
    /// The format that was asked for, else the one that a file's name tells, else CSV.
    pub fn of(asked: Option<Self>, file: Option<&Path>) -> Format {
        match asked {
            Some(Self::Csv) => Format::Csv,
            Some(Self::Jsonl) => Format::JsonLines,
            None => file.and_then(|file| Format::of_file_name(file.to_str()?)).unwrap_or(Format::Csv),
        }
    }
}

/// Exports the catalogue.
pub async fn run(config: Config, args: Args) -> Result<(), Failure> {
    let format = FileFormat::of(args.format, args.file.as_deref());
    let database = Database::own_or_shared(&config).await?;
    let exported = match &args.file {
        Some(file) => to_file(config, &database, format, file).await,
        None => write(config, &database, format, &mut tokio::io::stdout()).await,
    };
    database.stop().await;
    exported
}

/// Beside the file first: what is cut off must not look like a whole one, nor take the place of an older one.
async fn to_file(config: Config, database: &Database, format: Format, file: &Path) -> Result<(), Failure> {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let at_part = |error| format!("{}: {error}", part.display());
    let mut out = File::create(&part).await.map_err(at_part)?;
    if let Err(failure) = write(config, database, format, &mut out).await {
        // The failure that counts is told already.
        let _removed = fs::remove_file(&part).await;
        return Err(failure);
    }
    out.sync_all().await.map_err(at_part)?;
    fs::rename(&part, file).await.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

async fn write(
    config: Config,
    database: &Database,
    format: Format,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Failure> {
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    let mut export = Export::begin(&app, format).await?;
    let bar = progress(app.store.products.estimated_count().await?);
    while let Some(piece) = export.next().await? {
        out.write_all(&piece).await?;
        bar.set_position(export.products());
    }
    out.flush().await?;
    bar.finish_and_clear();
    Ok(())
}

fn progress(products: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(products).with_style(style.expect("the template is valid"))
}
