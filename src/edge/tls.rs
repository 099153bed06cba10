//! Whom an outgoing connection trusts: the system's roots and, where configured, one extra CA. A library of the edges, no edge itself.

use std::{path::Path, sync::Arc};

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Makes ring the process's one source of cryptography, for libraries that ask for no other. Called before the first connection;
/// again, it changes nothing.
pub fn choose_ring() {
    // An error says that it was chosen already.
    let _ = ring::default_provider().install_default();
}

/// Settings for a TLS client. `ca_file`: certificates in PEM that are trusted beside the system's.
///
/// # Errors
/// One sentence, when the CA file cannot be used.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // A root that rustls cannot use is of no harm: connections that need it fail with their own sentence.
        let _ = roots.add(certificate);
    }
    if let Some(path) = ca_file {
        let wrong = |error: &dyn std::fmt::Display| format!("the CA file {} cannot be used: {error}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
