//! Exports the catalogue into a file. The rows are sorted by full code and show the state of one moment.

use std::io;

use futures_util::{Stream, stream};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::{
    TableFormat,
    rows::{Column, Row},
};
use crate::{
    app::App,
    catalogue::store::{
        branches::{BranchDoc, Level},
        products::ProductDoc,
        tree::{ExportedEntry, Node, Snapshot},
    },
    db::StoreError,
    values::codes::FullCode,
};

/// A piece of the file is sent when it has at least this many bytes.
const PIECE_SIZE: usize = 64 * 1024;
/// How many pieces may wait for a slow reader.
const WAITING_PIECES: usize = 4;

/// A file that is being written.
pub struct Export {
    snapshot: Snapshot,
    format: TableFormat,
    /// The current brand, model and category. The next row begins with their columns.
    path: Vec<Parent>,
    /// Whether no child of the last one in `path` was found yet.
    is_childless: bool,
    /// The part of the file that was not returned yet.
    buffer: Vec<u8>,
    is_done: bool,
    /// How many products were written so far.
    products: u64,
}

struct Parent {
    code: FullCode,
    cells: [(Column, String); 3],
}

/// A message from the task that writes the file to the reader.
enum Message {
    /// The next piece of the file.
    Piece(Vec<u8>),
    /// The whole file was sent. If the channel closes without this message, the file is incomplete.
    EndOfFile,
}

impl Export {
    /// Takes a snapshot of the catalogue and begins the file with its header.
    pub async fn begin(app: &App, format: TableFormat) -> Result<Self, StoreError> {
        let snapshot = app.store.tree.snapshot().await?;
        let mut buffer = Vec::with_capacity(PIECE_SIZE * 2);
        format.write_header(&mut buffer);
        Ok(Self { snapshot, format, path: Vec::new(), is_childless: false, buffer, is_done: false, products: 0 })
    }

    /// Returns the format of the file.
    pub fn format(&self) -> TableFormat {
        self.format
    }

    /// Returns how many products were written so far.
    pub fn products(&self) -> u64 {
        self.products
    }

    /// Returns the next piece of the file; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while !self.is_done && self.buffer.len() < PIECE_SIZE {
            match self.snapshot.next().await? {
                Some(ExportedEntry::Brand(brand)) => self.add_branch(0, &brand),
                Some(ExportedEntry::Model(model)) => self.add_branch(1, &model),
                Some(ExportedEntry::Category(category)) => self.add_branch(2, &category),
                Some(ExportedEntry::Product(product)) => self.add_product(&product),
                None => {
                    self.write_childless_parent();
                    self.is_done = true;
                }
            }
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        Ok(Some(std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE_SIZE * 2))))
    }

    /// Returns the file as a stream of pieces.
    ///
    /// A task of `tasks` writes them. It stops when the stream is dropped. If the file cannot be written to its end,
    /// the last item of the stream is an error.
    pub fn stream(self, tasks: &TaskTracker) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        tasks.spawn(self.send_to(sender));
        stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Message::Piece(bytes)) => Some((Ok(bytes), Some(receiver))),
                Some(Message::EndOfFile) => None,
                None => Some((Err(io::Error::other("the export was cut off")), None)),
            }
        })
    }

    /// Sends all pieces, then [`Message::EndOfFile`]. Stops when nobody receives them any more.
    async fn send_to(mut self, sender: mpsc::Sender<Message>) {
        loop {
            let message = match self.next().await {
                Ok(Some(piece)) => Message::Piece(piece),
                Ok(None) => Message::EndOfFile,
                Err(cause) => return tracing::error!(%cause, "an export was cut off"),
            };
            let is_end = matches!(message, Message::EndOfFile);
            let nobody_reads = sender.send(message).await.is_err();
            if is_end || nobody_reads {
                return;
            }
        }
    }

    /// Makes a branch the end of the path, if its parent is in the path.
    fn add_branch<L: Level>(&mut self, depth: usize, branch: &BranchDoc<L>) {
        if !self.go_back_to(depth, branch.parent.as_ref()) {
            return;
        }
        self.path.push(Parent { code: branch.code.clone(), cells: branch_cells(branch) });
        self.is_childless = true;
    }

    /// Writes the row of a product, if its category is in the path.
    fn add_product(&mut self, product: &ProductDoc) {
        if self.go_back_to(3, Some(&product.parent)) {
            let mut row = self.path_row();
            set_product_cells(&mut row, product);
            self.format.write_row(&row, &mut self.buffer);
            self.products += 1;
        }
    }

    /// Makes `parent`, which is `depth` levels below the top, the end of the path.
    ///
    /// Returns `false` if `parent` is not in the path, which means that it was deleted. Its products are then about to
    /// be removed, and the file leaves them out. If the path changes, the row of a childless parent is written first.
    fn go_back_to(&mut self, depth: usize, parent: Option<&FullCode>) -> bool {
        if self.path.len() < depth || parent != depth.checked_sub(1).map(|above| &self.path[above].code) {
            return false;
        }
        if self.path.len() > depth {
            self.write_childless_parent();
        }
        self.is_childless = false;
        self.path.truncate(depth);
        true
    }

    /// Writes a row for the end of the path if it has no children.
    fn write_childless_parent(&mut self) {
        if std::mem::take(&mut self.is_childless) {
            self.format.write_row(&self.path_row(), &mut self.buffer);
        }
    }

    /// Returns a row with the columns of the path.
    fn path_row(&self) -> Row {
        let mut row = Row::default();
        for (column, text) in self.path.iter().flat_map(|parent| &parent.cells) {
            row.set(*column, text.as_str());
        }
        row
    }
}

