//! The sample catalogue: common parts for well-known vehicles.
//!
//! If more entries are asked for than the tables have, the tables are used again with numbers. For example, the
//! eleventh brand is "Maruti Suzuki 2".

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

type Named = (&'static str, &'static str);

/// A brand: its vehicles, its name and code, and its models.
struct SampleBrand(Vehicle, Named, [Named; 3]);

/// What a brand builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vehicle {
    Car,
    TwoWheeler,
}

const BRANDS: [SampleBrand; 10] = [
    SampleBrand(
        Vehicle::Car,
        ("Maruti Suzuki", "MARUTI"),
        [("Swift", "SWIFT"), ("Baleno", "BALENO"), ("Brezza", "BREZZA")],
    ),
    SampleBrand(
        Vehicle::Car,
        ("Tata Motors", "TATA"),
        [("Nexon", "NEXON"), ("Punch", "PUNCH"), ("Harrier", "HARRIER")],
    ),
    SampleBrand(
        Vehicle::TwoWheeler,
        ("Royal Enfield", "ENFIELD"),
        [("Classic 350", "CL350"), ("Himalayan", "HIMALAYAN"), ("Meteor 350", "MT350")],
    ),
    SampleBrand(Vehicle::Car, ("Hyundai", "HYUNDAI"), [("Creta", "CRETA"), ("i20", "I20"), ("Venue", "VENUE")]),
    SampleBrand(
        Vehicle::TwoWheeler,
        ("Hero MotoCorp", "HERO"),
        [("Splendor Plus", "SPLENDOR"), ("Passion Pro", "PASSION"), ("Xpulse 200", "XPULSE")],
    ),
    SampleBrand(
        Vehicle::Car,
        ("Mahindra", "MAHINDRA"),
        [("Scorpio N", "SCORPION"), ("XUV700", "XUV700"), ("Thar", "THAR")],
    ),
    SampleBrand(
        Vehicle::TwoWheeler,
        ("Bajaj Auto", "BAJAJ"),
        [("Pulsar 150", "PULSAR"), ("Platina 110", "PLATINA"), ("Dominar 400", "DOMINAR")],
    ),
    SampleBrand(Vehicle::Car, ("Honda Cars", "HONDA"), [("City", "CITY"), ("Amaze", "AMAZE"), ("Elevate", "ELEVATE")]),
    SampleBrand(
        Vehicle::TwoWheeler,
        ("TVS Motor", "TVS"),
        [("Apache RTR 160", "APACHE"), ("Jupiter 125", "JUPITER"), ("Ntorq 125", "NTORQ")],
    ),
    SampleBrand(
        Vehicle::Car,
        ("Toyota", "TOYOTA"),
        [("Innova Crysta", "INNOVA"), ("Fortuner", "FORTUNER"), ("Glanza", "GLANZA")],
    ),
];

/// The name, the beginning of the part number, and the price in rupees of a part.
type Part = (&'static str, &'static str, i64);

/// The categories of cars. Those of two-wheelers are the same, but for [`CHAINS`] in place of the last one.
const CATEGORIES: [(Drawing, Named, [Part; 5]); 8] = [
    (
        Drawing::Brakes,
        ("Brakes", "BRK"),
        [
            ("Front brake pad set", "04465", 2_499),
            ("Rear brake shoe set", "04495", 1_649),
            ("Front brake disc", "43512", 3_299),
            ("Brake fluid DOT 4, 1 l", "DOT4", 549),
            ("Brake master cylinder", "47201", 4_150),
        ],
    ),
    (
        Drawing::Filter,
        ("Filters", "FLT"),
        [
            ("Oil filter", "15601", 349),
            ("Air filter", "17801", 599),
            ("Cabin filter, activated carbon", "87139", 749),
            ("Fuel filter", "23300", 899),
            ("Oil filter housing cap", "15650", 429),
        ],
    ),
    (
        Drawing::Suspension,
        ("Suspension", "SUS"),
        [
            ("Front shock absorber, left", "48510", 3_899),
            ("Front shock absorber, right", "48520", 3_899),
            ("Lower control arm", "48068", 2_950),
            ("Stabiliser link", "48820", 799),
            ("Strut mount", "48609", 1_199),
        ],
    ),
    (
        Drawing::SparkPlug,
        ("Engine", "ENG"),
        [
            ("Timing belt kit", "13568", 5_499),
            ("Water pump", "16100", 2_799),
            ("Engine mount", "12305", 1_899),
            ("Spark plug, iridium", "90919", 649),
            ("Cylinder head gasket", "11115", 1_449),
        ],
    ),
    (
        Drawing::Battery,
        ("Electrical", "ELE"),
        [
            ("Battery 12 V 45 Ah", "28800", 5_299),
            ("Alternator", "27060", 8_999),
            ("Starter motor", "28100", 7_499),
            ("Horn set", "86510", 899),
            ("Relay 12 V 40 A", "90987", 249),
        ],
    ),
    (
        Drawing::Clutch,
        ("Clutch", "CLU"),
        [
            ("Clutch kit", "31250", 6_799),
            ("Release bearing", "31230", 1_349),
            ("Clutch cable", "31340", 599),
            ("Flywheel", "13405", 7_950),
            ("Clutch master cylinder", "31420", 2_199),
        ],
    ),
    (
        Drawing::Lamp,
        ("Lighting", "LGT"),
        [
            ("Headlamp, left", "81150", 6_450),
            ("Headlamp, right", "81110", 6_450),
            ("Tail lamp, left", "81550", 3_150),
            ("Fog lamp", "81220", 1_799),
            ("H7 bulb, 55 W", "90981", 299),
        ],
    ),
    (
        Drawing::Radiator,
        ("Cooling", "COL"),
        [
            ("Radiator", "16400", 5_850),
            ("Radiator fan", "16711", 3_699),
            ("Thermostat", "90916", 1_049),
            ("Coolant, 5 l", "00272", 1_249),
            ("Expansion tank", "16470", 999),
        ],
    ),
];

