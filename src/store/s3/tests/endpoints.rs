//! Where a request for a location goes, and how it is signed.

use super::{S3Settings, Server, Told, settings};
use crate::object::ObjectKey;
use crate::store::{Put, Source as _, Target as _};

const V4: &str = "AWS4-HMAC-SHA256";
const V4A: &str = "AWS4-ECDSA-P256-SHA256";

fn head() -> Server {
    Server::new(|_| {
        Told(
            200,
            vec![
                ("content-length", "1".to_owned()),
                ("last-modified", "Sat, 31 Jan 2026 00:00:00 GMT".to_owned()),
                ("etag", "\"x\"".to_owned()),
            ],
            String::new(),
        )
    })
}

#[tokio::test]
async fn every_kind_of_location_is_reached_where_s3_has_it() {
    type Change = fn(&mut S3Settings);
    let as_it_is: Change = |_| {};
    let accelerate: Change = |settings| settings.accelerate = true;
    let path_style: Change = |settings| settings.force_path_style = true;
    let own: Change = |settings| settings.endpoint_url = Some("https://s3.example.com:9000".into());
    let own_path: Change = |settings| {
        settings.endpoint_url = Some("https://s3.example.com:9000".into());
        settings.force_path_style = true;
    };
    let point = "arn:aws:s3:us-west-2:123456789012:accesspoint/mine";
    for (url, change, place, algorithm, scope) in [
        (
            "s3://bucket/p/",
            as_it_is,
            "https://bucket.s3.eu-west-1.amazonaws.com/p/k",
            V4,
            "eu-west-1/s3",
        ),
        // no certificate has a name with a dot before the rest
        (
            "s3://bucket.one/p/",
            as_it_is,
            "https://s3.eu-west-1.amazonaws.com/bucket.one/p/k",
            V4,
            "eu-west-1/s3",
        ),
        (
            "s3://bucket/p/",
            path_style,
            "https://s3.eu-west-1.amazonaws.com/bucket/p/k",
            V4,
            "eu-west-1/s3",
        ),
        (
            "s3://bucket/p/",
            accelerate,
            "https://bucket.s3-accelerate.amazonaws.com/p/k",
            V4,
            "eu-west-1/s3",
        ),
        (
            "s3://bucket/p/",
            own,
            "https://bucket.s3.example.com:9000/p/k",
            V4,
            "eu-west-1/s3",
        ),
        (
            "s3://bucket/p/",
            own_path,
            "https://s3.example.com:9000/bucket/p/k",
            V4,
            "eu-west-1/s3",
        ),
        // an alias is a name like a bucket's
        (
            "s3://mine-1a2b3c-s3alias/",
            as_it_is,
            "https://mine-1a2b3c-s3alias.s3.eu-west-1.amazonaws.com/k",
            V4,
            "eu-west-1/s3",
        ),
        // the region is the ARN's, whatever the side's is
        (
            &format!("s3://{point}/p/"),
            as_it_is,
            "https://mine-123456789012.s3-accesspoint.us-west-2.amazonaws.com/p/k",
            V4,
            "us-west-2/s3",
        ),
        (
            "s3://arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/mine/p/",
            as_it_is,
            "https://mine-123456789012.op-01.s3-outposts.us-west-2.amazonaws.com/p/k",
            V4A,
            "s3-outposts",
        ),
        (
            "s3://arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/p/",
            as_it_is,
            "https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/p/k",
            V4A,
            "s3",
        ),
        (
            "s3://bucket--euw1-az1--x-s3/p/",
            as_it_is,
            "https://bucket--euw1-az1--x-s3.s3express-euw1-az1.eu-west-1.amazonaws.com/p/k",
            V4,
            "eu-west-1/s3express",
        ),
        (
            "s3://mine--euw1-az1--xa-s3/p/",
            as_it_is,
            "https://mine--euw1-az1--xa-s3.s3express-euw1-az1.eu-west-1.amazonaws.com/p/k",
            V4,
            "eu-west-1/s3express",
        ),
    ] {
        let server = head();
        let mut settings = settings(url);
        change(&mut settings);
        let store = server.store(settings).await;
        let key = ObjectKey::new("k").expect("short");
        store.head((&key).into(), false).await.expect(url);
        let seen = &server.seen()[0];
        assert_eq!(seen.method, "HEAD", "{url}");
        assert_eq!(seen.place(), place, "{url}");
        assert_eq!(
            seen.signature(),
            (algorithm.to_owned(), scope.to_owned()),
            "{url}"
        );
        let region_set = (algorithm == V4A).then_some("*");
        assert_eq!(seen.header("x-amz-region-set"), region_set, "{url}");
    }
}

#[tokio::test]
async fn endpoints_of_the_profile_count() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("config");
    for (line, place) in [
        (
            "use_fips_endpoint = true",
            "https://bucket.s3-fips.us-east-1.amazonaws.com/k",
        ),
        (
            "use_dualstack_endpoint = true",
            "https://bucket.s3.dualstack.us-east-1.amazonaws.com/k",
        ),
        (
            "endpoint_url = https://s3.example.com",
            "https://bucket.s3.example.com/k",
        ),
    ] {
        std::fs::write(
            &file,
            format!("[profile mine]\nregion = us-east-1\n{line}\n"),
        )
        .expect("a file");
        let server = head();
        let store = server
            .store(S3Settings {
                config_file: Some(file.clone()),
                profile: Some("mine".to_owned()),
                region: None,
                ..settings("s3://bucket/")
            })
            .await;
        let key = ObjectKey::new("k").expect("short");
        store.head((&key).into(), false).await.expect(line);
        assert_eq!(server.seen()[0].place(), place, "{line}");
    }
}

#[tokio::test]
async fn a_directory_bucket_is_talked_to_in_a_session() {
    let server = head();
    let store = server.store(settings("s3://bucket--euw1-az1--x-s3/")).await;
    let key = ObjectKey::new("k").expect("short");
    for _ in 0..3 {
        store.head((&key).into(), false).await.expect("a head");
    }
    let digests = [
        crate::digest::digest(crate::digest::Algorithm::Md5, b"x"),
        crate::digest::digest(crate::digest::Algorithm::Crc64Nvme, b"x"),
    ];
    let put = Put {
        checksum: Some(crate::digest::Algorithm::Crc64Nvme),
        ..Put::bare(key, 1, crate::object::Timestamp::new(0, 0))
    };
    let _ = store.put(&put, "x".into(), &digests).await;
    // its keys are kept as long as they are worth something
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].signature().1, "eu-west-1/s3express");
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    for request in &seen {
        let authorization = request.header("authorization").unwrap_or_default();
        assert!(authorization.contains("Credential=SESSION/"), "{request:?}");
        let token = request.header("x-amz-s3session-token");
        assert_eq!(token, Some("token-of-the-session"), "{request:?}");
    }
    let put = &seen[3];
    assert_eq!(put.method, "PUT");
    assert_eq!(
        put.header("x-amz-checksum-crc64nvme"),
        Some(&*digests[1].base64())
    );
    assert_eq!(put.header("content-md5"), None);
}
