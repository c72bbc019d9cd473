//! Virtual-host addressing: `bucket.localhost`, beside path-style under any other name.

use http::{HeaderMap, header};
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The name below which every label is a bucket.
const DOMAIN: &str = "localhost";

/// Tells s3s which hosts name a bucket.
#[derive(Debug)]
pub(super) struct LoopbackHost;

impl S3Host for LoopbackHost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(DOMAIN);
        Ok(match bucket(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

/// The bucket that the `Host` header names.
pub(super) fn bucket_of(headers: &HeaderMap) -> Option<&str> {
    bucket(headers.get(header::HOST)?.to_str().ok()?)
}

fn bucket(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(DOMAIN)?
        .strip_suffix('.')
        .filter(|bucket| !bucket.is_empty())
}

#[cfg(test)]
mod tests {
    #[test]
    fn hosts() {
        for (host, bucket) in [
            ("b.localhost:1", Some("b")),
            ("a.b.localhost", Some("a.b")),
            ("localhost:1", None),
            ("127.0.0.1:1", None),
            ("blocalhost", None),
        ] {
            assert_eq!(super::bucket(host), bucket, "{host}");
        }
    }
}
