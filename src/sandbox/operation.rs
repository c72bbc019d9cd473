//! Which of S3's operations a request asks for, by its method, path, query and headers.

use http::{HeaderMap, Method};

use super::query::Query;
use super::settings::{SETTINGS, Setting};

/// What can be done with a setting of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Put,
    Delete,
}

macro_rules! operations {
    ($($name:ident => $action:literal),* $(,)?) => {
        /// One operation of the S3 API, under its name there.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Operation {
            $($name,)*
            /// One of the documents a bucket keeps (`?cors`, `?lifecycle`, …).
            Setting(Verb, &'static Setting),
        }

        impl Operation {
            /// The name in S3's API, e.g. `PutObject`.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Setting(Verb::Get, setting) => setting.get,
                    Self::Setting(Verb::Put, setting) => setting.put,
                    Self::Setting(Verb::Delete, setting) => setting.delete,
                }
            }

            /// The action a policy names, without `s3:`.
            pub(super) fn action(self) -> &'static str {
                match self {
                    $(Self::$name => $action,)*
                    Self::Setting(..) => self.name(),
                }
            }
        }
    };
}

operations! {
    ListBuckets => "ListAllMyBuckets",
    CreateBucket => "CreateBucket",
    DeleteBucket => "DeleteBucket",
    HeadBucket => "ListBucket",
    GetBucketLocation => "GetBucketLocation",
    GetBucketVersioning => "GetBucketVersioning",
    PutBucketVersioning => "PutBucketVersioning",
    GetBucketPolicy => "GetBucketPolicy",
    PutBucketPolicy => "PutBucketPolicy",
    DeleteBucketPolicy => "DeleteBucketPolicy",
    GetBucketAcl => "GetBucketAcl",
    PutBucketAcl => "PutBucketAcl",
    CreateSession => "CreateSession",
    ListObjects => "ListBucket",
    ListObjectsV2 => "ListBucket",
    ListObjectVersions => "ListBucketVersions",
    ListMultipartUploads => "ListBucketMultipartUploads",
    DeleteObjects => "DeleteObject",
    PutObject => "PutObject",
    CopyObject => "PutObject",
    GetObject => "GetObject",
    HeadObject => "GetObject",
    DeleteObject => "DeleteObject",
    GetObjectAttributes => "GetObjectAttributes",
    GetObjectTagging => "GetObjectTagging",
    PutObjectTagging => "PutObjectTagging",
    DeleteObjectTagging => "DeleteObjectTagging",
    GetObjectAcl => "GetObjectAcl",
    PutObjectAcl => "PutObjectAcl",
    GetObjectRetention => "GetObjectRetention",
    PutObjectRetention => "PutObjectRetention",
    GetObjectLegalHold => "GetObjectLegalHold",
    PutObjectLegalHold => "PutObjectLegalHold",
    RestoreObject => "RestoreObject",
    CreateMultipartUpload => "PutObject",
    UploadPart => "PutObject",
    UploadPartCopy => "PutObject",
    CompleteMultipartUpload => "PutObject",
    AbortMultipartUpload => "AbortMultipartUpload",
    ListParts => "ListMultipartUploadParts",
    PutObjectAnnotation => "PutObjectAnnotation",
    GetObjectAnnotation => "GetObjectAnnotation",
    ListObjectAnnotations => "ListObjectAnnotations",
    DeleteObjectAnnotation => "DeleteObjectAnnotation",
}

impl Operation {
    /// The operation a request asks for; `None` for one the sandbox does not know.
    pub(super) fn of(
        method: &Method,
        target: &Target,
        query: &Query,
        headers: &HeaderMap,
    ) -> Option<Self> {
        match target {
            Target::Service => (method == Method::GET).then_some(Self::ListBuckets),
            Target::Bucket(_) => Self::on_bucket(method, query),
            Target::Object(..) => {
                Self::on_object(method, query, headers.contains_key("x-amz-copy-source"))
            }
        }
    }

    /// Whether it changes what the sandbox keeps.
    pub(super) fn is_mutation(self) -> bool {
        !matches!(self, Self::CreateSession)
            && [
                "Put", "Create", "Delete", "Copy", "Upload", "Complete", "Abort", "Restore",
            ]
            .iter()
            .any(|verb| self.name().starts_with(verb))
    }

    fn on_bucket(method: &Method, query: &Query) -> Option<Self> {
        if let Some(setting) = SETTINGS.iter().find(|setting| query.has(setting.query)) {
            let verb = match *method {
                Method::GET => Verb::Get,
                Method::PUT => Verb::Put,
                Method::DELETE => Verb::Delete,
                _ => return None,
            };
            return Some(Self::Setting(verb, setting));
        }
        Some(match *method {
            Method::HEAD => Self::HeadBucket,
            Method::PUT if query.has("versioning") => Self::PutBucketVersioning,
            Method::PUT if query.has("policy") => Self::PutBucketPolicy,
            Method::PUT if query.has("acl") => Self::PutBucketAcl,
            Method::PUT if query.has_no_subresource() => Self::CreateBucket,
            Method::DELETE if query.has("policy") => Self::DeleteBucketPolicy,
            Method::DELETE if query.has_no_subresource() => Self::DeleteBucket,
            Method::POST if query.has("delete") => Self::DeleteObjects,
            Method::GET if query.has("location") => Self::GetBucketLocation,
            Method::GET if query.has("versioning") => Self::GetBucketVersioning,
            Method::GET if query.has("policy") => Self::GetBucketPolicy,
            Method::GET if query.has("acl") => Self::GetBucketAcl,
            Method::GET if query.has("session") => Self::CreateSession,
            Method::GET if query.has("versions") => Self::ListObjectVersions,
            Method::GET if query.has("uploads") => Self::ListMultipartUploads,
            Method::GET if query.get("list-type") == Some("2") => Self::ListObjectsV2,
            Method::GET if query.has_no_subresource() => Self::ListObjects,
            _ => return None,
        })
    }

