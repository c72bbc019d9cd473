//! From a signed request to an operation's answer.
//!
//! s3s checks signatures, decodes aws-chunked bodies and tells hosts and paths apart. All
//! operations then come through its one custom route: its typed operations know five of S3's ten
//! checksum algorithms and parse headers that S3 merely keeps, so the sandbox reads requests itself.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, Uri};
use s3s::auth::{S3Auth, SecretKey};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};

use super::error::{Result, access_denied, error};
use super::faults::Moment;
use super::operation::Operation;
use super::request::Call;
use super::response::{Answer, xml};
use super::store::Store;
use super::xml::Writer;
use super::{
    annotations, attributes, buckets, complete, copy, delete, get, host, list, lock, multipart,
    put, restore, session, settings, tags, uploads,
};

/// The one pair of keys the sandbox knows.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key {
            Ok(self.secret_key.clone())
        } else {
            Err(error(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ))
        }
    }
}

/// S3's operations as s3s would call them, if its route left any over.
#[derive(Debug)]
pub(super) struct Unrouted;

impl s3s::S3 for Unrouted {}

/// All of S3's operations.
#[derive(Debug)]
pub(super) struct Routes {
    pub(super) store: Arc<Store>,
    pub(super) keys: Keys,
}

#[async_trait::async_trait]
impl S3Route for Routes {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    /// Requests without a signature go on: a bucket policy may admit them.
    async fn check_access(&self, _: &mut S3Request<Body>) -> S3Result<()> {
        Ok(())
    }

    /// Errors become answers here, because s3s logs each error it sees as one of the server's.
    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        match self.answer(request).await {
            Ok(answer) => Ok(answer.into()),
            Err(refused) => {
                tracing::debug!(%refused, "sandbox: refused");
                let (parts, body) = refused.to_http_response()?.into_parts();
                let mut response = S3Response::with_status(body, parts.status);
                response.headers = parts.headers;
                Ok(response)
            }
        }
    }
}

impl Routes {
    async fn answer(&self, request: S3Request<Body>) -> Result<Answer> {
        let host_bucket = host::bucket_of(&request.headers).map(str::to_owned);
        let mut call = Call::of(request, host_bucket.as_deref())?;
        self.authorize(&call)?;
        let may_err_in_ok = matches!(
            call.operation,
            Operation::CompleteMultipartUpload | Operation::CopyObject
        );
        match call.tampering.errs_in_ok().filter(|_| may_err_in_ok) {
            None => self.perform(&mut call).await,
            Some(Moment::Before) => Ok(error_in_ok()),
            Some(Moment::After) => self.perform(&mut call).await.map(|_| error_in_ok()),
        }
    }

    fn authorize(&self, call: &Call) -> Result<()> {
        if call.bucket().is_empty() {
            return if call.anonymous {
                Err(access_denied())
            } else {
                Ok(())
            };
        }
        // The owner can always repair a policy that locks everyone out.
        let is_repair = matches!(
            call.operation,
            Operation::GetBucketPolicy | Operation::PutBucketPolicy | Operation::DeleteBucketPolicy
        );
        if is_repair && !call.anonymous {
            return Ok(());
        }
        let action = versioned_action(call.operation, call.version_id().is_some());
        let mut actions = [action].into_iter().chain(carried_actions(call));
        let (bucket, key) = (call.bucket(), call.key());
        actions.try_for_each(|action| permit(&self.store, call.anonymous, action, bucket, key))
    }

