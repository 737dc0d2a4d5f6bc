//! `/api/v1/subscriber`: changes of one subscriber, their notes and labels.

use std::collections::BTreeSet;

use futures::future::join_all;
use harness::{Answer, Api, World, person, phone};
use http::Method;
use serde_json::{Value, json};

use super::{done, is, refused};

const UPDATE: &str = "/api/v1/subscriber/update";
const ASSIGN: &str = "/api/v1/subscriber/assign-labels";
const NOTE: &str = "/api/v1/subscriber/add-note";
const FORM: &str = "application/x-www-form-urlencoded";

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    world.import((1..4).map(person)).await;
    let api = Api::of(&world).await;
    (world, api)
}

async fn shown(api: &Api, id: u64) -> Value {
    let answer = api.sendwo("/api/v1/subscriber/get", &format!("subscriberId={id}")).await.expect(200);
    answer["message"][0].clone()
}

async fn labels(api: &Api) -> Vec<(u64, String)> {
    let answer = api.sendwo("/api/v1/label/list", "").await.expect(200);
    let label = |label: &Value| (label["id"].as_u64().unwrap(), label["label_name"].as_str().unwrap().into());
    answer["message"].as_array().unwrap().iter().map(label).collect()
}

#[tokio::test]
async fn every_form_of_a_request_changes_the_same() {
    let (_world, api) = world().await;
    let key = &api.key;
    let (one, other) = (phone(1)[1..].to_owned(), phone(2)[1..].to_owned());
    let multipart = format!(
        "--x\r\nContent-Disposition: form-data; name=\"apiToken\"\r\n\r\n{key}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"subscriber_id\"\r\n\r\n1\r\n\
         --x\r\nContent-Disposition: form-data; name=\"last_name\"\r\n\r\nMultipart\r\n\
         --x\r\nContent-Disposition: form-data; name=\"custom_fields[way]\"\r\n\r\nmultipart\r\n--x--\r\n"
    );
    let json =
        json!({"apiToken": key, "phoneNumber": one, "lastName": "Json", "customFields": {"way": "json"}});
    let calls: Vec<(Method, String, &str, String, &str)> = vec![
        (
            Method::GET,
            format!("?apiToken={key}&subscriberId=1&lastName=Get&custom_fields%5Bway%5D=get"),
            "",
            String::new(),
            "get",
        ),
        (
            Method::POST,
            String::new(),
            FORM,
            format!("apiToken={key}&phone_number={one}&last_name=Form&custom_fields[way]=form"),
            "form",
        ),
        (Method::POST, String::new(), "application/json", json.to_string(), "json"),
        (Method::POST, String::new(), "multipart/form-data; boundary=x", multipart, "multipart"),
        (
            Method::POST,
            String::new(),
            FORM,
            format!("apiToken={key}&chat_id={one}&last_name=Text&custom_fields={{\"way\":\"text\"}}"),
            "text",
        ),
    ];
    for (method, query, form, body, way) in calls {
        let path = format!("{UPDATE}{query}");
        let answer: Answer = api.raw(method, &path, form, body).await;
        let answer = answer.expect(200);
        assert_eq!(
            (&answer["status"], &answer["subscriber_id"]),
            (&json!("1"), &json!(1)),
            "{way}: {answer}"
        );
        let now = shown(&api, 1).await;
        assert_eq!(now["last_name"].as_str().unwrap().to_lowercase(), way);
        assert_eq!(now["custom_fields"]["way"], way, "{now}");
        assert_eq!(now["phone_number"], one);
    }
    assert_eq!(shown(&api, 2).await["phone_number"], other);
}