/// A category of two-wheelers.
const CHAINS: (Drawing, Named, [Part; 5]) = (
    Drawing::Chain,
    ("Chain and sprockets", "CHN"),
    [
        ("Chain and sprocket kit", "40530", 2_850),
        ("Drive chain, 120 links", "40540", 1_299),
        ("Front sprocket, 15 teeth", "23801", 449),
        ("Rear sprocket, 43 teeth", "41201", 899),
        ("Chain lube spray, 500 ml", "CL500", 399),
    ],
);

/// Returns what the picture of a brand and of its models shows.
pub fn vehicle_drawing(brand: usize) -> Drawing {
    match vehicle(brand) {
        Vehicle::Car => Drawing::Car,
        Vehicle::TwoWheeler => Drawing::Motorcycle,
    }
}

/// Returns what the pictures of a category and of its products show.
pub fn part_drawing(brand: usize, category: usize) -> Drawing {
    category_of(brand, category).0
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

/// Returns the `n`-th product of the `category`-th category. `fits` is the name of the model for the description.
pub fn product(brand: usize, category: usize, n: usize, fits: &str, image: EntryImage) -> NewProduct {
    let (_, _, parts) = category_of(brand, category);
    let (name, number, rupees) = parts[n % parts.len()];
    let round = n / parts.len();
    let description = format!("{name} for the {fits}. Fits without changes; checked before it is sent.");
    // Parts of two-wheelers are smaller. Repeated parts cost a little more, so that sorting by price has an effect.
    let share = if vehicle(brand) == Vehicle::Car { 100 } else { 45 };
    let paise = rupees * share + i64::try_from(round % 1_000).unwrap_or(0) * 50;
    NewProduct {
        code: Code::parse_product(&part_number(brand, number, round)).expect("sample codes keep the rules"),
        name: Name::parse(&numbered(name, round, " ")).expect("sample names keep the rules"),
        description: Description::parse(&description).expect("sample descriptions keep the rules"),
        price: Money::from_minor(paise),
        stock: stock(category, n),
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
pub fn is_active(category: usize, n: usize) -> bool {
    category == 0 || (n + 3 * category) % 17 != 7
}

/// Returns the pieces in stock: most have many, some are low, and a few are out of stock, but none of the first parts.
fn stock(category: usize, n: usize) -> u32 {
    match (7 * n + 3 * category) % 23 {
        0 if n > 5 || category > 0 => 0,
        1 | 2 if n > 5 || category > 0 => 3,
        rest => u32::try_from(12 + rest * 4).unwrap_or(12),
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

fn category_of(brand: usize, n: usize) -> (Drawing, Named, [Part; 5]) {
    match (vehicle(brand), n % CATEGORIES.len()) {
        // A shop for two-wheelers shows its chains among the first.
        (Vehicle::TwoWheeler, 2) => CHAINS,
        (Vehicle::TwoWheeler, 7) => CATEGORIES[2],
        (_, n) => CATEGORIES[n],
    }
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
    use crate::values::url::ImageUrl;

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
            let product = |n| product(vehicle, 1, n, "Tata Nexon", image()).code.to_string();
            let products: HashSet<String> = (0..5_000).map(product).collect();
            assert_eq!((categories.len(), products.len()), (500, 5_000));
        }
        assert_eq!([brands.len(), models.len()], [500, 500]);
    }

    #[test]
    fn a_shop_has_offers_and_products_that_are_low_out_of_stock_or_hidden() {
        let now = Timestamp::from_millis(1_732_900_001_000);
        let all: Vec<(usize, usize)> = (0..4).flat_map(|category| (0..5).map(move |n| (category, n))).collect();
        let count = |is: fn(&(usize, usize)) -> bool| all.iter().filter(|at| is(at)).count();
        assert!(count(|(category, n)| stock(*category, *n) == 0) > 0);
        assert!(count(|(category, n)| stock(*category, *n) == 3) > 0);
        assert!(count(|(category, n)| !is_active(*category, *n)) > 0);
        assert!(all.iter().filter(|(category, n)| offer(*category, *n, now).is_some()).count() > 2);
        assert!((0..5).all(|n| stock(0, n) > 3 && is_active(0, n)), "carts are filled with these");
    }
}
