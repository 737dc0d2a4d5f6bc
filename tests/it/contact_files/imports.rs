//! Imports: what becomes of rows, dry runs, uploads and stops.

use harness::{Api, World, phone};
use serde_json::{Value, json};

use super::{PATH, announced, contacts, failed, imported, post, show, told};

const CLIENTS: &str = "Nome,Cognome,Cellulare,E-mail,Etichette,Città\n\
    Ada,Neri,333 123 4567,ada@example.com,vip;news,Roma\n\
    Bob,Bianchi,+39 333 123 4568,,,\"Reggio\nEmilia\"\n\
    Carla,,3.93E+11,,,\n\
    Dora,,,dora@example.com,,Bari\n\
    ,,,,,\n\
    Ada,,+393331234567,,again,\n";

#[tokio::test]
async fn a_csv_becomes_contacts_and_its_bad_rows_come_back() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let options = [("country", "IT"), ("tags", "lista,2026")];
    let import = imported(&world, &api, "clienti.csv", CLIENTS.as_bytes(), &options).await;
    assert_eq!(import["state"], "finished");
    let counts =
        ["rows", "rows_read", "created", "updated", "failed"].map(|name| import[name].as_u64().unwrap());
    assert_eq!(counts, [6, 5, 3, 1, 1]);
    assert_eq!(import["errors"][0]["row"], 3);
    assert_eq!(import["errors"][0]["field"], "phone");
    assert_eq!(told(&api, "name").await, ["Ada", "Bob Bianchi", "Dora"]);
    let all = contacts(&api).await;
    assert_eq!(all[0]["tags"], json!(["vip", "news", "lista", "2026", "again"]));
    assert_eq!(all[1]["metadata"], json!({"città": "Reggio\nEmilia"}));
    let rows = failed(&world, &api, &import).await;
    assert_eq!(rows[0], "Nome,Cognome,Cellulare,E-mail,Etichette,Città,reason");
    assert!(rows[1].starts_with("Carla,,3.93E+11,,,,") && rows.len() == 2, "{rows:?}");
    // Corrected, it is imported again.
    let corrected = rows.join("\n").replace("3.93E+11", &phone(9));
    let again = imported(&world, &api, "failed.csv", corrected.as_bytes(), &[]).await;
    assert_eq!((&again["created"], &again["failed"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_and_writes_nothing() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    api.post("/api/contacts", json!({"phone": "+393331234568", "tags": ["old"]})).await.expect(201);
    let mut file = CLIENTS.to_owned();
    for n in 0..40 {
        file.push_str(&format!("P{n},,{},,,\n", phone(n % 30)));
    }
    let options = [("country", "IT"), ("dry_run", "1"), ("mapping", r#"{"Città": "metadata.city"}"#)];
    let dry = post(&api, "clienti.csv", file.as_bytes(), &options).await.expect(200);
    let counts = ["rows", "created", "updated", "failed", "counted"].map(|name| dry[name].as_u64().unwrap());
    assert_eq!(counts, [46, 32, 12, 1, 45]);
    let rows = dry["preview"].as_array().unwrap();
    assert_eq!(rows.len(), 20);
    assert_eq!(
        (&rows[0]["outcome"], &rows[1]["outcome"], &rows[2]["outcome"]),
        (&json!("created"), &json!("updated"), &json!("failed"))
    );
    assert_eq!(rows[0]["contact"]["metadata"], json!({"city": "Roma"}));
    assert_eq!(rows[1]["contact"]["tags"], json!(["old"]));
    assert!(rows[2]["reason"].as_str().unwrap().contains("phone"));
    world.drain().await;
    assert_eq!(contacts(&api).await.len(), 1);
    assert_eq!(api.get(PATH).await.expect(200)["imports"], json!([]));
    // The import does just that.
    let done = imported(&world, &api, "clienti.csv", file.as_bytes(), &options[..1]).await;
    assert_eq!([&done["created"], &done["updated"], &done["failed"]], [&json!(32), &json!(12), &json!(1)]);
}

#[tokio::test]
async fn an_upload_is_imported_when_it_is_there() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let dry = announced(&world, &api, CLIENTS.as_bytes(), json!({"country": "IT", "dry_run": true})).await;
    world.drain().await;
    let import = show(&api, &dry).await;
    assert_eq!((&import["state"], &import["created"]), (&json!("finished"), &json!(3)));
    assert_eq!(import["preview"].as_array().unwrap().len(), 5);
    assert!(contacts(&api).await.is_empty());

    let begun = announced(&world, &api, CLIENTS.as_bytes(), json!({"country": "IT"})).await;
    world.drain().await;
    let import = show(&api, &begun).await;
    assert_eq!(
        (&import["state"], &import["created"], &import["failed"]),
        (&json!("finished"), &json!(3), &json!(1))
    );
    assert_eq!(failed(&world, &api, &import).await.len(), 2);
    let all = api.get(PATH).await.expect(200);
    let ids: Vec<&Value> = all["imports"].as_array().unwrap().iter().map(|import| &import["id"]).collect();
    assert_eq!(ids, [&begun["import"]["id"], &dry["import"]["id"]]);
    let page = api.get(&format!("{PATH}?limit=1")).await.expect(200);
    let next =
        api.get(&format!("{PATH}?limit=1&before={}", page["next"].as_str().unwrap())).await.expect(200);
    assert_eq!(next["imports"][0]["id"], dry["import"]["id"]);
}

#[tokio::test]
async fn an_import_is_stopped_and_not_twice() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let begun = post(&api, "clienti.csv", CLIENTS.as_bytes(), &[("country", "IT")]).await.expect(202);
    let path = format!("{PATH}/{}", begun["import"]["id"].as_str().unwrap());
    let stopped = api.json(http::Method::DELETE, &path, &json!({})).await.expect(200);
    assert_eq!(stopped["import"]["state"], "cancelling");
    world.drain().await;
    assert_eq!(show(&api, &begun).await["state"], "cancelled");
    assert!(contacts(&api).await.is_empty());
    assert_eq!(api.json(http::Method::DELETE, &path, &json!({})).await.status, 409);
    // One whose file never comes.
    let body = json!({"size": 100});
    let waiting = api.post(PATH, body).await.expect(202);
    let path = format!("{PATH}/{}", waiting["import"]["id"].as_str().unwrap());
    let stopped = api.json(http::Method::DELETE, &path, &json!({})).await.expect(200);
    assert_eq!(stopped["import"]["state"], "cancelled");
    let other = api.of_another_tenant().await;
    assert_eq!(other.get(&path).await.status, 404);
}

#[tokio::test]
async fn the_same_request_imports_once() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let options = [("country", "IT"), ("idempotency_key", "k-1")];
    let first = post(&api, "clienti.csv", CLIENTS.as_bytes(), &options).await.expect(202);
    let second = post(&api, "clienti.csv", CLIENTS.as_bytes(), &options).await.expect(202);
    assert_eq!(first["import"]["id"], second["import"]["id"]);
    assert_eq!(post(&api, "clienti.csv", b"phone\n+393331234567\n", &options).await.status, 409);
}

#[tokio::test]
async fn the_country_of_the_account_completes_numbers() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let rows = b"nome;telefono\nAda;0612345678\n";
    let without = imported(&world, &api, "a.csv", rows, &[]).await;
    assert_eq!(without["failed"], 1);
    let settings = json!({"token": api.token, "default_country": "IT"});
    api.post("/api/accounts/settings", settings).await.expect(200);
    let with = imported(&world, &api, "a.csv", rows, &[]).await;
    assert_eq!(with["created"], 1, "{with}");
    assert_eq!(told(&api, "phone").await, ["+390612345678"]);
}

#[tokio::test]
async fn a_column_of_consent_is_its_proof_and_lifts_no_opt_out() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    api.post("/api/contacts", json!({"phone": phone(1)})).await.expect(201);
    let out = json!({"token": api.token, "number": phone(1)});
    assert!(api.post("/api/suppressions", out).await.status.is_success());
    let file = format!("telefono,consenso\n{},sì\n{},2024-05-01\n{},no\n", phone(1), phone(2), phone(3));
    let import = imported(&world, &api, "fiera.csv", file.as_bytes(), &[]).await;
    assert_eq!((&import["created"], &import["updated"]), (&json!(2), &json!(1)));
    let all = contacts(&api).await;
    assert_eq!(all[0]["consent"]["state"], "opted_out");
    let proof = json!({"at": "2024-05-01T00:00:00.000Z", "source": "import", "detail": "fiera.csv"});
    assert_eq!(all[1]["consent"]["opt_in"], proof);
    assert_eq!(all[2].get("consent"), None);
}
