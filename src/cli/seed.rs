//! `myspares seed`: creates a sample catalogue of any size, and customers with filled carts.

use std::collections::HashMap;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::Mutex;

use super::{
    Failure,
    database::RunningDatabase,
    drawings::{Drawing, TINT_COUNT, draw},
    sample::{self, PARTS, Place},
};
use crate::{
    accounts::{
        UserDoc,
        hashing::CallerPresence,
        registration::{self, Application, NewAccount, new_document},
        rules::password::{NewPassword, OwnerDetails, Password},
    },
    app::App,
    catalogue::{BranchDoc, Brand, Category, EntryImage, Model, ProductDoc, seeding},
    clock::Clock,
    config::{AppEnv, Config},
    images::{
        self, NewImage,
        picture::{Picture, PictureKind},
    },
    values::{
        cart::CartLine,
        ids::{BrandId, CategoryId, LineRev, ModelId, ProductId},
        quantity::Quantity,
        role::Role,
        time::Timestamp,
    },
};

/// The number of documents that are sent to the database at once.
const BATCH: usize = 1_000;
/// The password of every sample customer.
const PASSWORD: &str = "Sample-2024";
/// The maximum number of lines in a sample cart.
const MAX_CART_LINES: usize = 5;

/// The arguments of `seed`.
#[derive(clap::Args)]
pub struct SeedArgs {
    /// Number of brands
    #[arg(long, default_value_t = 8)]
    brands: usize,
    /// Number of models of each brand
    #[arg(long, default_value_t = 3)]
    models: usize,
    /// Number of categories of each model
    #[arg(long, default_value_t = 4)]
    categories: usize,
    /// Number of products of each category
    #[arg(long, default_value_t = 5)]
    products: usize,
    /// Number of customers with filled carts
    #[arg(long, default_value_t = 3)]
    users: usize,
}

/// Creates the sample data. Fails in production, and if the database already has a catalogue.
pub async fn run(config: Config, args: SeedArgs) -> Result<(), Failure> {
    if config.app_env == AppEnv::Production {
        return Err("sample data are refused in production".into());
    }
    if [args.brands, args.models, args.categories].iter().any(|count| *count > 500) || args.products > 100_000 {
        return Err("at most 500 brands, models and categories each, and 100,000 products a category".into());
    }
    let database = RunningDatabase::own_or_shared(&config).await?;
    let outcome = fill(config, &database, &args).await;
    database.stop().await;
    outcome
}

async fn fill(config: Config, database: &RunningDatabase, args: &SeedArgs) -> Result<(), Failure> {
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    if !seeding::is_empty(&app).await? {
        return Err("there is a catalogue already; seed an empty database (MONGO_DB_NAME)".into());
    }
    for number in 0..args.users {
        let account = NewAccount::check(application(number), app.config.default_region)?;
        registration::refuse_taken(&app, &account.identity)
            .await
            .map_err(|taken| format!("sample customer {number}: {taken}"))?;
    }
    let gallery = Gallery { app: &app, drawn: Mutex::default() };
    let seeder = Seeder { app: &app, now: app.clock.now(), bar: progress_bar(args), gallery };
    let cart_products = seeder.insert_catalogue(args).await?;
    seeder.insert_customers(args.users, &cart_products).await?;
    seeder.bar.finish_and_clear();
    println!("seeded {} documents", seeder.bar.position());
    if args.users > 0 {
        println!("sample customers: {} and following, password {PASSWORD}", phone(0));
    }
    Ok(())
}

fn progress_bar(args: &SeedArgs) -> ProgressBar {
    let (brands, models) = (args.brands, args.brands * args.models);
    let categories = models * args.categories;
    let total = brands + models + categories + categories * args.products + args.users;
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(total as u64).with_style(style.expect("the template is valid"))
}

struct Seeder<'a> {
    app: &'a App,
    now: Timestamp,
    bar: ProgressBar,
    gallery: Gallery<'a>,
}

/// The pictures of the sample catalogue. Each is drawn when it is first needed, and many entries show it.
struct Gallery<'a> {
    app: &'a App,
    drawn: Mutex<HashMap<(Drawing, usize), EntryImage>>,
}

impl Gallery<'_> {
    /// Returns a picture. The worker that removes images finds the entries that show it, and lets it stay.
    async fn image(&self, drawing: Drawing, tint: usize) -> Result<EntryImage, Failure> {
        let mut drawn = self.drawn.lock().await;
        let name = (drawing, tint % TINT_COUNT);
        if let Some(image) = drawn.get(&name) {
            return Ok(image.clone());
        }
        let picture = Picture::encode(&draw(drawing, tint).into(), PictureKind::Catalogue)?;
        let NewImage { key, url } = images::keep_drawn(self.app, picture).await?;
        let image = EntryImage { url, key: Some(key) };
        drawn.insert(name, image.clone());
        Ok(image)
    }
}

