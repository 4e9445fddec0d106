//! The sample catalogue: common parts for well-known vehicles.
//!
//! If more entries are asked for than the tables have, the tables are used again with numbers. For example, the
//! eleventh brand is "Maruti Suzuki 2".

mod tables;

use self::tables::{BRANDS, CATEGORIES, CHAINS, FORKS, Named, Part, Vehicle, of_two_wheeler};
use super::drawings::Drawing;
use crate::{
    catalogue::{
        EntryImage, NewBranch, NewProduct,
        rules::{
            names::{Description, Name},
            pricing::Offer,
        },
    },
    values::{codes::Code, money::Money, time::Timestamp},
};

/// How many parts each category has. More products are the same parts with numbers.
pub const PARTS: usize = 5;

/// Where a product stands in the catalogue; all numbers are counted from 0.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub brand: usize,
    pub model: usize,
    pub category: usize,
    pub n: usize,
}

/// Returns what the pictures of the models of a brand show.
pub fn vehicle_drawing(brand: usize) -> Drawing {
    match vehicle(brand) {
        Vehicle::Car => Drawing::Car,
        Vehicle::TwoWheeler => Drawing::Motorcycle,
    }
}

/// Returns what the picture of a brand shows.
pub fn badge(brand: usize) -> Drawing {
    Drawing::Badge(u8::try_from(brand % 105).unwrap_or_default())
}

/// Returns what the picture of a category shows.
pub fn category_drawing(brand: usize, category: usize) -> Drawing {
    category_of(brand, category).0
}

/// Returns what the picture of a product shows.
pub fn part_drawing(brand: usize, category: usize, n: usize) -> Drawing {
    part(brand, category, n).3
}

/// Returns the `n`-th brand, counted from 0.
pub fn brand(n: usize, image: EntryImage) -> NewBranch {
    branch(BRANDS[n % BRANDS.len()].1, n / BRANDS.len(), image)
}

/// Returns the `n`-th model of the `brand`-th brand.
pub fn model(brand: usize, n: usize, image: EntryImage) -> NewBranch {
    let models = BRANDS[brand % BRANDS.len()].2;
    branch(models[n % models.len()], n / models.len(), image)
}

/// Returns the `n`-th category. It is the same for every model of a brand.
pub fn category(brand: usize, n: usize, image: EntryImage) -> NewBranch {
    branch(category_of(brand, n).1, n / CATEGORIES.len(), image)
}

/// Returns the product at a place. `fits` is the name of the model for the description.
pub fn product(place: Place, fits: &str, image: EntryImage) -> NewProduct {
    let Place { brand, category, n, .. } = place;
    let (name, number, rupees, _) = part(brand, category, n);
    let round = n / PARTS;
    let description = format!("{name} for the {fits}. Fits without changes; checked before it is sent.");
    // Parts of two-wheelers are smaller. Repeated parts cost a little more, so that sorting by price has an effect.
    let share = if vehicle(brand) == Vehicle::Car { 100 } else { 45 };
    let paise = rupees * share + i64::try_from(round % 1_000).unwrap_or(0) * 50;
    NewProduct {
        code: Code::parse_product(&part_number(brand, number, round)).expect("sample codes keep the rules"),
        name: Name::parse(&numbered(name, round, " ")).expect("sample names keep the rules"),
        description: Description::parse(&description).expect("sample descriptions keep the rules"),
        price: Money::from_minor(paise),
        stock: stock(place),
        image,
    }
}

/// Returns the offer of a product: every sixth one has one.
pub fn offer(category: usize, n: usize, now: Timestamp) -> Option<Offer> {
    let day = 24 * 60 * 60;
    let (from, to) = (now.seconds() - day, now.seconds() + 30 * day);
    let discount = ["10", "15", "12.5", "20"][(n + category) % 4];
    let is_offered = (n + 2 * category) % 6 == 2;
    is_offered.then(|| Offer::check(discount, Some(from), Some(to), "Festival offer".to_owned()).ok()).flatten()
}

/// Returns whether customers see a product. A few are hidden, but none of the first category.
pub fn is_active(place: Place) -> bool {
    place.category == 0 || place.luck(17) != 7
}

/// Returns the pieces in stock: most have many, some are low, and a few are out of stock, but none of the first parts.
fn stock(place: Place) -> u32 {
    let is_first = place.n <= 5 && place.category == 0;
    match place.luck(23) {
        0 if !is_first => 0,
        1 | 2 if !is_first => 3,
        rest => 12 + rest * 4,
    }
}

impl Place {
    /// Returns a number below `sides` that looks random and is always the same for this place (FNV-1a).
    fn luck(self, sides: u32) -> u32 {
        let Self { brand, model, category, n } = self;
        let mix = |hash: u32, number: usize| {
            number.to_le_bytes().iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
        };
        let hash = [brand, model, category, n].into_iter().fold(0x811C_9DC5 ^ sides, mix);
        (hash >> 7) % sides
    }
}

