//! `/api/admin/…/products/{product_code}/images/`: the pictures of a product.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Header, Path},
    payload::Json,
    types::Example,
};
use serde::{Deserialize, Deserializer};

use super::{
    entries_out::ProductEntryOut,
    new_entries::required_image,
    update::{Updated, etag_of, precondition, updated},
};
use crate::{
    api::{
        Group,
        access::Staff,
        body::Unchecked,
        catalogue::one_product,
        catalogue_out::Showing,
        error::{ApiResult, refusals},
        fields::{Entry, Line, list},
        upload::FormOrJson,
    },
    app::App,
    catalogue::{
        self, ImageSource, PictureError, ProductDoc,
        rules::{
            entry,
            names::AltText,
            pictures::{MAX_FURTHER, PicturePlace, PictureRefusal},
        },
    },
    db::StoreError,
    images::ImageError,
    values::{
        codes::FullCode,
        invalid::{Faults, InvalidField},
    },
};

/// Handlers of `/api/admin/…/products/{product_code}/images/`.
pub struct ProductImagesApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
#[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
impl ProductImagesApi {
    /// Adds an image to a product
    ///
    /// The image is sent in a form, or named by its URL. It comes behind the others: up to 10 beside the first one,
    /// which is the `image_url` of the product.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/:product_code/images",
        method = "post",
        operation_id = "addProductImage"
    )]
    async fn add(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
        /// The `ETag` with which the product was read. If the product has changed since then, the call fails with 412.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: FormOrJson<NewImageIn>,
    ) -> ApiResult<ImageAdded, PictureError> {
        let code = full_code([&brand_code, &model_code, &category_code, &product_code]);
        let (source, alt) = body.check(&self.0, NewImageIn::check).await?;
        let condition = precondition(&self.0, if_match, one_product);
        let product = catalogue::add_picture(&self.0, &staff.author, &code, source, alt, condition).await?;
        let etag = etag_of(&self.0, &product, one_product);
        let reply = ImagesReply::new("image added successfully", product, Showing::now(&self.0));
        Ok(ImageAdded::Created(Json(reply), etag))
    }

    /// Arranges the images of a product
    ///
    /// `images` names each image once, in the new order. The first one becomes the `image_url` of the product. An `alt`
    /// that is left out stays as it is, and an empty one is removed.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/:product_code/images",
        method = "put",
        operation_id = "arrangeProductImages"
    )]
    async fn arrange(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
        /// The `ETag` with which the product was read. If the product has changed since then, the call fails with 412.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Unchecked<ImageOrderIn>,
    ) -> ApiResult<Updated<ImagesReply>, PictureError> {
        let code = full_code([&brand_code, &model_code, &category_code, &product_code]);
        let order = body.check(ImageOrderIn::check)?;
        let condition = precondition(&self.0, if_match, one_product);
        let product = catalogue::arrange_pictures(&self.0, &staff.author, &code, &order, condition).await?;
        Ok(updated(&self.0, product, one_product, |product, showing| {
            ImagesReply::new("images arranged successfully", product, showing)
        }))
    }

    /// Deletes an image of a product
    ///
    /// After the first image, the next one becomes the `image_url` of the product. The last image can't be deleted.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/:product_code/images/:image_id",
        method = "delete",
        operation_id = "deleteProductImage"
    )]
    async fn delete(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
        /// The `_id` of the image, as in the `images` of the product.
        image_id: Path<String>,
        /// The `ETag` with which the product was read. If the product has changed since then, the call fails with 412.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Updated<ImagesReply>, PictureError> {
        let code = full_code([&brand_code, &model_code, &category_code, &product_code]);
        let condition = precondition(&self.0, if_match, one_product);
        let product = catalogue::remove_picture(&self.0, &staff.author, &code, &image_id.0, condition).await?;
        Ok(updated(&self.0, product, one_product, |product, showing| {
            ImagesReply::new("image deleted successfully", product, showing)
        }))
    }
}

fn full_code(codes: [&Path<String>; 4]) -> FullCode {
    FullCode::join(codes.map(|code| code.as_str()))
}

/// A further image of a product.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "NewProductImage", example)]
struct NewImageIn {
    /// URL that begins with `https://`, `http://` or `/media/`.
    image_url: Option<Line>,
    /// Words that stand for the image where it can't be seen: up to 200 characters. Without them, the name of the
    /// product is shown.
    alt: Option<Line>,
}

/// The images of a product in a new order.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "ProductImageOrder", example)]
struct ImageOrderIn {
    /// Each image of the product once.
    #[serde(default, deserialize_with = "places")]
    images: Option<Vec<ImagePlaceIn>>,
}

