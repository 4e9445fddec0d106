//! The catalogue into a file: rows in the order of the full codes, as they all were at one moment.

use std::io;

use futures_util::{Stream, stream};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::{
    Format,
    rows::{Column, Row},
};
use crate::{
    app::App,
    catalogue::store::{
        branches::{BranchDoc, Level},
        products::ProductDoc,
        tree::{Entry, Node, Snapshot},
    },
    db::StoreError,
    values::codes::FullCode,
};

/// A piece of a file is sent on when it has grown to so many bytes.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for a slow reader.
const WAITING: usize = 4;

/// A file that is being written.
pub struct Export {
    snapshot: Snapshot,
    format: Format,
    /// What the next rows begin with: the columns of the brand, model and category that are being written.
    path: Vec<Parent>,
    /// Whether nothing was found below the last of them.
    is_childless: bool,
    piece: Vec<u8>,
    is_done: bool,
    /// Products that were written.
    products: u64,
}

struct Parent {
    code: FullCode,
    cells: [(Column, String); 3],
}

/// What goes from the writer to the reader.
enum Piece {
    Some(Vec<u8>),
    /// All of the file was sent.
    End,
}

impl Export {
    /// Begins to write the catalogue as it is now.
    pub async fn begin(app: &App, format: Format) -> Result<Self, StoreError> {
        let snapshot = app.store.tree.snapshot().await?;
        let mut piece = Vec::with_capacity(PIECE * 2);
        format.write_header(&mut piece);
        Ok(Self { snapshot, format, path: Vec::new(), is_childless: false, piece, is_done: false, products: 0 })
    }

    /// How its rows are written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many products are written.
    pub fn products(&self) -> u64 {
        self.products
    }

    /// The next piece of the file; none at its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while !self.is_done && self.piece.len() < PIECE {
            match self.snapshot.next().await? {
                Some(Entry::Brand(brand)) => self.branch(0, &brand),
                Some(Entry::Model(model)) => self.branch(1, &model),
                Some(Entry::Category(category)) => self.branch(2, &category),
                Some(Entry::Product(product)) => self.product(&product),
                None => {
                    self.end_childless();
                    self.is_done = true;
                }
            }
        }
        if self.piece.is_empty() {
            return Ok(None);
        }
        Ok(Some(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE * 2))))
    }

    /// The file piece by piece, written by a task that gives up when nobody reads any more. A file that can't be
    /// written to its end ends in an error.
    pub fn stream(self, tasks: &TaskTracker) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(WAITING);
        tasks.spawn(self.send(sender));
        stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Piece::Some(bytes)) => Some((Ok(bytes), Some(receiver))),
                Some(Piece::End) => None,
                None => Some((Err(io::Error::other("the export was cut off")), None)),
            }
        })
    }

    async fn send(mut self, to: mpsc::Sender<Piece>) {
        loop {
            let piece = match self.next().await {
                Ok(Some(piece)) => Piece::Some(piece),
                Ok(None) => Piece::End,
                Err(cause) => return tracing::error!(%cause, "an export was cut off"),
            };
            let is_end = matches!(piece, Piece::End);
            let nobody_reads = to.send(piece).await.is_err();
            if is_end || nobody_reads {
                return;
            }
        }
    }

    fn branch<L: Level>(&mut self, depth: usize, branch: &BranchDoc<L>) {
        if !self.enter(depth, branch.parent.as_ref()) {
            return;
        }
        self.path.push(Parent { code: branch.code.clone(), cells: cells(branch) });
        self.is_childless = true;
    }

    fn product(&mut self, product: &ProductDoc) {
        if self.enter(3, Some(&product.parent)) {
            let mut row = self.parents();
            fill(&mut row, product);
            self.format.write_row(&row, &mut self.piece);
            self.products += 1;
        }
    }

    /// Goes to the parent of what comes next. False when it isn't there: what stands below something that was deleted
    /// is on its way out as well.
    fn enter(&mut self, depth: usize, parent: Option<&FullCode>) -> bool {
        if self.path.len() < depth || parent != depth.checked_sub(1).map(|above| &self.path[above].code) {
            return false;
        }
        if self.path.len() > depth {
            self.end_childless();
        }
        self.is_childless = false;
        self.path.truncate(depth);
        true
    }

    /// A parent without children has a row of its own.
    fn end_childless(&mut self) {
        if std::mem::take(&mut self.is_childless) {
            self.format.write_row(&self.parents(), &mut self.piece);
        }
    }

    fn parents(&self) -> Row {
        let mut row = Row::default();
        for (column, text) in self.path.iter().flat_map(|parent| &parent.cells) {
            row.set(*column, text.as_str());
        }
        row
    }
}

fn cells<L: Level>(branch: &BranchDoc<L>) -> [(Column, String); 3] {
    let columns = match L::LEVEL as usize {
        0 => [Column::BrandCode, Column::BrandName, Column::BrandImageUrl],
        1 => [Column::ModelCode, Column::ModelName, Column::ModelImageUrl],
        _ => [Column::CategoryCode, Column::CategoryName, Column::CategoryImageUrl],
    };
    let [code, name, image_url] = columns;
    [(code, branch.own_code.to_string()), (name, branch.name.to_string()), (image_url, branch.image_url().to_string())]
}

fn fill(row: &mut Row, product: &ProductDoc) {
    row.set(Column::ProductCode, product.own_code.as_str());
    row.set(Column::ProductName, product.name.to_string());
    row.set(Column::Description, product.description.to_string());
    row.set(Column::Price, product.price.to_string());
    row.set(Column::Stock, product.stock.to_string());
    row.set(Column::ImageUrl, product.image_url.as_str());
    // Empty ones say that there is no offer; left out they would say nothing.
    let offer = product.offer.as_ref();
    row.set(Column::OfferDiscount, offer.map_or_else(String::new, |offer| offer.discount.to_string()));
    row.set(Column::OfferFrom, offer.map_or_else(String::new, |offer| offer.from.to_string()));
    row.set(Column::OfferTo, offer.map_or_else(String::new, |offer| offer.to.to_string()));
    row.set(Column::OfferDescription, offer.map_or_else(String::new, |offer| offer.description.clone()));
    row.set(Column::IsActive, product.is_active.to_string());
}

impl Format {
    /// A file of a product and a brand without models.
    pub fn example(self) -> String {
        let texts = [
            ["TATA", "Tata Motors", "https://images.example.com/tata.webp", "NEXON", "Nexon"].as_slice(),
            &["https://images.example.com/nexon.webp", "BRK", "Brakes", "https://images.example.com/brakes.webp"],
            &["PADF", "Front brake pad set", "Ceramic pads, with wear indicator.", "2499.00", "40"],
            &["https://images.example.com/pad.webp", "10.50", "1732300000", "1732900000", "Festival offer", "true"],
        ];
        let brand = ["KIA", "Kia", "https://images.example.com/kia.webp"];
        let mut file = Vec::new();
        self.write_header(&mut file);
        for texts in [brand.to_vec(), texts.concat()] {
            let mut row = Row::default();
            Column::ALL.iter().zip(texts).for_each(|(column, text)| row.set(*column, text));
            self.write_row(&row, &mut file);
        }
        String::from_utf8(file).unwrap_or_default()
    }
}
