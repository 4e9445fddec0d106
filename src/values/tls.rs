//! The cryptography library for TLS connections to outside services.

/// Installs ring as the cryptography library of TLS for the whole process. Call it before making a TLS client. Only the
/// first call has an effect; since every caller installs ring, the order doesn't matter.
pub fn install_tls() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