/// Returns a part number as the brand writes them: `04465-0K001`, `04465.10.001` or `04465M74L001`.
fn part_number(brand: usize, number: &str, round: usize) -> String {
    let series = char::from(b'A' + u8::try_from(brand % 26).unwrap_or_default());
    match brand % 3 {
        0 => format!("{number}M74{series}{round:03}"),
        1 => format!("{number}-0{series}{round:03}"),
        _ => format!("{number}.{:02}.{round:03}", 10 + brand % 90),
    }
}

fn vehicle(brand: usize) -> Vehicle {
    BRANDS[brand % BRANDS.len()].0
}

fn category_of(brand: usize, n: usize) -> (Drawing, Named, [Part; PARTS]) {
    match (vehicle(brand), n % CATEGORIES.len()) {
        // A shop for two-wheelers shows its chains among the first.
        (Vehicle::TwoWheeler, 2) => CHAINS,
        (Vehicle::TwoWheeler, 7) => FORKS,
        (_, n) => CATEGORIES[n],
    }
}

fn part(brand: usize, category: usize, n: usize) -> Part {
    let part = category_of(brand, category).2[n % PARTS];
    if vehicle(brand) == Vehicle::TwoWheeler { of_two_wheeler(part) } else { part }
}

fn branch((name, code): Named, round: usize, image: EntryImage) -> NewBranch {
    NewBranch {
        code: Code::parse(&numbered(shortened(code, round), round, "")).expect("sample codes keep the rules"),
        name: Name::parse(&numbered(name, round, " ")).expect("sample names keep the rules"),
        image,
    }
}

/// Shortens a code that gets a number, because a code has ten characters at most.
fn shortened(code: &str, round: usize) -> &str {
    if round == 0 { code } else { &code[..code.len().min(5)] }
}

fn numbered(text: &str, round: usize, gap: &str) -> String {
    if round == 0 { text.to_owned() } else { format!("{text}{gap}{}", round + 1) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{cli::drawings::TINT_COUNT, values::url::ImageUrl};

    fn image() -> EntryImage {
        EntryImage { url: ImageUrl::parse("/media/a.webp").expect("a URL"), key: None }
    }

    #[test]
    fn thousands_of_entries_keep_the_rules_and_their_codes_differ() {
        let brands: HashSet<String> = (0..500).map(|n| brand(n, image()).code.to_string()).collect();
        let models: HashSet<String> = (0..500).map(|n| model(3, n, image()).code.to_string()).collect();
        for vehicle in 0..3 {
            let categories: HashSet<String> =
                (0..500).map(|n| category(vehicle, n, image()).code.to_string()).collect();
            let place = |n| Place { brand: vehicle, model: 0, category: 1, n };
            let product = |n| product(place(n), "Tata Nexon", image()).code.to_string();
            let products: HashSet<String> = (0..5_000).map(product).collect();
            assert_eq!((categories.len(), products.len()), (500, 5_000));
        }
        assert_eq!([brands.len(), models.len()], [500, 500]);
    }

    #[test]
    fn a_shop_has_offers_and_products_that_are_low_out_of_stock_or_hidden() {
        let now = Timestamp::from_millis(1_732_900_001_000);
        for brand in 0..8 {
            let of = |model| {
                let places = (0..4).flat_map(move |category| (0..5).map(move |n| Place { brand, model, category, n }));
                places.collect::<Vec<_>>()
            };
            let all: Vec<Place> = (0..3).flat_map(of).collect();
            let count = |is: fn(&&Place) -> bool| all.iter().filter(is).count();
            assert!(count(|place| stock(**place) == 0) + count(|place| stock(**place) == 3) > 1, "{brand}");
            assert!((1..20).contains(&count(|place| !is_active(**place))), "{brand}");
            let stocks =
                |model| of(model).into_iter().map(|place| (stock(place), is_active(place))).collect::<Vec<_>>();
            assert!(stocks(0) != stocks(1) && stocks(1) != stocks(2), "{brand}");
            let offers = all.iter().filter(|place| offer(place.category, place.n, now).is_some());
            assert!(offers.count() > 6);
            assert!(
                all.iter().all(|place| place.category > 0 || (stock(*place) > 3 && is_active(*place))),
                "for carts"
            );
        }
    }

    #[test]
    fn two_wheelers_have_no_parts_of_cars_and_brands_have_badges_of_their_own() {
        let names = |brand| (0..8).flat_map(move |category| (0..5).map(move |n| part(brand, category, n).0));
        for only in ["Cabin filter", "Timing belt", "Lower control arm", "Stabiliser", "Strut", "Flywheel"] {
            assert!(
                names(0).any(|name| name.starts_with(only)) && names(2).all(|name| !name.starts_with(only)),
                "{only}"
            );
        }
        let badges: HashSet<_> = (0..105).map(|brand| (badge(brand), brand % TINT_COUNT)).collect();
        assert_eq!(badges.len(), 105);
        assert_eq!(part_drawing(0, 0, 3), Drawing::Bottle);
    }
}