    async fn perform(&self, call: &mut Call) -> Result<Answer> {
        let store = &self.store;
        match call.operation {
            Operation::ListBuckets => buckets::list(store, call),
            Operation::CreateBucket => buckets::create(store, call).await,
            Operation::DeleteBucket => buckets::delete(store, call),
            Operation::HeadBucket => buckets::head(store, call),
            Operation::GetBucketLocation => buckets::location(store, call),
            Operation::GetBucketVersioning => buckets::versioning(store, call),
            Operation::PutBucketVersioning => buckets::set_versioning(store, call).await,
            Operation::GetBucketPolicy => buckets::policy(store, call),
            Operation::PutBucketPolicy => buckets::set_policy(store, call).await,
            Operation::DeleteBucketPolicy => buckets::delete_policy(store, call),
            Operation::GetBucketAcl => buckets::acl(store, call),
            Operation::PutBucketAcl => buckets::set_acl(store, call).await,
            Operation::Setting(verb, setting) => settings::handle(store, call, verb, setting).await,
            Operation::CreateSession => session::create(&self.keys, call),
            Operation::ListObjects => list::objects(store, call),
            Operation::ListObjectsV2 => list::objects_v2(store, call),
            Operation::ListObjectVersions => list::versions(store, call),
            Operation::ListMultipartUploads => uploads::in_bucket(store, call),
            Operation::DeleteObjects => delete::objects(store, call).await,
            Operation::PutObject => put::object(store, call).await,
            Operation::CopyObject => copy::object(store, call).await,
            Operation::GetObject => get::object(store, call),
            Operation::HeadObject => get::head(store, call),
            Operation::DeleteObject => delete::object(store, call),
            Operation::GetObjectAttributes => attributes::get(store, call),
            Operation::GetObjectTagging => tags::get(store, call),
            Operation::PutObjectTagging => tags::put(store, call).await,
            Operation::DeleteObjectTagging => tags::delete(store, call),
            Operation::GetObjectAcl => lock::acl(store, call),
            Operation::PutObjectAcl => lock::set_acl(store, call).await,
            Operation::GetObjectRetention => lock::retention(store, call),
            Operation::PutObjectRetention => lock::set_retention(store, call).await,
            Operation::GetObjectLegalHold => lock::legal_hold(store, call),
            Operation::PutObjectLegalHold => lock::set_legal_hold(store, call).await,
            Operation::RestoreObject => restore::object(store, call).await,
            Operation::CreateMultipartUpload => multipart::create(store, call),
            Operation::UploadPart => multipart::upload_part(store, call).await,
            Operation::UploadPartCopy => copy::part(store, call).await,
            Operation::CompleteMultipartUpload => complete::upload(store, call).await,
            Operation::AbortMultipartUpload => multipart::abort(store, call),
            Operation::ListParts => uploads::parts(store, call),
            Operation::PutObjectAnnotation => annotations::put(store, call).await,
            Operation::GetObjectAnnotation => annotations::get(store, call),
            Operation::ListObjectAnnotations => annotations::list(store, call),
            Operation::DeleteObjectAnnotation => annotations::delete(store, call),
        }
    }
}

/// Whether the bucket's policy lets a request do this; a bucket that is not there forbids nothing.
pub(super) fn permit(
    store: &Store,
    anonymous: bool,
    action: &str,
    bucket: &str,
    key: &str,
) -> Result<()> {
    let resource = match key {
        "" => format!("arn:aws:s3:::{bucket}"),
        key => format!("arn:aws:s3:::{bucket}/{key}"),
    };
    let permitted = match store.bucket(bucket) {
        Err(_) => !anonymous,
        Ok(bucket) => match &bucket.read().policy {
            Some(policy) => policy.permits(anonymous, action, &resource),
            None => !anonymous,
        },
    };
    if permitted {
        Ok(())
    } else {
        Err(access_denied())
    }
}

/// The action for an operation on a named version, which policies tell apart for some.
pub(super) fn versioned_action(operation: Operation, names_version: bool) -> &'static str {
    match (operation.action(), names_version) {
        ("GetObject", true) => "GetObjectVersion",
        ("DeleteObject", true) => "DeleteObjectVersion",
        ("GetObjectAttributes", true) => "GetObjectVersionAttributes",
        ("GetObjectTagging", true) => "GetObjectVersionTagging",
        ("PutObjectTagging", true) => "PutObjectVersionTagging",
        ("DeleteObjectTagging", true) => "DeleteObjectVersionTagging",
        ("GetObjectAcl", true) => "GetObjectVersionAcl",
        ("PutObjectAcl", true) => "PutObjectVersionAcl",
        (action, _) => action,
    }
}

/// The actions for what a write carries beside its content.
fn carried_actions(call: &Call) -> impl Iterator<Item = &'static str> {
    let begins = matches!(
        call.operation,
        Operation::PutObject | Operation::CopyObject | Operation::CreateMultipartUpload
    );
    let carries = |name| begins && call.header(name).is_some_and(|value| !value.is_empty());
    let tags = carries("x-amz-tagging").then_some("PutObjectTagging");
    let acl = carries("x-amz-acl").then_some("PutObjectAcl");
    tags.into_iter().chain(acl)
}

/// S3 answers 200 before some long operations end, and then tells their failure in the body.
fn error_in_ok() -> Answer {
    xml(Writer::bare("Error", |xml| {
        xml.text("Code", "InternalError");
        xml.text(
            "Message",
            "We encountered an internal error. Please try again.",
        );
    }))
}