#[tokio::test]
async fn what_is_not_said_stays_and_what_is_wrong_changes_nothing() {
    let (_world, api) = world().await;
    done(
        &api,
        UPDATE,
        json!({"subscriberId": 1, "name": "Ada Neri", "email": "ada@example.com",
                              "custom_fields": {"city": "Roma", "since": 2020}}),
    )
    .await;
    done(&api, UPDATE, json!({"subscriberId": 1, "firstName": "Bice", "custom_fields": {"since": null}}))
        .await;
    done(&api, UPDATE, json!({"subscriberId": 3, "name": "Amit Sharma"})).await;
    done(&api, UPDATE, json!({"subscriberId": 3, "firstName": "Updated Name"})).await;
    let third = shown(&api, 3).await;
    assert_eq!((&third["first_name"], &third["last_name"]), (&json!("Updated Name"), &json!("Sharma")));
    let before = shown(&api, 1).await;
    assert_eq!((&before["first_name"], &before["last_name"]), (&json!("Bice"), &json!("Neri")));
    assert_eq!(before["custom_fields"], json!({"city": "Roma"}));
    let theirs = phone(2);
    for (body, want) in [
        (json!({"firstName": "x"}), is("invalid_field", "subscriberId")),
        (json!({"subscriberId": "x1", "firstName": "x"}), is("invalid_field", "subscriberId")),
        (json!({"subscriber_id": 99, "firstName": "x"}), is("not_found", "subscriber_id")),
        (json!({"phone_number": "393339999999", "firstName": "x"}), is("not_found", "phone_number")),
        (json!({"phone": "12", "firstName": "x"}), is("invalid_field", "phone")),
        (
            json!({"subscriberId": 1, "firstName": "x", "phone_number": theirs}),
            is("conflict", "phone_number"),
        ),
        (json!({"subscriberId": 2, "firstName": "x", "email": "ADA@example.com"}), is("conflict", "email")),
        (json!({"subscriberId": 1, "firstName": "x".repeat(300)}), is("invalid_field", "firstName")),
        (json!({"subscriberId": 1, "firstName": {"a": 1}}), is("invalid_field", "firstName")),
        (json!({"subscriberId": 1, "custom_fields": "x"}), is("invalid_field", "custom_fields")),
        (
            json!({"subscriberId": 1, "customFields": {"a": "x".repeat(17_000)}}),
            is("invalid_field", "customFields"),
        ),
        (json!({"subscriberId": 1, "firstName": "x", "label_ids": "99"}), is("not_found", "label_ids")),
        (json!({"subscriberId": 1, "labelIds": {"a": {"b": "c"}}}), is("invalid_field", "labelIds")),
        (json!({"subscriberId": 1, "labels": "x".repeat(65)}), is("invalid_field", "labels")),
        (
            json!({"subscriberId": 1, "firstName": "x", "phone_number_id": "9"}),
            is("not_found", "phone_number_id"),
        ),
    ] {
        assert_eq!(refused(&api, UPDATE, body.clone()).await, want, "{body}");
    }
    assert_eq!(shown(&api, 1).await, before);
}