    fn on_object(method: &Method, query: &Query, is_copy: bool) -> Option<Self> {
        Some(match *method {
            Method::HEAD => Self::HeadObject,
            Method::PUT if query.has("uploadId") && is_copy => Self::UploadPartCopy,
            Method::PUT if query.has("uploadId") => Self::UploadPart,
            Method::PUT if query.has("tagging") => Self::PutObjectTagging,
            Method::PUT if query.has("acl") => Self::PutObjectAcl,
            Method::PUT if query.has("retention") => Self::PutObjectRetention,
            Method::PUT if query.has("legal-hold") => Self::PutObjectLegalHold,
            Method::PUT if query.has("annotation") => Self::PutObjectAnnotation,
            Method::PUT if is_copy => Self::CopyObject,
            Method::PUT if query.has_no_subresource() => Self::PutObject,
            Method::POST if query.has("uploads") => Self::CreateMultipartUpload,
            Method::POST if query.has("uploadId") => Self::CompleteMultipartUpload,
            Method::POST if query.has("restore") => Self::RestoreObject,
            Method::DELETE if query.has("uploadId") => Self::AbortMultipartUpload,
            Method::DELETE if query.has("tagging") => Self::DeleteObjectTagging,
            Method::DELETE if query.has("annotation") => Self::DeleteObjectAnnotation,
            Method::DELETE if query.has_no_subresource() => Self::DeleteObject,
            Method::GET if query.has("uploadId") => Self::ListParts,
            Method::GET if query.has("attributes") => Self::GetObjectAttributes,
            Method::GET if query.has("tagging") => Self::GetObjectTagging,
            Method::GET if query.has("acl") => Self::GetObjectAcl,
            Method::GET if query.has("retention") => Self::GetObjectRetention,
            Method::GET if query.has("legal-hold") => Self::GetObjectLegalHold,
            Method::GET if query.has("annotationName") => Self::GetObjectAnnotation,
            Method::GET if query.has("annotation") => Self::ListObjectAnnotations,
            Method::GET if query.has_no_subresource() => Self::GetObject,
            _ => return None,
        })
    }
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Service,
    Bucket(String),
    Object(String, String),
}

impl Target {
    /// Reads the path, below the bucket the `Host` header names if there is one.
    ///
    /// `None` when the path is not percent-encoded UTF-8.
    pub(super) fn of(host_bucket: Option<&str>, path: &str) -> Option<Self> {
        let path = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .ok()?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = match host_bucket {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        Some(match (bucket, key) {
            ("", _) => Self::Service,
            (bucket, "") => Self::Bucket(bucket.to_owned()),
            (bucket, key) => Self::Object(bucket.to_owned(), key.to_owned()),
        })
    }

    /// The bucket, if it is not the service itself.
    pub(super) fn bucket(&self) -> &str {
        match self {
            Self::Service => "",
            Self::Bucket(bucket) | Self::Object(bucket, _) => bucket,
        }
    }

    /// The key, if it is an object.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Service | Self::Bucket(_) => "",
            Self::Object(_, key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_every_byte_of_a_key() {
        for (path, key) in [
            ("/b/a//b", "a//b"),
            ("/b//a", "/a"),
            ("/b/../x", "../x"),
            ("/b/a%2Fb%20c+d%01", "a/b c+d\u{1}"),
            ("/b/dir/", "dir/"),
        ] {
            assert_eq!(
                Target::of(None, path),
                Some(Target::Object("b".into(), key.into())),
                "{path}"
            );
        }
        assert_eq!(Target::of(Some("b"), "/"), Some(Target::Bucket("b".into())));
        assert_eq!(Target::of(None, "/b/"), Some(Target::Bucket("b".into())));
        assert_eq!(Target::of(None, "/"), Some(Target::Service));
        assert_eq!(Target::of(None, "/b/%ff"), None);
    }

    #[test]
    fn requests_are_told_apart() {
        let object = Target::Object("b".into(), "k".into());
        let bucket = Target::Bucket("b".into());
        for (method, target, query, name) in [
            (Method::PUT, &object, "x-id=PutObject", "PutObject"),
            (
                Method::PUT,
                &object,
                "partNumber=1&uploadId=x",
                "UploadPart",
            ),
            (
                Method::GET,
                &object,
                "annotation&annotationName=n",
                "GetObjectAnnotation",
            ),
            (Method::GET, &object, "versionId=null", "GetObject"),
            (
                Method::GET,
                &bucket,
                "list-type=2&prefix=uploads",
                "ListObjectsV2",
            ),
            (Method::GET, &bucket, "cors", "GetBucketCors"),
            (Method::DELETE, &bucket, "", "DeleteBucket"),
            (
                Method::DELETE,
                &bucket,
                "lifecycle",
                "DeleteBucketLifecycle",
            ),
        ] {
            let operation = Operation::of(&method, target, &Query::parse(query), &HeaderMap::new());
            assert_eq!(
                operation.map(Operation::name),
                Some(name),
                "{method} {query}"
            );
        }
        let unknown = Operation::of(
            &Method::DELETE,
            &bucket,
            &Query::parse("whatever"),
            &HeaderMap::new(),
        );
        assert!(
            unknown.is_none(),
            "an unknown subresource never deletes a bucket"
        );
    }
}
