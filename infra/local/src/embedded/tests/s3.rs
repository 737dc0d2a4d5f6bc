//! The embedded bucket answers as S3 does.

use aws_sdk_s3::primitives::ByteStream;

use super::*;

async fn bucket(embedded: &Embedded) -> aws_sdk_s3::Client {
    let client = embedded.s3();
    client.create_bucket().bucket("media").send().await.unwrap();
    client
}

#[tokio::test]
async fn objects_keep_their_type_and_metadata() {
    let embedded = memory();
    let client = bucket(&embedded).await;
    client
        .put_object()
        .bucket("media")
        .key("tenant/one.png")
        .content_type("image/png")
        .metadata("sha256", "abc")
        .body(ByteStream::from_static(b"picture"))
        .send()
        .await
        .unwrap();
    let read = client.get_object().bucket("media").key("tenant/one.png").send().await.unwrap();
    assert_eq!(read.content_type(), Some("image/png"));
    assert_eq!(read.metadata().unwrap()["sha256"], "abc");
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"picture");
    let head = client.head_object().bucket("media").key("tenant/one.png").send().await.unwrap();
    assert_eq!(head.content_length(), Some(7));
    assert_eq!(head.content_type(), Some("image/png"));
}

#[tokio::test]
async fn objects_are_listed_copied_and_deleted() {
    let embedded = memory();
    let client = bucket(&embedded).await;
    for key in ["a/1", "a/2", "b/1"] {
        client
            .put_object()
            .bucket("media")
            .key(key)
            .body(ByteStream::from_static(b"x"))
            .send()
            .await
            .unwrap();
    }
    client.copy_object().bucket("media").key("a/3").copy_source("media/b/1").send().await.unwrap();
    client.delete_object().bucket("media").key("a/1").send().await.unwrap();
    let listed = client.list_objects_v2().bucket("media").prefix("a/").send().await.unwrap();
    let keys: Vec<_> = listed.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["a/2", "a/3"]);
}

#[tokio::test]
async fn a_missing_object_is_a_modeled_error() {
    let embedded = memory();
    let client = bucket(&embedded).await;
    let missing = client.get_object().bucket("media").key("none").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_key());
    let missing = client.head_object().bucket("media").key("none").send().await.unwrap_err();
    assert!(missing.into_service_error().is_not_found());
}

#[tokio::test]
async fn a_streamed_body_of_a_megabyte_comes_back() {
    let embedded = memory();
    let client = bucket(&embedded).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upload");
    let content: Vec<u8> = (0..1_000_000_u32).map(|index| (index % 251) as u8).collect();
    std::fs::write(&file, &content).unwrap();
    let body = ByteStream::from_path(&file).await.unwrap();
    client.put_object().bucket("media").key("big").body(body).send().await.unwrap();
    let read = client.get_object().bucket("media").key("big").send().await.unwrap();
    assert!(read.body.collect().await.unwrap().to_vec() == content);
}
