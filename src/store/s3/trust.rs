//! Whose certificates are trusted beside those of the system: `AWS_CA_BUNDLE`.

use std::env;
use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::store::{ErrorKind, StoreError};

const VARIABLE: &str = "AWS_CA_BUNDLE";

/// The bundle, if there is one.
pub(super) fn bundle() -> Option<PathBuf> {
    let path = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// Who is trusted. The certificates are looked at here: the HTTP client would panic over a broken
/// one.
pub(super) fn context() -> Result<TlsContext, StoreError> {
    let Some(path) = bundle() else {
        return Ok(TlsContext::default());
    };
    let pem = read(&path).map_err(|what| {
        let message = format!("{VARIABLE}: {what}");
        StoreError::new("connect", "", ErrorKind::Fatal, message)
    })?;
    let store = TrustStore::default().with_pem_certificate(pem);
    let built = TlsContext::builder().with_trust_store(store).build();
    built.map_err(|error| {
        let message = format!("{VARIABLE}: {error}");
        StoreError::new("connect", "", ErrorKind::Fatal, message)
    })
}

/// The bytes of a bundle that has certificates and nothing broken.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let pem = std::fs::read(path)
        .map_err(|error| StoreError::io("read", shown.to_string(), &error))
        .map_err(|error| format!("cannot read `{shown}`: {}", error.message))?;
    let mut roots = RootCertStore::empty();
    for (at, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        let number = at + 1;
        let broken = |why: String| format!("certificate {number} in `{shown}` is broken: {why}");
        let certificate = certificate.map_err(|error| broken(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| broken(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(format!("`{shown}` has no certificate in it (PEM)"));
    }
    Ok(pem)
}

/// What to do about a certificate that is not trusted.
pub(super) fn remedy() -> String {
    match bundle() {
        None => format!(
            "where an authority of your own has signed it, name its certificates: {VARIABLE}=FILE"
        ),
        Some(path) => format!("{VARIABLE} (`{}`) does not vouch for it", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_bundle_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("bundle.pem");
        assert!(read(&path).is_err_and(|what| what.contains("cannot read")));
        for (content, told) in [
            ("", "has no certificate in it"),
            ("no PEM at all", "has no certificate in it"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificate 1 in",
            ),
            ("-----BEGIN CERTIFICATE-----\nAAAA", "certificate 1 in"),
        ] {
            std::fs::write(&path, content).expect("a file");
            let what = read(&path).expect_err(content);
            assert!(what.contains(told), "{content:?}: {what}");
        }
    }
}