#[tokio::test]
async fn nobody_sees_or_changes_another_tenants_subscriber() {
    let (_world, api) = world().await;
    done(&api, ASSIGN, json!({"subscriberId": 1, "label_names": "vip"})).await;
    let other = api.of_another_tenant().await;
    for (path, body) in [
        (UPDATE, json!({"subscriberId": 1, "firstName": "x"})),
        (ASSIGN, json!({"subscriberId": 1, "label_names": "x"})),
        ("/api/v1/subscriber/remove-labels", json!({"phone_number": phone(1), "label_names": "vip"})),
        (NOTE, json!({"subscriberId": 1, "note": "x"})),
        ("/api/v1/subscriber/get", json!({"subscriberId": 1})),
    ] {
        assert_eq!(refused(&other, path, body).await.0, "not_found", "{path}");
    }
    assert!(labels(&other).await.is_empty());
    // Of two tenants each has a first label.
    done(&other, "/api/v1/subscriber/create", json!({"phoneNumber": phone(1)})).await;
    assert_eq!(done(&other, "/api/v1/label/create", json!({"name": "loro"})).await["id"], 1);
    assert_eq!(labels(&api).await, [(1, "vip".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_are_made_at_once_are_one_for_each_name() {
    let (_world, api) = world().await;
    let names = |n: usize| ["Vip", "vip", " VIP ", "news", "News", "Lead"][n % 6];
    let made = join_all((0..24).map(|n| done(&api, "/api/v1/label/create", json!({"labelName": names(n)}))));
    let mut ids = [(); 3].map(|()| BTreeSet::new());
    for (n, answer) in made.await.into_iter().enumerate() {
        let which = [0, 0, 0, 1, 1, 2][n % 6];
        ids[which].insert(answer["id"].as_u64().unwrap());
    }
    assert!(ids.iter().all(|ids| ids.len() == 1), "{ids:?}");
    let all: BTreeSet<u64> = ids.iter().flatten().copied().collect();
    assert_eq!(all, BTreeSet::from([1, 2, 3]));
    assert_eq!(labels(&api).await.len(), 3);
}

#[tokio::test]
async fn tags_that_came_in_other_ways_are_labels() {
    let (world, api) = world().await;
    let row = json!({"email": "a@example.com", "tags": ["Nuovi clienti"]});
    api.post("/api/contacts", row).await.expect(201);
    let rows =
        json!({"contacts": [{"phone": phone(7), "tags": "fiera,vip"}, {"phone": phone(8), "tags": "VIP"}]});
    api.post("/api/contacts/bulk", rows).await.expect(200);
    let path = format!("/api/integrations/webhook/{}?source=hubspot", api.token);
    api.post(&path, json!({"email": "b@example.com"})).await.expect(200);
    let names: Vec<String> = labels(&api).await.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names[0], "Nuovi clienti");
    assert_eq!(names.len(), 4, "{names:?}");
    let by_name = |name: &str| names.iter().position(|known| known.eq_ignore_ascii_case(name)).unwrap() + 1;
    let ids = format!("{},{}", by_name("fiera"), by_name("hubspot"));
    done(&api, ASSIGN, json!({"subscriberId": 1, "labelIds": ids})).await;
    assert_eq!(shown(&api, 1).await["label_names"], "fiera,hubspot");
    // And a label is a tag to everybody else.
    let tagged = api.get("/api/contacts?tag=fiera").await.expect(200);
    assert_eq!(tagged["total"], 2);
    // What an older version stored is numbered by the job that the list orders.
    let tenant = world.tenant();
    let old = json!({"id": 7_001, "ver": 1, "email": "o@example.com", "tags": ["Di prima"], "created": 1,
                     "updated": 1, "q": "o@example.com"});
    world.left_before(&format!("CONTACTS#{tenant}#0000007"), "0000007001", &old).await;
    world.left_before(&format!("BLOCKS#{tenant}"), "0000007", &json!({"count": 1, "ver": 1})).await;
    world.left_before(&format!("COUNTER#{tenant}"), "contact form", &json!({"form": 1, "asked": 1})).await;
    assert!(!labels(&api).await.iter().any(|(_, name)| name == "Di prima"));
    world.drain().await;
    assert_eq!(labels(&api).await.last().unwrap(), &(5, "Di prima".to_owned()));
}

#[tokio::test]
async fn labels_come_and_go_by_ids_and_names() {
    let (_world, api) = world().await;
    let made = done(&api, "/api/v1/label/create", json!({"labelName": "High Intent Leads"})).await;
    let id = made["id"].clone();
    for labels in
        [json!({"labelIds": id}), json!({"label_ids": [id]}), json!({"labelIds": format!("{id}, {id}")})]
    {
        let mut body = labels;
        body["subscriberId"] = json!(1);
        done(&api, ASSIGN, body).await;
        assert_eq!(shown(&api, 1).await["labels"], json!(["High Intent Leads"]));
    }
    done(&api, ASSIGN, json!({"subscriberId": 1, "label_names": ["high intent LEADS", "news"]})).await;
    assert_eq!(shown(&api, 1).await["labels"], json!(["High Intent Leads", "news"]));
    let remove = "/api/v1/whatsapp/subscriber/chat/remove-labels";
    done(&api, remove, json!({"phone_number": phone(1), "label_ids": id})).await;
    done(&api, remove, json!({"phone_number": phone(1), "label_names": "nobody has it,NEWS"})).await;
    assert_eq!(shown(&api, 1).await["labels"], json!([]));
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for (body, want) in [
        (json!({"subscriberId": 1}), is("invalid_field", "labelIds")),
        (json!({"subscriberId": 1, "label_ids": ""}), is("invalid_field", "labelIds")),
        (json!({"subscriberId": 1, "labelIds": [[1]]}), is("invalid_field", "labelIds")),
        (json!({"subscriberId": 1, "label_names": many}), is("invalid_field", "label_names")),
    ] {
        assert_eq!(refused(&api, ASSIGN, body.clone()).await, want, "{body}");
    }
    let fifty = |from: usize| (from..from + 60).map(|n| format!("tag {n}")).collect::<Vec<_>>();
    done(&api, ASSIGN, json!({"subscriberId": 1, "label_names": fifty(0)})).await;
    let more = json!({"subscriberId": 1, "tags": fifty(60)});
    assert_eq!(refused(&api, ASSIGN, more).await, is("invalid_field", "tags"));
}

#[tokio::test]
async fn there_are_ten_thousand_labels_and_no_more() {
    let (world, api) = world().await;
    let tenant = world.tenant();
    let tags = |range: std::ops::Range<usize>| range.map(|n| format!("t{n}")).collect::<Vec<_>>();
    world.store().ensure_labels(tenant, &tags(0..9_950)).await.unwrap();
    // Of a row's tags those get a number that there is room for; all of them are tags.
    let row = json!({"phone": phone(9), "tags": tags(9_950..10_040)});
    let contact = api.post("/api/contacts", row).await.expect(201);
    assert_eq!(contact["contact"]["tags"].as_array().unwrap().len(), 90);
    let all = labels(&api).await;
    assert_eq!((all.len(), all.last().unwrap().0), (10_000, 10_000));
    assert_eq!(refused(&api, "/api/v1/label/create", json!({"name": "one more"})).await.0, "plan_limit");
    assert_eq!(refused(&api, ASSIGN, json!({"subscriberId": 1, "tags": "one more"})).await.0, "plan_limit");
    assert_eq!(done(&api, "/api/v1/label/create", json!({"name": "T7"})).await["data"]["label_name"], "t7");
    done(&api, ASSIGN, json!({"subscriberId": 1, "labelIds": "10000,1"})).await;
}

#[tokio::test]
async fn a_note_has_its_author_and_time_and_goes_with_the_subscriber() {
    let (_world, api) = world().await;
    let operator = api.post("/api/operators", json!({"name": "Bruno"})).await.expect(201);
    let bruno = api.with_key(operator["apikey"].as_str().unwrap());
    done(&api, NOTE, json!({"subscriberId": 1, "note": "Chiede i prezzi.\nRichiamare"})).await;
    done(
        &bruno,
        "/api/v1/whatsapp/subscriber/chat/add-notes",
        json!({"phone_number": phone(1), "note_text": "Fatto"}),
    )
    .await;
    let notes = shown(&api, 1).await["notes"].clone();
    assert_eq!((&notes[0]["author"], &notes[1]["author"]), (&json!("owner"), &json!("Bruno")));
    assert_eq!(notes[0]["note"], "Chiede i prezzi.\nRichiamare");
    assert!(notes[1]["created_at"].as_str().unwrap().starts_with("2026-07-01T08:00:0"), "{notes}");
    let list = api.get("/api/contacts").await.expect(200);
    assert_eq!(list["contacts"][0]["notes"], notes);
    assert!(list["contacts"][1].get("notes").is_none());
    api.json(Method::DELETE, "/api/contacts/1", &json!({})).await.expect(200);
    done(&api, "/api/v1/subscriber/create", json!({"phoneNumber": phone(1)})).await;
    let again =
        api.sendwo("/api/v1/subscriber/get", &format!("phone_number={}", &phone(1)[1..])).await.expect(200);
    assert_eq!(again["message"][0]["notes"], json!([]));
}

#[tokio::test]
async fn notes_are_bounded_and_survive_a_merge() {
    let (_world, api) = world().await;
    let one = done(&api, "/api/v1/subscriber/create", json!({"phoneNumber": phone(60)})).await;
    let one = one["subscriber_id"].as_u64().unwrap();
    for n in 0..100 {
        done(&api, NOTE, json!({"subscriberId": one, "note": format!("nota {n}")})).await;
    }
    assert_eq!(
        refused(&api, NOTE, json!({"subscriberId": one, "note": "x"})).await,
        is("invalid_field", "note")
    );
    let long = json!({"subscriberId": 2, "note_text": "x".repeat(4_001)});
    assert_eq!(refused(&api, NOTE, long).await, is("invalid_field", "note_text"));
    let by_email = json!({"email": "ada@example.com"});
    let other = done(&api, "/api/v1/subscriber/create", by_email).await["subscriber_id"].clone();
    done(&api, NOTE, json!({"subscriberId": other, "note": "per posta"})).await;
    // The number of one and the address of the other are one person's.
    api.post("/api/contacts", json!({"phone": phone(60), "email": "ada@example.com"})).await.expect(201);
    let notes = shown(&api, one).await["notes"].clone();
    let notes = notes.as_array().unwrap();
    assert_eq!(notes.len(), 101);
    assert_eq!(notes.iter().filter(|note| note["note"] == "per posta").count(), 1);
    assert_eq!(refused(&api, "/api/v1/subscriber/get", json!({"subscriberId": other})).await.0, "not_found");
}

#[tokio::test]
async fn an_opt_out_goes_with_the_subscriber_to_another_number() {
    let (world, api) = world().await;
    world.writes(&phone(1), "STOP");
    world.drain().await;
    done(&api, UPDATE, json!({"subscriberId": 1, "phoneNumber": phone(50)})).await;
    let send = |to: String| {
        let body = json!({"phoneNumberId": harness::PHONE_NUMBER_ID, "to": to, "message": "Ciao"});
        refused(&api, "/api/v1/whatsapp/send-text-message", body)
    };
    assert_eq!(send(phone(50)).await.0, "opted_out");
    assert_eq!(send(phone(1)).await.0, "opted_out");
    // The former number is nobody's: whoever has it is another subscriber.
    let new = done(&api, "/api/v1/subscriber/create", json!({"phoneNumber": phone(1)})).await;
    assert_ne!(new["subscriber_id"], 1);
    let audit = world.audit().await;
    assert_eq!((audit.contacts, audit.problems), (4, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_once_are_all_there() {
    let (world, api) = world().await;
    let change = |n: usize| {
        let (path, body) = match n % 3 {
            0 => (NOTE, json!({"subscriberId": 1, "note": format!("nota {n}")})),
            1 => (ASSIGN, json!({"subscriberId": 1, "label_names": format!("tag {n}")})),
            _ => (UPDATE, json!({"phone_number": phone(1), "custom_fields": {format!("f{n}"): n}})),
        };
        done(&api, path, body)
    };
    join_all((0..6).map(change)).await;
    let now = shown(&api, 1).await;
    assert_eq!(now["notes"].as_array().unwrap().len(), 2);
    assert_eq!(now["labels"].as_array().unwrap().len(), 2);
    assert_eq!(now["custom_fields"], json!({"f2": 2, "f5": 5}));
    assert_eq!(world.audit().await.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_note_under_a_key_is_written_once() {
    let (_world, api) = world().await;
    let note = json!({"subscriberId": 1, "note": "Chiede i prezzi", "idempotency_key": "n-1"});
    let first = done(&api, NOTE, note.clone()).await;
    assert_eq!(done(&api, NOTE, note.clone()).await, first);
    let mut other = note;
    other["note"] = json!("altro");
    assert_eq!(refused(&api, NOTE, other).await.0, "conflict");
    assert_eq!(shown(&api, 1).await["notes"].as_array().unwrap().len(), 1);
}
