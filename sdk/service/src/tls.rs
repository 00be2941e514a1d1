//! The process's TLS provider.

/// Makes `ring` the provider of TLS for every client of this process; a second call changes nothing.
pub fn use_ring() {
    // An error says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
