//! Exports, and what becomes of them when they are imported again.

use domain::contact::NewContact;
use domain::identity::Identity;
use harness::{Api, World, phone};
use serde_json::{Value, json};

use super::{contacts, fetched, imported};

const PATH: &str = "/api/contacts/exports";

async fn exported(world: &World, api: &Api, options: Value) -> (Value, Vec<u8>) {
    let begun = api.post(PATH, options).await.expect(202);
    world.drain().await;
    let path = format!("{PATH}/{}", begun["export"]["id"].as_str().unwrap());
    let export = api.get(&path).await.expect(200)["export"].clone();
    assert_eq!(export["state"], "finished");
    let file = fetched(world, api, export["file"].as_str().unwrap()).await;
    (export, file)
}

fn people() -> Value {
    json!([
        {"name": "=HYPERLINK(\"http://x\")", "phone": phone(1), "tags": ["vip", "a, b"], "metadata": {"città": "Roma", "n": 1}},
        {"name": "'Ada", "email": "ada@example.com", "tags": ["+tag"]},
        {"name": "-1", "phone": phone(3), "email": "c@example.com", "external_id": "crm:7"},
        {"name": "Anna \"Nina\"\nRossi", "phone": phone(4)}
    ])
}

/// What of a contact must come back.
fn essence(contact: &Value) -> Value {
    let mut of = contact.as_object().unwrap().clone();
    of.retain(|name, _| {
        ["name", "phone", "email", "tags", "metadata", "identities"].contains(&name.as_str())
    });
    Value::Object(of)
}

#[tokio::test]
async fn what_is_exported_is_imported_as_the_same_contacts() {
    for format in ["csv", "xlsx"] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        api.post("/api/contacts/bulk", json!({"contacts": people()})).await.expect(200);
        let before = contacts(&api).await;
        let (export, file) = exported(&world, &api, json!({"format": format})).await;
        assert_eq!(export["rows"], 4);
        if format == "csv" {
            let text = String::from_utf8(file.clone()).unwrap();
            assert!(
                text.contains("'=HYPERLINK") && text.contains(",'-1,") && text.contains("'+tag"),
                "{text}"
            );
            assert!(text.contains(&format!(",{},", phone(1))), "a phone is as it is: {text}");
        }
        // Into themselves: nothing changes.
        let again = imported(&world, &api, "a.file", &file, &[]).await;
        assert_eq!(
            [&again["created"], &again["updated"], &again["failed"]],
            [&json!(0), &json!(4), &json!(0)],
            "{again}"
        );
        let same: Vec<Value> = before.iter().map(essence).collect();
        assert_eq!(contacts(&api).await.iter().map(essence).collect::<Vec<_>>(), same);
        // Into an empty tenant: the same people.
        let other = World::new().await;
        let elsewhere = Api::of(&other).await;
        let moved = imported(&other, &elsewhere, "a.file", &file, &[]).await;
        assert_eq!(moved["created"], 4, "{moved}");
        assert_eq!(contacts(&elsewhere).await.iter().map(essence).collect::<Vec<_>>(), same);
    }
}

#[tokio::test]
async fn filters_are_those_of_the_list() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    api.post("/api/contacts/bulk", json!({"contacts": people()})).await.expect(200);
    for (options, want) in [
        (json!({}), 4),
        (json!({"tag": "VIP"}), 1),
        (json!({"with_email": true}), 2),
        (json!({"with_phone": "1", "with_email": "1"}), 1),
        (json!({"search": "rossi"}), 1),
    ] {
        let (export, file) = exported(&world, &api, options.clone()).await;
        assert_eq!(export["rows"], want, "{options}");
        assert!(file.starts_with(b"id,name,phone,"));
    }
    assert_eq!(api.post(PATH, json!({"format": "pdf"})).await.field(422), "format");
    for unknown in ["tags", "label", "with_phones"] {
        assert_eq!(api.post(PATH, json!({unknown: "vip"})).await.field(422), unknown, "it lets nobody out");
    }
    let all = api.get(PATH).await.expect(200);
    assert_eq!(all["exports"].as_array().unwrap().len(), 5);
    let other = api.of_another_tenant().await;
    let path = format!("{PATH}/{}/file", all["exports"][0]["id"].as_str().unwrap());
    assert_eq!(other.get(&path).await.status, 404);
}

#[tokio::test]
async fn an_export_goes_on_in_the_next_job_when_its_time_is_over() {
    for format in ["csv", "xlsx"] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        world.import((0..2_500).map(harness::person)).await;
        let begun = api.post(PATH, json!({"format": format})).await.expect(202);
        let id = begun["export"]["id"].as_str().unwrap().to_owned();
        let files = contact_files::ContactFiles {
            store: world.store().clone(),
            queues: world.services.queues.clone(),
            bucket: world.services.files.bucket().clone(),
        };
        world.lose_jobs().await;
        for leg in 1..=4 {
            contact_files::run_export(&files, world.tenant(), &id, leg, 0, || true).await.unwrap();
            world.lose_jobs().await;
        }
        let export = api.get(&format!("{PATH}/{id}")).await.expect(200)["export"].clone();
        assert_eq!((&export["state"], &export["rows"]), (&json!("finished"), &json!(2_500)));
        let file = fetched(&world, &api, export["file"].as_str().unwrap()).await;
        let again = imported(&world, &api, "a.file", &file, &[]).await;
        assert_eq!((&again["updated"], &again["failed"]), (&json!(2_500), &json!(0)), "{format}: {again}");
    }
}

#[tokio::test]
async fn whoever_has_no_number_is_the_same_again_too() {
    let people = || {
        let named = |name: &str| NewContact { name: Some(name.to_owned()), ..NewContact::default() };
        let external = |id: &str| Identity::External(id.to_owned());
        [
            NewContact { bsuid: Some("IT.1".to_owned()), is_proven: true, ..named("Ada") },
            NewContact { custom: Some(("chat".to_owned(), "visitor#7".to_owned())), ..named("Bob") },
            NewContact {
                phone: phone(1).parse().ok(),
                external_id: Some("crm:1".to_owned()),
                aliases: vec![external("shop:2")],
                ..named("Carla")
            },
            NewContact { external_id: Some("crm:4".to_owned()), ..named("Dora") },
        ]
    };
    for format in ["csv", "xlsx"] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        world.import(people()).await;
        let same: Vec<Value> = contacts(&api).await.iter().map(essence).collect();
        let (_, file) = exported(&world, &api, json!({"format": format})).await;
        let again = imported(&world, &api, "a.file", &file, &[]).await;
        assert_eq!([&again["updated"], &again["failed"]], [&json!(4), &json!(0)], "{again}");
        assert_eq!(contacts(&api).await.iter().map(essence).collect::<Vec<_>>(), same);
        let other = World::new().await;
        let elsewhere = Api::of(&other).await;
        let moved = imported(&other, &elsewhere, "a.file", &file, &[]).await;
        assert_eq!([&moved["created"], &moved["failed"]], [&json!(4), &json!(0)], "{moved}");
        assert_eq!(contacts(&elsewhere).await.iter().map(essence).collect::<Vec<_>>(), same);
    }
}
