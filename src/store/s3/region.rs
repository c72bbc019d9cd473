/*! A bucket in another region than the one it was asked for in: S3 says which, and is asked there.
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html#VirtualHostingCustomURLs>

Only AWS's own endpoints follow from a region; at any other the user has to say it.
*/

use std::sync::OnceLock;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::error::ProvideErrorMetadata;

use super::error::SdkError;

/// The client of a store, and the one of its bucket's own region once that is known.
#[derive(Debug)]
pub(super) struct Regional {
    asked: (Client, String),
    /// Whether the endpoint follows from the region.
    follows: bool,
    /// Where the bucket turned out to be.
    found: OnceLock<(Client, String)>,
}

impl Regional {
    /// Asks in `region` until S3 names another, if the endpoint `follows` from the region.
    pub(super) fn new(client: Client, region: String, follows: bool) -> Self {
        Self {
            asked: (client, region),
            follows,
            found: OnceLock::new(),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.present().0
    }

    pub(super) fn region(&self) -> &str {
        &self.present().1
    }

    /// Whether it is one of AWS's own endpoints.
    pub(super) fn is_aws(&self) -> bool {
        self.follows
    }

    /// Whether the bucket turned out to be in another region.
    pub(super) fn has_moved(&self) -> bool {
        self.found.get().is_some()
    }

    /// Goes to the region an answer names, once: a second one would lead in circles.
    pub(super) fn follow(&self, region: String, location: &str) {
        if !self.follows || region == self.asked.1 || self.has_moved() {
            return;
        }
        let config = self.asked.0.config().to_builder();
        let config = config.region(Region::new(region.clone())).build();
        tracing::warn!(
            location,
            asked = self.asked.1,
            found = region,
            "the bucket is in another region; set the region of this side to spare the detour"
        );
        // somebody else may have been told so as well
        let _ = self.found.set((Client::from_conf(config), region));
    }

    fn present(&self) -> &(Client, String) {
        self.found.get().unwrap_or(&self.asked)
    }
}

/// The region S3 names in an answer that says that the bucket is not in the one asked: by a header,
/// in the body (`<Region>`), or in words.
pub(super) fn named<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<String> {
    let response = error.raw_response()?;
    // a bad signature is a 403 with the header as well, and says nothing of where the bucket is
    if !matches!(response.status().as_u16(), 301 | 307 | 400) {
        return None;
    }
    let header = response.headers().get("x-amz-bucket-region");
    let body = || {
        let body = std::str::from_utf8(response.body().bytes()?).ok()?;
        between(body, "<Region>", "</Region>")
    };
    let words = || between(error.message()?, "expecting '", "'");
    let is_region = |text: &&str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !text.is_empty() && text.bytes().all(fits)
    };
    let named = header.or_else(body).or_else(words);
    named.filter(is_region).map(str::to_owned)
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(behind)?.0)
}
