//! The cryptography of TLS connections to outside services.

/// Chooses the cryptography of TLS for the whole process. Whoever is first decides, and everybody here decides for ring.
pub fn install_tls() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
