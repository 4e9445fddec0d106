//! The postal address of an account, as requests and answers contain it.

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use super::fields::{Digits, Line};
use crate::{
    accounts::{
        Account, address,
        rules::profile::{AddressChange, AddressLine},
    },
    api::examples,
    values::{
        ids::{AddressId, UserId},
        invalid::InvalidField,
        phone::Region,
        time::Timestamp,
    },
};

/// A change of the postal address. A line has at most 200 characters. A line that is left out stays as it is, and an
/// empty line clears the stored value.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "AddressUpdate", example)]
pub struct AddressIn {
    name: Option<Line>,
    /// Phone number in any common notation, such as `98765 43210` or `+91-98765-43210`.
    phone_number: Option<Digits>,
    address_line1: Option<Line>,
    address_line2: Option<Line>,
    city: Option<Line>,
    state: Option<Line>,
    country: Option<Line>,
    pincode: Option<Digits>,
    /// The same as `pincode`. If both are given and differ, `pincode` is stored. If `pincode` equals the stored value,
    /// `postal_code` is stored instead.
    postal_code: Option<Digits>,
}

impl AddressIn {
    /// Checks the lines. Errors name the field at fault; `at` is put before its name: `address.`, `profile.address.` or
    /// nothing.
    pub fn check(self, at: &str, region: Region) -> Result<AddressChange, InvalidField> {
        let line = |name: &'static str, text: Option<Line>| {
            let check = |text: Line| {
                let fault = || InvalidField::because(format!("{at}{name}"), name, "too long");
                AddressLine::parse(&text.0).ok_or_else(fault)
            };
            text.map(check).transpose()
        };
        let phone = |number: Digits| {
            let fault = |why| InvalidField::because(format!("{at}phone_number"), "phone number", why);
            AddressLine::phone(&number.0, region).map_err(fault)
        };
        let code = |name: &'static str, code: Option<Digits>| line(name, code.map(|code| Line(code.0)));
        Ok(AddressChange {
            name: line("name", self.name)?,
            phone_number: self.phone_number.map(phone).transpose()?,
            address_line1: line("address_line1", self.address_line1)?,
            address_line2: line("address_line2", self.address_line2)?,
            city: line("city", self.city)?,
            state: line("state", self.state)?,
            country: line("country", self.country)?,
            pincode: code("pincode", self.pincode)?,
            postal_code: code("postal_code", self.postal_code)?,
        })
    }
}

impl Example for AddressIn {
    fn example() -> Self {
        let line = |text: &str| Some(Line(text.to_owned()));
        Self {
            name: line(examples::USERNAME),
            phone_number: Some(Digits("9876543210".to_owned())),
            address_line1: line("14 MG Road"),
            address_line2: None,
            city: line("Pune"),
            state: line("Maharashtra"),
            country: line("India"),
            pincode: Some(Digits("411001".to_owned())),
            postal_code: None,
        }
    }
}

/// The postal address to which parts are sent.
#[derive(Debug, Object)]
#[oai(rename = "Address")]
pub struct AddressOut {
    #[oai(rename = "_id")]
    id: AddressId,
    user_id: UserId,
    /// Name of the recipient; the username until a name is given.
    name: String,
    /// Number that the courier calls. Until one is given it is the account's phone number, or empty if it has none.
    phone_number: String,
    /// Empty until it is set. The same holds for the lines below.
    address_line1: String,
    address_line2: String,
    city: String,
    state: String,
    country: String,
    pincode: String,
    /// The same as `pincode`.
    postal_code: String,
    updated_at: Timestamp,
}

impl AddressOut {
    /// Returns the address of an account. Every account has one, also before a line was set.
    pub fn of(account: &Account) -> Self {
        let address = address::of(account);
        let pincode = address.pincode.unwrap_or_default();
        Self {
            id: address.id,
            user_id: account.id,
            name: address.name.unwrap_or_default(),
            phone_number: address.phone_number.unwrap_or_default(),
            address_line1: address.address_line1.unwrap_or_default(),
            address_line2: address.address_line2.unwrap_or_default(),
            city: address.city.unwrap_or_default(),
            state: address.state.unwrap_or_default(),
            country: address.country.unwrap_or_default(),
            postal_code: pincode.clone(),
            pincode,
            updated_at: address.updated_at,
        }
    }

    /// Returns the address with all lines empty, for readers who may not know where the owner lives. The ids and
    /// `updated_at` stay.
    pub fn emptied(self) -> Self {
        Self {
            name: String::new(),
            phone_number: String::new(),
            address_line1: String::new(),
            address_line2: String::new(),
            city: String::new(),
            state: String::new(),
            country: String::new(),
            pincode: String::new(),
            postal_code: String::new(),
            ..self
        }
    }
}

impl Example for AddressOut {
    fn example() -> Self {
        let line = |text: &str| text.to_owned();
        Self {
            id: AddressId::from(EXAMPLE_ID),
            user_id: UserId::from(EXAMPLE_ID),
            name: line(examples::USERNAME),
            phone_number: line(examples::NUMBER),
            address_line1: line("14 MG Road"),
            address_line2: String::new(),
            city: line("Pune"),
            state: line("Maharashtra"),
            country: line("India"),
            pincode: line("411001"),
            postal_code: line("411001"),
            updated_at: examples::NOW,
        }
    }
}

const EXAMPLE_ID: [u8; 12] = *b"\x67\x41\xf0\xa2\xc3\xb4\xd5\xe6\xf7\xa8\xb9\xc0";