impl Seeder<'_> {
    /// Inserts the catalogue, parents before their children. Returns some products for the carts.
    async fn insert_catalogue(&self, args: &SeedArgs) -> Result<Vec<ProductDoc>, Failure> {
        let mut brands = Vec::new();
        for n in 0..args.brands {
            let image = self.gallery.image(sample::badge(n), n).await?;
            brands.push(sample::brand(n, image).top(BrandId::new(), self.now));
        }
        if !brands.is_empty() {
            seeding::insert_brands(self.app, &brands).await?;
        }
        self.bar.inc(brands.len() as u64);
        let mut cart_products = Vec::new();
        for (number, brand) in brands.iter().enumerate() {
            for (model_number, model) in self.insert_models(number, brand, args.models).await?.into_iter().enumerate() {
                let fits = format!("{} {}", brand.name, model.name);
                self.insert_below_model(number, (model_number, &model), &fits, args, &mut cart_products).await?;
            }
        }
        Ok(cart_products)
    }

    /// Inserts the models of a brand and returns them.
    async fn insert_models(
        &self,
        brand_number: usize,
        brand: &BranchDoc<Brand>,
        count: usize,
    ) -> Result<Vec<BranchDoc<Model>>, Failure> {
        let mut models = Vec::new();
        for n in 0..count {
            let image = self.gallery.image(sample::vehicle_drawing(brand_number), brand_number + n).await?;
            let new = sample::model(brand_number, n, image);
            models.push(new.below(ModelId::new(), brand.id, &brand.code, self.now));
        }
        if !models.is_empty() {
            seeding::insert_models(self.app, &models).await?;
        }
        self.bar.inc(models.len() as u64);
        Ok(models)
    }

    /// Inserts the categories and products of a model. Adds products to `cart_products` until there are enough.
    async fn insert_below_model(
        &self,
        brand: usize,
        (model_number, model): (usize, &BranchDoc<Model>),
        fits: &str,
        args: &SeedArgs,
        cart_products: &mut Vec<ProductDoc>,
    ) -> Result<(), Failure> {
        let categories = self.insert_categories(brand, model, args.categories).await?;
        for (number, category) in categories.iter().enumerate() {
            let images = self.part_images(brand, number, args.products).await?;
            let product = |n: usize| {
                let place = Place { brand, model: model_number, category: number, n };
                let new = sample::product(place, fits, images[n % images.len()].clone());
                let mut product = new.below(ProductId::new(), category.id, &category.code, self.now);
                product.offer = sample::offer(number, n, self.now);
                product.is_active = sample::is_active(place);
                product
            };
            self.insert_products((0..args.products).map(product), cart_products).await?;
        }
        Ok(())
    }

    /// Returns the pictures of the first products of a category. Those of the others are the same again.
    async fn part_images(&self, brand: usize, category: usize, count: usize) -> Result<Vec<EntryImage>, Failure> {
        let mut images = Vec::new();
        for n in 0..count.min(PARTS * TINT_COUNT) {
            let tint = category + n + n / PARTS;
            images.push(self.gallery.image(sample::part_drawing(brand, category, n), tint).await?);
        }
        Ok(images)
    }

    /// Inserts the categories of a model and returns them.
    async fn insert_categories(
        &self,
        brand: usize,
        model: &BranchDoc<Model>,
        count: usize,
    ) -> Result<Vec<BranchDoc<Category>>, Failure> {
        let mut categories = Vec::new();
        for n in 0..count {
            let image = self.gallery.image(sample::category_drawing(brand, n), n).await?;
            let new = sample::category(brand, n, image);
            categories.push(new.below(CategoryId::new(), model.id, &model.code, self.now));
        }
        if !categories.is_empty() {
            seeding::insert_categories(self.app, &categories).await?;
        }
        self.bar.inc(categories.len() as u64);
        Ok(categories)
    }

    async fn insert_products(
        &self,
        mut products: impl Iterator<Item = ProductDoc>,
        cart_products: &mut Vec<ProductDoc>,
    ) -> Result<(), Failure> {
        loop {
            let batch: Vec<ProductDoc> = products.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            seeding::insert_products(self.app, &batch).await?;
            self.bar.inc(batch.len() as u64);
            let missing = MAX_CART_LINES.saturating_sub(cart_products.len());
            cart_products.extend(batch.into_iter().take(missing));
        }
    }

    /// Inserts customers who have the products in their carts. All customers get the same password hash: hashing is
    /// slow, and the password is public.
    async fn insert_customers(&self, count: usize, products: &[ProductDoc]) -> Result<(), Failure> {
        if count == 0 {
            return Ok(());
        }
        let password = NewPassword::check("password", &Password::new(PASSWORD.to_owned()))?;
        let hash = self.app.hasher.hash(password, OwnerDetails::default(), &CallerPresence::default()).await?;
        for start in (0..count).step_by(BATCH) {
            let customer = |n| -> Result<UserDoc, Failure> {
                let account = NewAccount::check(application(n), self.app.config.default_region)?;
                let mut user = new_document(account.identity, hash.clone(), Role::Customer, Vec::new(), self.now);
                user.cart.items = products
                    .iter()
                    .enumerate()
                    .map(|(index, product)| cart_line(product, n + index, self.now))
                    .collect();
                Ok(user)
            };
            let users = (start..count.min(start + BATCH)).map(customer).collect::<Result<Vec<_>, _>>()?;
            registration::insert_many(self.app, &users).await?;
            self.bar.inc(users.len() as u64);
        }
        Ok(())
    }
}

fn application(n: usize) -> Application {
    Application {
        username: Some(format!("customer{n}")),
        password: Some(Password::new(PASSWORD.to_owned())),
        phone_number: Some(phone(n)),
        email: None,
    }
}

fn phone(n: usize) -> String {
    format!("+91{}", 9_800_000_000 + n)
}

fn cart_line(product: &ProductDoc, n: usize, now: Timestamp) -> CartLine {
    CartLine {
        product_id: product.id,
        quantity: Quantity::new(i64::try_from(1 + n % 3).unwrap_or(1)).unwrap_or(Quantity::ONE),
        added_at: now,
        unit_price_at_add: product.price,
        rev: LineRev::new(),
    }
}
