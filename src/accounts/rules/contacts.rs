//! Which contact of an account may reset its password. A contact is *claimed* when somebody typed it. It is *proven*
//! when its owner has used a code or a link that was sent to it. The rule in one sentence: proof beats claim.

use crate::values::role::Role;

/// What the shop knows about a contact of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The account has no such contact.
    None,
    /// Somebody typed it. It may belong to anybody.
    Claimed,
    /// Its owner has shown that they receive messages at it.
    Proven,
}

/// The two contacts that an account can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// The phone number.
    Number,
    /// The e-mail address.
    Email,
}

/// What decides which contact may reset the password of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contacts {
    /// The phone number.
    pub number: Standing,
    /// The e-mail address. It counts as proven if the account has proven any address, even if it claims another one
    /// now.
    pub email: Standing,
    /// The role of the account.
    pub role: Role,
    /// Whether the address was proven by somebody who was not signed in. Then the password may belong to somebody else,
    /// and so may every contact that was proven with its help.
    pub contested: bool,
}

impl Contacts {
    /// Returns the standing of one contact.
    pub fn of(self, contact: Contact) -> Standing {
        match contact {
            Contact::Number => self.number,
            Contact::Email => self.email,
        }
    }

    /// Returns whether any contact is proven.
    pub fn any_proven(self) -> bool {
        [self.number, self.email].contains(&Standing::Proven)
    }

    /// Returns whether a code or link that is sent to `contact` may set a new password. A claimed contact may only do
    /// so while no contact of the account is proven, and never for staff or an admin.
    pub fn may_reset(self, contact: Contact) -> bool {
        match self.of(contact) {
            Standing::Proven => true,
            Standing::Claimed => !self.any_proven() && self.role == Role::Customer,
            Standing::None => false,
        }
    }

    /// Returns the contacts after a reset through `contact`. That one is proven then. The other one stays only if it
    /// was proven too and the account was not contested. Otherwise somebody else may have put it there, so it is
    /// removed.
    pub fn after_reset(self, contact: Contact) -> Self {
        let other = |standing| if standing == Standing::Proven && !self.contested { standing } else { Standing::None };
        let (number, email) = match contact {
            Contact::Number => (Standing::Proven, other(self.email)),
            Contact::Email => (other(self.number), Standing::Proven),
        };
        Self { number, email, contested: false, ..self }
    }

    /// Returns whether a link may prove the account's address for somebody who is not signed in.
    pub fn may_prove_unsigned(self) -> bool {
        !self.any_proven()
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact::*, Standing::*, *};

    const CUSTOMER: Role = Role::Customer;

    fn contacts_with(number: Standing, email: Standing, role: Role) -> Contacts {
        Contacts { number, email, role, contested: false }
    }

    /// For each standing of number and address: whether number and address may reset the account of a customer, and
    /// whether they may reset that of staff or an admin.
    const TABLE: [(Standing, Standing, [bool; 2], [bool; 2]); 9] = [
        (None, None, [false, false], [false, false]),
        (None, Claimed, [false, true], [false, false]),
        (None, Proven, [false, true], [false, true]),
        (Claimed, None, [true, false], [false, false]),
        (Claimed, Claimed, [true, true], [false, false]),
        (Claimed, Proven, [false, true], [false, true]),
        (Proven, None, [true, false], [true, false]),
        (Proven, Claimed, [true, false], [true, false]),
        (Proven, Proven, [true, true], [true, true]),
    ];

    #[test]
    fn the_table_says_who_may_reset() {
        for (number, email, customer, runs_the_shop) in TABLE {
            for (role, expected) in [(CUSTOMER, customer), (Role::Staff, runs_the_shop), (Role::Admin, runs_the_shop)] {
                let contacts = contacts_with(number, email, role);
                let may = [Number, Email].map(|contact| contacts.may_reset(contact));
                assert_eq!(may, expected, "{contacts:?}");
            }
        }
    }

    /// Two people each own one contact of the account. After one of them has reset the password, the other one can't
    /// get in by a contact that was only claimed.
    #[test]
    fn whoever_resets_first_shares_the_account_with_nobody_who_only_claimed() {
        for (number, email, ..) in TABLE {
            for first in [Number, Email] {
                let before = contacts_with(number, email, CUSTOMER);
                if !before.may_reset(first) {
                    continue;
                }
                let after = before.after_reset(first);
                let second = if first == Number { Email } else { Number };
                assert_eq!(after.of(first), Proven);
                assert_eq!(after.may_reset(second), before.of(second) == Proven, "{before:?} by {first:?}");
                assert_ne!(after.of(second), Claimed, "{before:?} by {first:?}");
            }
        }
    }

    /// Somebody has claimed a contact that belongs to another person. That person can reset the account, or can make an
    /// account of their own: a contact that is only claimed goes to the account that proves it (see
    /// `Users::take_number_in` and `Users::take_email_in`).
    #[test]
    fn an_owner_is_never_locked_out_by_a_claim() {
        for (number, email, ..) in TABLE {
            let contacts = contacts_with(number, email, CUSTOMER);
            for contact in [Number, Email] {
                let can_be_taken = contacts.of(contact) != Proven;
                assert!(can_be_taken || contacts.may_reset(contact), "{contacts:?} {contact:?}");
            }
        }
    }

    #[test]
    fn after_a_proof_without_a_sign_in_the_first_reset_keeps_one_contact() {
        let contested = Contacts { contested: true, ..contacts_with(Proven, Proven, CUSTOMER) };
        let by_email = contested.after_reset(Email);
        assert_eq!((by_email.number, by_email.email, by_email.contested), (None, Proven, false));
        assert!(!by_email.may_reset(Number));
    }

    #[test]
    fn a_link_needs_a_sign_in_as_soon_as_anything_is_proven() {
        for (number, email, ..) in TABLE {
            let contacts = contacts_with(number, email, CUSTOMER);
            assert_eq!(contacts.may_prove_unsigned(), number != Proven && email != Proven);
        }
    }
}
