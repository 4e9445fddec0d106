//! The words of the mails. Nothing in them was chosen by a user: whoever asks for a mail to somebody else's address
//! has no say in what it says.

use crate::{
    domain::{email::Email, ids::MailId, mail_kind::MailKind},
    integrations::mail::Letter,
};

const LAYOUT: &str = include_str!("letter.html");

/// The fixed words of one kind of mail. A paragraph that is `LINK` stands for the link.
struct Words {
    subject: &'static str,
    paragraphs: &'static [&'static str],
}

const LINK: &str = "{link}";

const fn words(kind: MailKind) -> Words {
    match kind {
        MailKind::PasswordChanged => Words {
            subject: "Your password was changed",
            paragraphs: &[
                "The password of your account at myspares was just changed, and other devices were signed out.",
                "If it was not you, set a new password right away with \"forgot password\" on the sign-in page.",
            ],
        },
        MailKind::EmailChanged => Words {
            subject: "Your e-mail address was changed",
            paragraphs: &[
                "Your account at myspares has another e-mail address now; mails no longer come to this one.",
                "If it was not you, sign in, change your password and set your address again.",
            ],
        },
        MailKind::EmailSet => Words {
            subject: "This address was set for an account",
            paragraphs: &[
                "An account at myspares has this e-mail address now. It counts once it is confirmed by a link.",
                "If it was not you, do nothing: without the link the address stays unconfirmed.",
            ],
        },
        MailKind::NumberChanged => Words {
            subject: "Your phone number was changed",
            paragraphs: &[
                "Your account at myspares has another phone number now, which was confirmed by a code.",
                "If it was not you, set a new password right away with \"forgot password\" on the sign-in page.",
            ],
        },
        MailKind::SessionStolen => Words {
            subject: "You were signed out for your safety",
            paragraphs: &[
                "Somebody used an old copy of one of your sign-ins at myspares, so we ended it.",
                "Sign in again. If you don't know what happened, change your password as well.",
            ],
        },
        MailKind::VerifyEmail => Words {
            subject: "Confirm your e-mail address",
            paragraphs: &[
                "Somebody asked myspares to send a link to this address, to confirm that it belongs to an account.",
                "If it was you, open this link soon, while you are signed in:",
                LINK,
                "If it was not you, do nothing: without the link nothing happens.",
            ],
        },
        MailKind::ResetPassword => Words {
            subject: "Set a new password",
            paragraphs: &[
                "Somebody asked for a new password for your account at myspares.",
                "If it was you, set it by this link soon; it is good for a short time only:",
                LINK,
                "If it was not you, do nothing: your password stays as it is.",
            ],
        },
        MailKind::StaffInvitation => Words {
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

/// The mail of a kind, with `link` where its words have one.
pub fn letter(id: MailId, kind: MailKind, to: Email, link: &str) -> Letter {
    let Words { subject, paragraphs } = words(kind);
    let plain: Vec<&str> = paragraphs.iter().map(|part| if *part == LINK { link } else { part }).collect();
    let html: Vec<String> = paragraphs
        .iter()
        .map(|part| match *part {
            LINK => format!("<p><a href=\"{link}\">{link}</a></p>"),
            part => format!("<p>{part}</p>"),
        })
        .collect();
    let html = LAYOUT.replace("{subject}", subject).replace("{body}", &html.join("\n"));
    Letter { id, to, subject, text: plain.join("\n\n") + "\n", html }
}
