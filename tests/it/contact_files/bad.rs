//! Files that are none.

use harness::{Api, World};
use serde_json::json;

use super::{announced, contacts, imported, post, show};

#[tokio::test]
async fn what_is_no_table_is_refused_with_a_reason() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let wide = vec!["phone"; 60_000].join(",");
    let long = "a\n".repeat(1_000_100);
    let files: [(&[u8], &str); 11] = [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"%PDF-1.7\n%\xE2\xE3", "PDF"),
        (b"<html><table></table></html>", "web page"),
        (b"{\"contacts\": []}", "JSON"),
        (b"\x00\x01\x02\x03binary", "no text"),
        (b"PK\x03\x04nothing", "broken ZIP"),
        (b"Dear all,\nthis is a letter,\nyours", "no column holds"),
        (b"nome#telefono\nAda#+393331234567\n", "no column holds"),
        (wide.as_bytes(), "60000 columns"),
        (long.as_bytes(), "1000000 rows"),
    ];
    for (file, want) in files {
        let answer = post(&api, "x.csv", file, &[]).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), &body["field"]), (422, &json!("file")), "{want}: {body}");
        assert!(body["message"].as_str().unwrap().contains(want), "{want}: {body}");
        // The same of a file that was uploaded.
        if !file.is_empty() {
            let begun = announced(&world, &api, file, json!({})).await;
            world.drain().await;
            let import = show(&api, &begun).await;
            assert_eq!(import["state"], "failed", "{want}");
            assert!(import["error"].as_str().unwrap().contains(want), "{import}");
        }
    }
    assert!(contacts(&api).await.is_empty());
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let file = b"nome,telefono\nAda,+393331234567\n";
    for (options, field) in [
        (("mapping", r#"{"telefono": "fon"}"#), "mapping"),
        (("mapping", r#"{"fax": "phone"}"#), "mapping"),
        (("mapping", "[1]"), "mapping"),
        (("country", "XX"), "country"),
        (("dry_run", "perhaps"), "dry_run"),
        (("dry-run", "1"), "dry-run"),
        (("simulate", "1"), "simulate"),
        (("contry", "IT"), "contry"),
        (("default_country", "XX"), "default_country"),
        (("encoding", "klingon"), "encoding"),
    ] {
        let answer = post(&api, "x.csv", file, &[options]).await;
        assert_eq!(answer.field(422), field, "{options:?}");
    }
    for alias in ["dryRun", "dry_run"] {
        assert_eq!(post(&api, "x.csv", file, &[(alias, "1")]).await.expect(200)["dry_run"], true);
    }
    assert!(contacts(&api).await.is_empty());
    let body = json!({"token": api.token});
    assert_eq!(api.post(super::PATH, body).await.field(422), "file");
    let body = json!({"size": 200_000_000});
    assert_eq!(api.post(super::PATH, body).await.field(422), "size");
    assert_eq!(api.get("/api/contacts/imports/none").await.status, 404);
}

#[tokio::test]
async fn a_spoilt_row_stands_alone() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let file = "nome,telefono,nota\nAda,+393331234567,\"aperta\nBob,+393331234568,\"chiusa\"\n\
        Carla,+393331234569,x,y,z\nDora,+393331234570\n\u{FFFD},+393331234571,\n";
    let import = imported(&world, &api, "x.csv", file.as_bytes(), &[]).await;
    assert_eq!([&import["created"], &import["failed"]], [&json!(3), &json!(2)], "{import}");
    assert_eq!((&import["errors"][0]["row"], &import["errors"][1]["row"]), (&json!(1), &json!(3)));
}
