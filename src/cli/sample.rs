//! The sample catalogue: common parts for well-known vehicles.
//!
//! If more entries are asked for than the tables have, the tables are used again with numbers. For example, the ninth
//! brand is "Maruti Suzuki 2".

use crate::{
    catalogue::{
        EntryImage, NewBranch, NewProduct,
        rules::names::{Description, Name},
    },
    values::{codes::Code, money::Money, url::ImageUrl},
};

type Named = (&'static str, &'static str);

const BRANDS: [(Named, [Named; 3]); 8] = [
    (("Maruti Suzuki", "MARUTI"), [("Swift", "SWIFT"), ("Baleno", "BALENO"), ("Brezza", "BREZZA")]),
    (("Tata Motors", "TATA"), [("Nexon", "NEXON"), ("Punch", "PUNCH"), ("Harrier", "HARRIER")]),
    (("Hyundai", "HYUNDAI"), [("Creta", "CRETA"), ("i20", "I20"), ("Venue", "VENUE")]),
    (("Mahindra", "MAHINDRA"), [("Scorpio N", "SCORPION"), ("XUV700", "XUV700"), ("Thar", "THAR")]),
    (("Honda", "HONDA"), [("City", "CITY"), ("Amaze", "AMAZE"), ("Elevate", "ELEVATE")]),
    (("Toyota", "TOYOTA"), [("Innova Crysta", "INNOVA"), ("Fortuner", "FORTUNER"), ("Glanza", "GLANZA")]),
    (("Kia", "KIA"), [("Seltos", "SELTOS"), ("Sonet", "SONET"), ("Carens", "CARENS")]),
    (("Royal Enfield", "ENFIELD"), [("Classic 350", "CL350"), ("Himalayan", "HIMALAYAN"), ("Meteor 350", "MT350")]),
];

/// The name, code and price in rupees of a part.
type Part = (&'static str, &'static str, i64);

const CATEGORIES: [(Named, [Part; 5]); 8] = [
    (
        ("Brakes", "BRK"),
        [
            ("Front brake pad set", "PADF", 2_499),
            ("Rear brake shoe set", "SHOER", 1_649),
            ("Front brake disc", "DISCF", 3_299),
            ("Brake fluid DOT 4, 1 l", "DOT4", 549),
            ("Brake master cylinder", "MCYL", 4_150),
        ],
    ),
    (
        ("Filters", "FLT"),
        [
            ("Oil filter", "OIL", 349),
            ("Air filter", "AIR", 599),
            ("Cabin filter, activated carbon", "CABIN", 749),
            ("Fuel filter", "FUEL", 899),
            ("Oil filter housing cap", "OILCAP", 429),
        ],
    ),
    (
        ("Suspension", "SUS"),
        [
            ("Front shock absorber, left", "SHKFL", 3_899),
            ("Front shock absorber, right", "SHKFR", 3_899),
            ("Lower control arm", "LCARM", 2_950),
            ("Stabiliser link", "STLINK", 799),
            ("Strut mount", "STMNT", 1_199),
        ],
    ),
    (
        ("Engine", "ENG"),
        [
            ("Timing belt kit", "TBELT", 5_499),
            ("Water pump", "WPUMP", 2_799),
            ("Engine mount", "MOUNT", 1_899),
            ("Spark plug, iridium", "SPARK", 649),
            ("Cylinder head gasket", "HGASK", 1_449),
        ],
    ),
    (
        ("Electrical", "ELE"),
        [
            ("Battery 12 V 45 Ah", "BAT45", 5_299),
            ("Alternator", "ALTN", 8_999),
            ("Starter motor", "START", 7_499),
            ("Horn set", "HORN", 899),
            ("Relay 12 V 40 A", "REL40", 249),
        ],
    ),
    (
        ("Clutch", "CLU"),
        [
            ("Clutch kit", "KIT", 6_799),
            ("Release bearing", "RBEAR", 1_349),
            ("Clutch cable", "CABLE", 599),
            ("Flywheel", "FLYW", 7_950),
            ("Clutch master cylinder", "MCYL", 2_199),
        ],
    ),
    (
        ("Lighting", "LGT"),
        [
            ("Headlamp, left", "HEADL", 6_450),
            ("Headlamp, right", "HEADR", 6_450),
            ("Tail lamp, left", "TAILL", 3_150),
            ("Fog lamp", "FOG", 1_799),
            ("H7 bulb, 55 W", "H7", 299),
        ],
    ),
    (
        ("Cooling", "COL"),
        [
            ("Radiator", "RAD", 5_850),
            ("Radiator fan", "FAN", 3_699),
            ("Thermostat", "THERM", 1_049),
            ("Coolant, 5 l", "COOL5", 1_249),
            ("Expansion tank", "TANK", 999),
        ],
    ),
];

