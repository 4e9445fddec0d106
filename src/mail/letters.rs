//! The texts of the mails. The only part of a text that a user has chosen is the name of the account that a link is
//! for, which shows the recipient whose account it is. Names are short and contain only letters with their marks,
//! digits, spaces and `._-`, so nobody can send a message of their own in a mail of the shop.

use super::{kind::MailKind, sender::Letter};
use crate::values::{email::Email, ids::MailId};

const LAYOUT: &str = include_str!("letter.html");

/// The values that a text has placeholders for. A value is empty if the mail has no such placeholder.
#[derive(Default)]
pub struct Blanks {
    /// Address of the link.
    pub link: String,
    /// Name of the account that the link is for.
    pub username: String,
}

/// The fixed text of one kind of mail. A paragraph equal to `LINK` is replaced by the link. `NAME` inside a paragraph
/// is replaced by the name of the account.
struct LetterText {
    subject: &'static str,
    paragraphs: &'static [&'static str],
}

const LINK: &str = "{link}";
const NAME: &str = "{username}";

const fn text_of(kind: MailKind) -> LetterText {
    match kind {
        MailKind::PasswordChanged => LetterText {
            subject: "Your password was changed",
            paragraphs: &[
                "The password of your account at myspares was just changed, and other devices were signed out.",
                "If it was not you, set a new password right away with \"forgot password\" on the sign-in page.",
            ],
        },
        MailKind::EmailChanged => LetterText {
            subject: "Your e-mail address was changed",
            paragraphs: &[
                "Your account at myspares has another e-mail address now; mails no longer come to this one.",
                "If it was not you, sign in, change your password and set your address again.",
            ],
        },
        MailKind::EmailRemoved => LetterText {
            subject: "Your e-mail address was removed",
            paragraphs: &[
                "Your account at myspares has no e-mail address any more.",
                "This address can still set a new password for 7 days. If it was not you, do so right away with \
                 \"forgot password\" on the sign-in page.",
            ],
        },
        MailKind::EmailLost => LetterText {
            subject: "An e-mail address of your account was confirmed by somebody else",
            paragraphs: &[
                "Another account at myspares has shown that it receives the mails of an address that yours had too.",
                "The address belongs to that account now; yours keeps everything else.",
                "If it was your address, sign in and ask for a link to confirm it again.",
            ],
        },
        MailKind::NumberLost => LetterText {
            subject: "Your phone number was confirmed by another account",
            paragraphs: &[
                "Another account at myspares has shown by a code that it has the phone number that yours had too.",
                "The number belongs to that account now; yours keeps everything else.",
                "If it is your number, sign in and confirm it by a code.",
            ],
        },
        MailKind::EmailSet => LetterText {
            subject: "This address was set for an account",
            paragraphs: &[
                "An account at myspares has this e-mail address now. It counts once it is confirmed by a link.",
                "If it was not you, do nothing: without the link the address stays unconfirmed.",
            ],
        },
        MailKind::NumberChanged => LetterText {
            subject: "Your phone number was changed",
            paragraphs: &[
                "Your account at myspares has another phone number now, which was confirmed by a code.",
                "If it was not you, set a new password right away with \"forgot password\" on the sign-in page.",
            ],
        },
        MailKind::SessionStolen => LetterText {
            subject: "You were signed out for your safety",
            paragraphs: &[
                "Somebody used an old copy of one of your sign-ins at myspares, so we ended it.",
                "Sign in again. If you don't know what happened, change your password as well.",
            ],
        },
        MailKind::VerifyEmail => LetterText {
            subject: "Confirm your e-mail address",
            paragraphs: &[
                "The account \"{username}\" at myspares asked for this link, to confirm that this address is its own.",
                "If that is your account, open the link soon, while you are signed in to it:",
                LINK,
                "If it is not, do nothing: confirming would give somebody else's account your address.",
            ],
        },
        MailKind::ResetPassword => LetterText {
            subject: "Set a new password",
            paragraphs: &[
                "Somebody asked for a new password for your account \"{username}\" at myspares.",
                "If it was you, set it by this link soon; it is good for a short time only:",
                LINK,
                "If it was not you, do nothing: your password stays as it is.",
            ],
        },
        MailKind::StaffInvitation => LetterText {
            subject: "You are invited to the staff of myspares",
            paragraphs: &[
                "An administrator of myspares invites you to its staff. The invitation is open for 7 days.",
                "Sign in to your account, or make one, and ask there for staff access with this e-mail address:",
                LINK,
                "If you don't know what this is about, do nothing.",
            ],
        },
    }
}

/// Composes the mail of a kind, with its placeholders filled in.
pub fn compose(id: MailId, kind: MailKind, to: Email, blanks: &Blanks) -> Letter {
    let LetterText { subject, paragraphs } = text_of(kind);
    let with_name = |part: &str| part.replace(NAME, &blanks.username);
    let texts: Vec<String> =
        paragraphs.iter().map(|part| if *part == LINK { blanks.link.clone() } else { with_name(part) }).collect();
    let html_paragraphs: Vec<String> = texts
        .iter()
        .zip(paragraphs)
        .map(|(text, part)| match *part {
            LINK => format!("<p><a href=\"{text}\">{text}</a></p>"),
            _ => format!("<p>{}</p>", escape_html(text)),
        })
        .collect();
    let html = LAYOUT.replace("{subject}", subject).replace("{body}", &html_paragraphs.join("\n"));
    Letter { id, to, subject, text: texts.join("\n\n") + "\n", html }
}

/// Escapes text for HTML.
fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
