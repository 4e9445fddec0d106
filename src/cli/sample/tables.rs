//! The brands, categories and parts of the sample catalogue.

use super::PARTS;
use crate::cli::drawings::Drawing;

pub(super) type Named = (&'static str, &'static str);

/// A brand: its vehicles, its name and code, and its models.
pub(super) struct SampleBrand(pub(super) Vehicle, pub(super) Named, pub(super) [Named; 3]);

/// What a brand builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vehicle {
    Car,
    TwoWheeler,
}

pub(super) const BRANDS: [SampleBrand; 10] = [
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

/// The name, the beginning of the part number, the price in rupees and the picture of a part.
pub(super) type Part = (&'static str, &'static str, i64, Drawing);

/// The categories of cars. Those of two-wheelers are the same, but for [`CHAINS`], [`FORKS`] and the parts of
/// [`of_two_wheeler`].
pub(super) const CATEGORIES: [(Drawing, Named, [Part; PARTS]); 8] = [
    (
        Drawing::Brakes,
        ("Brakes", "BRK"),
        [
            ("Front brake pad set", "04465", 2_499, Drawing::Pads),
            ("Rear brake shoe set", "04495", 1_649, Drawing::Pads),
            ("Front brake disc", "43512", 3_299, Drawing::Brakes),
            ("Brake fluid DOT 4, 1 l", "DOT4", 549, Drawing::Bottle),
            ("Brake master cylinder", "47201", 4_150, Drawing::Cylinder),
        ],
    ),
    (
        Drawing::Filter,
        ("Filters", "FLT"),
        [
            ("Oil filter", "15601", 349, Drawing::Filter),
            ("Air filter", "17801", 599, Drawing::Filter),
            ("Cabin filter, activated carbon", "87139", 749, Drawing::Filter),
            ("Fuel filter", "23300", 899, Drawing::Filter),
            ("Oil filter housing cap", "15650", 429, Drawing::Filter),
        ],
    ),
    (
        Drawing::Suspension,
        ("Suspension", "SUS"),
        [
            ("Front shock absorber, left", "48510", 3_899, Drawing::Suspension),
            ("Front shock absorber, right", "48520", 3_899, Drawing::Suspension),
            ("Lower control arm", "48068", 2_950, Drawing::Link),
            ("Stabiliser link", "48820", 799, Drawing::Link),
            ("Strut mount", "48609", 1_199, Drawing::Mount),
        ],
    ),
    (
        Drawing::SparkPlug,
        ("Engine", "ENG"),
        [
            ("Timing belt kit", "13568", 5_499, Drawing::Belt),
            ("Water pump", "16100", 2_799, Drawing::Pump),
            ("Engine mount", "12305", 1_899, Drawing::Mount),
            ("Spark plug, iridium", "90919", 649, Drawing::SparkPlug),
            ("Cylinder head gasket", "11115", 1_449, Drawing::Gasket),
        ],
    ),
    (
        Drawing::Battery,
        ("Electrical", "ELE"),
        [
            ("Battery 12 V 45 Ah", "28800", 5_299, Drawing::Battery),
            ("Alternator", "27060", 8_999, Drawing::Motor),
            ("Starter motor", "28100", 7_499, Drawing::Motor),
            ("Horn set", "86510", 899, Drawing::Horn),
            ("Relay 12 V 40 A", "90987", 249, Drawing::Relay),
        ],
    ),
    (
        Drawing::Clutch,
        ("Clutch", "CLU"),
        [
            ("Clutch kit", "31250", 6_799, Drawing::Clutch),
            ("Release bearing", "31230", 1_349, Drawing::Clutch),
            ("Clutch cable", "31340", 599, Drawing::Cable),
            ("Flywheel", "13405", 7_950, Drawing::Clutch),
            ("Clutch master cylinder", "31420", 2_199, Drawing::Cylinder),
        ],
    ),
    (
        Drawing::Lamp,
        ("Lighting", "LGT"),
        [
            ("Headlamp, left", "81150", 6_450, Drawing::Lamp),
            ("Headlamp, right", "81110", 6_450, Drawing::Lamp),
            ("Tail lamp, left", "81550", 3_150, Drawing::Lamp),
            ("Fog lamp", "81220", 1_799, Drawing::Lamp),
            ("H7 bulb, 55 W", "90981", 299, Drawing::Lamp),
        ],
    ),
    (
        Drawing::Radiator,
        ("Cooling", "COL"),
        [
            ("Radiator", "16400", 5_850, Drawing::Radiator),
            ("Radiator fan", "16711", 3_699, Drawing::Fan),
            ("Thermostat", "90916", 1_049, Drawing::Gasket),
            ("Coolant, 5 l", "00272", 1_249, Drawing::Bottle),
            ("Expansion tank", "16470", 999, Drawing::Bottle),
        ],
    ),
];

/// A category of two-wheelers.
pub(super) const CHAINS: (Drawing, Named, [Part; PARTS]) = (
    Drawing::Chain,
    ("Chain and sprockets", "CHN"),
    [
        ("Chain and sprocket kit", "40530", 2_850, Drawing::Chain),
        ("Drive chain, 120 links", "40540", 1_299, Drawing::Chain),
        ("Front sprocket, 15 teeth", "23801", 449, Drawing::Chain),
        ("Rear sprocket, 43 teeth", "41201", 899, Drawing::Chain),
        ("Chain lube spray, 500 ml", "CL500", 399, Drawing::Bottle),
    ],
);

/// The suspension of two-wheelers.
pub(super) const FORKS: (Drawing, Named, [Part; PARTS]) = (
    Drawing::Suspension,
    ("Suspension", "SUS"),
    [
        ("Rear shock absorber, pair", "48530", 3_899, Drawing::Suspension),
        ("Front fork tube", "51410", 4_299, Drawing::Link),
        ("Fork oil, 1 l", "FORK-10W", 649, Drawing::Bottle),
        ("Fork seal kit", "51490", 799, Drawing::Gasket),
        ("Steering bearing set", "53220", 1_199, Drawing::Clutch),
    ],
);

/// Returns the part that two-wheelers have in place of one that only cars have.
pub(super) fn of_two_wheeler(part: Part) -> Part {
    match part.0 {
        "Cabin filter, activated carbon" => ("Foam air filter, washable", "17213", 449, Drawing::Filter),
        "Timing belt kit" => ("Piston and ring set", "13101", 3_499, Drawing::Cylinder),
        "Flywheel" => ("Clutch plate set", "22201", 1_950, Drawing::Clutch),
        "Release bearing" => ("Clutch spring set", "22401", 349, Drawing::Suspension),
        _ => part,
    }
}
