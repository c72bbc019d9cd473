//! Signatures for `s3express`, the service name under which clients sign for directory buckets.
//!
//! s3s knows the services `s3` and `sts` only. A request for `s3express` is therefore checked
//! here and signed anew for `s3`; the service is in the signature's scope and key, not in the
//! canonical request, so nothing else of it changes. s3s then checks it like any other.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::request::Parts;
use http::{HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// What SigV4 leaves as it is, besides letters and digits.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Signs a request for `s3` that is signed for `s3express`. A wrong signature stays wrong.
pub(super) fn translate(parts: &mut Parts, secret_key: &str) {
    let Some(translated) = translated(parts, secret_key) else {
        return;
    };
    if let Ok(value) = HeaderValue::try_from(translated) {
        parts.headers.insert(header::AUTHORIZATION, value);
    }
}

fn translated(parts: &Parts, secret_key: &str) -> Option<String> {
    let authorization = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (credential, signed, signature) = (
        field("Credential")?,
        field("SignedHeaders")?,
        field("Signature")?,
    );
    let mut scope = credential.splitn(4, '/');
    let (access_key, date, region) = (scope.next()?, scope.next()?, scope.next()?);
    if scope.next()? != "s3express/aws4_request" {
        return None;
    }
    let request = hex::encode(Sha256::digest(canonical_request(parts, signed)?));
    let time = parts.headers.get("x-amz-date")?.to_str().ok()?;
    let sign = |service: &str| {
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request}");
        let key = [date, region, service, "aws4_request"]
            .into_iter()
            .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| {
                mac(&key, part)
            });
        hex::encode(mac(&key, &text))
    };
    let signature = if sign("s3express") == signature {
        sign("s3")
    } else {
        "0".repeat(64)
    };
    Some(format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{date}/{region}/s3/aws4_request,SignedHeaders={signed},Signature={signature}"
    ))
}

fn canonical_request(parts: &Parts, signed: &str) -> Option<String> {
    let path = percent_decode_str(parts.uri.path()).decode_utf8().ok()?;
    let mut query: Vec<_> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let encode = |text| {
                let text = percent_decode_str(text).decode_utf8_lossy();
                utf8_percent_encode(&text, QUERY).to_string()
            };
            format!("{}={}", encode(name), encode(value))
        })
        .collect();
    query.sort();
    let mut headers = String::new();
    for name in signed.split(';') {
        let values: Vec<_> = parts
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
            .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        headers.extend([name, ":", &values.join(","), "\n"]);
    }
    let payload = parts.headers.get("x-amz-content-sha256")?.to_str().ok()?;
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{payload}",
        parts.method,
        utf8_percent_encode(&path, PATH),
        query.join("&"),
    ))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
