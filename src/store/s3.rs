/*! A bucket and prefix as a store, through aws-sdk-s3. Nothing outside this folder names the SDK.
*/

mod settings;

pub use settings::{
    Keys, ListingSettings, PayloadSigning, S3Location, S3Settings, S3UrlError, Timeouts,
};
