//! The world outside the process.

pub mod clock;
pub mod images;
pub mod mail;
pub(crate) mod sms;
pub(crate) mod traces;

/// Chooses the cryptography of TLS for the whole process. Whoever is first decides, and everybody here decides for ring.
fn install_tls() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
