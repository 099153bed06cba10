//! A small CA and a leaf for `127.0.0.1` and `localhost`. A self-signed certificate would not do: rustls refuses a CA certificate
//! as a server's own.

use std::{fs, path::Path, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// The files of a certificate authority and of one server.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// For `ca_file` of annexd.
    pub ca: PathBuf,
    pub leaf: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// Writes `ca.pem`, `leaf.pem` and `leaf.key` into a folder, which is made.
    pub fn make(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(DnType::CommonName, "annexd lab CA");
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate().unwrap();
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca, ca_key);

        let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        leaf.distinguished_name.push(DnType::CommonName, "annexd lab server");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf_key = KeyPair::generate().unwrap();
        let leaf_certificate = leaf.signed_by(&leaf_key, &issuer).unwrap();

        let made = Self { ca: folder.join("ca.pem"), leaf: folder.join("leaf.pem"), key: folder.join("leaf.key") };
        fs::write(&made.ca, ca_certificate.pem()).unwrap();
        fs::write(&made.leaf, leaf_certificate.pem()).unwrap();
        fs::write(&made.key, leaf_key.serialize_pem()).unwrap();
        made
    }

    /// For a server of the lab's own.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let chain = CertificateDer::pem_file_iter(&self.leaf).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(&self.key).unwrap();
        let builder =
            ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }

    /// For a client that trusts this CA and no other.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        client_config(&self.ca)
    }
}

/// For a client that trusts one CA file and nothing else.
pub fn client_config(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}
