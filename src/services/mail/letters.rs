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