/// Returns the `n`-th brand, counted from 0.
pub fn brand(n: usize) -> NewBranch {
    branch(BRANDS[n % BRANDS.len()].0, n / BRANDS.len(), "brands")
}

/// Returns the `n`-th model of the `brand`-th brand.
pub fn model(brand: usize, n: usize) -> NewBranch {
    let models = BRANDS[brand % BRANDS.len()].1;
    branch(models[n % models.len()], n / models.len(), "models")
}

/// Returns the `n`-th category. It is the same for every model.
pub fn category(n: usize) -> NewBranch {
    branch(CATEGORIES[n % CATEGORIES.len()].0, n / CATEGORIES.len(), "categories")
}

/// Returns the `n`-th product of the `category`-th category. `fits` is the name of the model for the description.
pub fn product(category: usize, n: usize, fits: &str) -> NewProduct {
    let parts = CATEGORIES[category % CATEGORIES.len()].1;
    let (name, code, rupees) = parts[n % parts.len()];
    let round = n / parts.len();
    let description = format!("{name} for the {fits}. Fits without changes; checked before it is sent.");
    NewProduct {
        code: Code::parse_product(&numbered(code, round, "")).expect("sample codes keep the rules"),
        name: Name::parse(&numbered(name, round, " ")).expect("sample names keep the rules"),
        description: Description::parse(&description).expect("sample descriptions keep the rules"),
        // Repeated parts cost a little more, so that sorting by price has an effect.
        price: Money::from_minor(rupees * 100 + i64::try_from(round % 1_000).unwrap_or(0) * 50),
        stock: u32::try_from(20 + (n * 7 + category * 3) % 80).unwrap_or(20),
        image: image("products", code),
    }
}

fn branch((name, code): Named, round: usize, folder: &str) -> NewBranch {
    NewBranch {
        code: Code::parse(&numbered(shortened(code, round), round, "")).expect("sample codes keep the rules"),
        name: Name::parse(&numbered(name, round, " ")).expect("sample names keep the rules"),
        image: image(folder, code),
    }
}

/// Shortens a code that gets a number, because a code has ten characters at most.
fn shortened(code: &str, round: usize) -> &str {
    if round == 0 { code } else { &code[..code.len().min(5)] }
}

fn numbered(text: &str, round: usize, gap: &str) -> String {
    if round == 0 { text.to_owned() } else { format!("{text}{gap}{}", round + 1) }
}

fn image(folder: &str, code: &str) -> EntryImage {
    let url = format!("https://images.example.com/{folder}/{}.webp", code.to_lowercase());
    EntryImage { url: ImageUrl::parse(&url).expect("sample images have plain URLs"), key: None }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn thousands_of_entries_keep_the_rules_and_their_codes_differ() {
        let brands: HashSet<String> = (0..500).map(|n| brand(n).code.to_string()).collect();
        let models: HashSet<String> = (0..500).map(|n| model(3, n).code.to_string()).collect();
        let categories: HashSet<String> = (0..500).map(|n| category(n).code.to_string()).collect();
        let products: HashSet<String> = (0..5_000).map(|n| product(1, n, "Tata Nexon").code.to_string()).collect();
        assert_eq!([brands.len(), models.len(), categories.len(), products.len()], [500, 500, 500, 5_000]);
    }
}