fn branch_cells<L: Level>(branch: &BranchDoc<L>) -> [(Column, String); 3] {
    let columns = match L::LEVEL as usize {
        0 => [Column::BrandCode, Column::BrandName, Column::BrandImageUrl],
        1 => [Column::ModelCode, Column::ModelName, Column::ModelImageUrl],
        _ => [Column::CategoryCode, Column::CategoryName, Column::CategoryImageUrl],
    };
    let [code, name, image_url] = columns;
    [(code, branch.own_code.to_string()), (name, branch.name.to_string()), (image_url, branch.image_url().to_string())]
}

fn set_product_cells(row: &mut Row, product: &ProductDoc) {
    row.set(Column::ProductCode, product.own_code.as_str());
    row.set(Column::ProductName, product.name.to_string());
    row.set(Column::Description, product.description.to_string());
    row.set(Column::Price, product.price.to_string());
    row.set(Column::Stock, product.stock.to_string());
    row.set(Column::ImageUrl, product.image_url.as_str());
    // Empty columns tell an import that there is no offer. Columns that are left out would leave an offer as it is.
    let offer = product.offer.as_ref();
    row.set(Column::OfferDiscount, offer.map_or_else(String::new, |offer| offer.discount.to_string()));
    row.set(Column::OfferFrom, offer.map_or_else(String::new, |offer| offer.from.to_string()));
    row.set(Column::OfferTo, offer.map_or_else(String::new, |offer| offer.to.to_string()));
    row.set(Column::OfferDescription, offer.map_or_else(String::new, |offer| offer.description.clone()));
    row.set(Column::IsActive, product.is_active.to_string());
}

impl TableFormat {
    /// Returns a file with one brand without models and one product, for the documentation of the API.
    pub fn example(self) -> String {
        let product = [
            ["TATA", "Tata Motors", "https://images.example.com/tata.webp", "NEXON", "Nexon"].as_slice(),
            &["https://images.example.com/nexon.webp", "BRK", "Brakes", "https://images.example.com/brakes.webp"],
            &["PADF", "Front brake pad set", "Ceramic pads, with wear indicator.", "2499.00", "40"],
            &["https://images.example.com/pad.webp", "10.50", "1732300000", "1732900000", "Festival offer", "true"],
        ];
        let brand = ["KIA", "Kia", "https://images.example.com/kia.webp"];
        let mut file = Vec::new();
        self.write_header(&mut file);
        for texts in [brand.to_vec(), product.concat()] {
            let mut row = Row::default();
            Column::ALL.iter().zip(texts).for_each(|(column, text)| row.set(*column, text));
            self.write_row(&row, &mut file);
        }
        // The byte order mark could not be seen.
        String::from_utf8(file).unwrap_or_default().trim_start_matches('\u{FEFF}').to_owned()
    }
}