/// An image in a new order.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "ProductImagePlace")]
struct ImagePlaceIn {
    /// The `_id` of the image.
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: Option<Line>,
    /// New words for the image, up to 200 characters; empty to remove them. They stay if left out.
    alt: Option<Line>,
}

/// Reads the list of images. For `deserialize_with`.
fn places<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<ImagePlaceIn>>, D::Error> {
    let places: Option<Vec<Entry<ImagePlaceIn>>> = list(deserializer)?;
    Ok(places.map(|places| places.into_iter().map(|place| place.0).collect()))
}

impl NewImageIn {
    /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
    fn check(self, image: Option<Bytes>, faults: &mut Faults) -> Option<(ImageSource, Option<AltText>)> {
        let source = required_image(image, self.image_url, faults);
        let alt = faults.optional("alt", self.alt, |alt| entry::alt("alt".to_owned(), &alt.0));
        Some((source?, alt.flatten()))
    }
}

impl ImageOrderIn {
    fn check(self, faults: &mut Faults) -> Option<Vec<PicturePlace>> {
        if self.images.is_none() && !faults.is_unreadable(&["images"]) {
            faults.add_missing("images");
        }
        let places = self.images?;
        if places.len() > MAX_FURTHER + 1 {
            faults.add(wrong_order());
            return None;
        }
        let checked: Vec<Option<PicturePlace>> =
            places.into_iter().enumerate().map(|(at, place)| place.check(at, faults)).collect();
        let places: Vec<PicturePlace> = checked.into_iter().collect::<Option<_>>()?;
        let ids: BTreeSet<&str> = places.iter().map(|place| place.id.as_str()).collect();
        if ids.len() < places.len() {
            faults.add(wrong_order());
        }
        Some(places)
    }
}

fn wrong_order() -> InvalidField {
    InvalidField { field: "images".into(), text: PictureRefusal::WrongOrder.to_string() }
}

impl ImagePlaceIn {
    fn check(self, at: usize, faults: &mut Faults) -> Option<PicturePlace> {
        let id = faults.required(format!("images[{at}]._id"), self.id.map(|id| id.0), |id| Ok(id.to_owned()));
        let alt_name = format!("images[{at}].alt");
        let alt = faults.optional(&alt_name, self.alt, |alt| entry::alt(alt_name.clone(), &alt.0));
        Some(PicturePlace { id: id?, alt })
    }
}

/// A sentence that says what was done, and the product afterwards.
#[derive(Debug, Object)]
#[oai(rename = "ProductImagesChanged", example)]
pub(super) struct ImagesReply {
    message: String,
    product: ProductEntryOut,
}

/// The answer to a new image.
#[derive(ApiResponse)]
enum ImageAdded {
    /// The image was added.
    #[oai(status = 201)]
    Created(
        Json<ImagesReply>,
        /// Names the new state of the product; for `If-Match` of the next change.
        #[oai(header = "ETag")]
        String,
    ),
}

impl ImagesReply {
    fn new(message: &str, product: ProductDoc, showing: Showing<'_>) -> Self {
        Self { message: message.to_owned(), product: ProductEntryOut::new(product, showing) }
    }
}

impl Example for NewImageIn {
    fn example() -> Self {
        let line = |text: &str| Some(Line(text.to_owned()));
        Self { image_url: line("https://images.example.com/brake-pad-back.webp"), alt: line("The pads from behind") }
    }
}

impl Example for ImageOrderIn {
    fn example() -> Self {
        let place = |id: &str, alt: Option<&str>| ImagePlaceIn {
            id: Some(Line(id.to_owned())),
            alt: alt.map(|alt| Line(alt.to_owned())),
        };
        let second = place("0b5e1c7a9d3f4e2b8a6c5d70", Some("The pads from behind"));
        Self { images: Some(vec![second, place("7f1d2c3b4a5968778695a4b3", None)]) }
    }
}

impl Example for ImagesReply {
    fn example() -> Self {
        Self { message: "image added successfully".to_owned(), product: ProductEntryOut::example() }
    }
}

refusals! {
    PictureError {
        codes {
            Changed => StateChanged,
        }
        cases {
            NotFound(level, text) => [BrandNotFound, ModelNotFound, CategoryNotFound, ProductNotFound]
                ApiError::new(level.into(), text),
        }
        causes { Refused: PictureRefusal, Image: ImageError, Store: StoreError }
    }
    PictureRefusal {
        codes {
            Full => TooManyImages,
            Repeated => ImageRepeated,
            Unknown => ImageNotFound,
            Last => LastImage,
            WrongOrder => InvalidInput ["images"],
        }
    }
}
