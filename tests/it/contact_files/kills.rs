//! Workers that are killed amid an import: every row once, and right to the row.

use std::fmt::Write;

use contact_files::{
    ContactFiles, ExportOptions, ImportOptions, NewImport, create as create_import, create_export,
};
use harness::{Api, World, phone};
use serde_json::{Value, json};
use store::transfers::{TransferKey, Way};

use super::{announced, contacts, failed, post, show};

/// Longer than a message of the queue is invisible.
const LATER_MS: i64 = 600_000;

/// Rows of whom every hundredth is refused, and the last tenth are the first again.
fn file(rows: usize) -> (String, u64, u64) {
    let (mut text, mut bad) = ("nome,telefono\n".to_owned(), 0);
    for n in 0..rows {
        let is_bad = n % 100 == 99;
        bad += u64::from(is_bad);
        let who = if n >= rows - rows / 10 { n - (rows - rows / 10) } else { n };
        let number = if is_bad { "12".to_owned() } else { phone(who) };
        writeln!(text, "P{n},{number}").unwrap();
    }
    let repeated = (rows - rows / 10..rows).filter(|n| n % 100 != 99).count() as u64;
    let shift = rows - rows / 10;
    // Those of the last tenth whose first row was bad are new.
    let fresh = (shift..rows).filter(|n| n % 100 != 99 && (n - shift) % 100 == 99).count() as u64;
    (text, bad, repeated - fresh)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_anywhere_is_right_to_the_row() {
    let rows = 6_000;
    let (text, bad, repeated) = file(rows);
    for kills in [[3, 40], [30, 200], [90, 300]] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        let begun = announced(&world, &api, text.as_bytes(), json!({})).await;
        for steps in kills {
            let ended = world.kill_after(steps, world.drain()).await;
            assert!(ended.is_none(), "it was done before it was killed: {steps}");
            world.clock.advance_ms(LATER_MS);
        }
        world.drain().await;
        let import = show(&api, &begun).await;
        assert_eq!(import["state"], "finished", "{import}");
        let counts = ["rows_read", "created", "updated", "failed"].map(|name| import[name].as_u64().unwrap());
        assert_eq!(counts, [rows as u64, rows as u64 - bad - repeated, repeated, bad], "{kills:?}");
        let total = api.get("/api/contacts").await.expect(200)["total"].as_u64().unwrap();
        assert_eq!(total, counts[1]);
        let lines = failed(&world, &api, &import).await;
        assert_eq!(lines.len() as u64, bad + 1);
        assert!(
            lines[1..]
                .iter()
                .enumerate()
                .all(|(i, line)| line.starts_with(&format!("P{},12,", i * 100 + 99)))
        );
    }
}

#[tokio::test]
async fn of_two_copies_of_a_job_one_goes_on() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let (text, bad, _) = file(300);
    let begun = post(&api, "a.csv", text.as_bytes(), &[]).await.expect(202);
    let id = begun["import"]["id"].as_str().unwrap();
    let job = queue::CampaignJob::Import { tenant: world.tenant().to_string(), id: id.to_owned(), leg: 1 };
    world.services.queues.campaign(job.clone(), 0).await.unwrap();
    world.drain().await;
    // A copy that comes when all is done.
    world.services.queues.campaign(job, 0).await.unwrap();
    world.drain().await;
    let import = show(&api, &begun).await;
    assert_eq!((&import["rows_read"], &import["failed"]), (&json!(300), &json!(bad)));
    assert_eq!(contacts(&api).await.len() as u64, import["created"].as_u64().unwrap());
}

#[tokio::test]
async fn an_import_goes_on_in_the_next_job_when_its_time_is_over() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let (text, bad, repeated) = file(6_000);
    let begun = post(&api, "a.csv", text.as_bytes(), &[]).await.expect(202);
    let id = begun["import"]["id"].as_str().unwrap().to_owned();
    world.lose_jobs().await;
    let files = contact_files::ContactFiles {
        store: world.store().clone(),
        queues: world.services.queues.clone(),
        bucket: world.services.files.bucket().clone(),
    };
    for leg in 1..=3 {
        contact_files::run_import(&files, world.tenant(), &id, leg, 0, || true).await.unwrap();
        world.lose_jobs().await;
        let key = TransferKey { way: Way::Import, tenant: world.tenant(), id: &id };
        let found = world.store().transfer::<contact_files::Import>(key).await.unwrap().unwrap();
        assert_eq!(found.leg, leg);
        // A copy of a leg that is over does nothing.
        if leg > 1 {
            contact_files::run_import(&files, world.tenant(), &id, leg - 1, 0, || true).await.unwrap();
        }
    }
    contact_files::run_import(&files, world.tenant(), &id, 4, 0, || true).await.unwrap();
    let import = show(&api, &begun).await;
    assert_eq!((&import["state"], &import["failed"]), (&json!("finished"), &json!(bad)), "{import}");
    assert_eq!(import["created"].as_u64().unwrap(), 6_000 - bad - repeated);
}

#[tokio::test]
async fn what_breaks_off_before_its_job_is_queued_is_done_once_somebody_looks() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let (store, tenant) = (world.store(), world.tenant());
    let bucket = world.services.files.bucket().clone();
    let files = ContactFiles { store: store.clone(), queues: world.services.queues.clone(), bucket };
    let new = NewImport { file_name: "a.csv".to_owned(), options: ImportOptions::default() };
    let export = ExportOptions { format: "csv".to_owned(), ..ExportOptions::default() };
    for steps in 0.. {
        let csv = format!("telefono\n{}\n", phone(steps)).into_bytes().into();
        let steps = steps as u64;
        let imported = world.kill_after(steps, create_import(&files, tenant, &new, csv)).await;
        let exported = world.kill_after(steps, create_export(&files, tenant, export.clone())).await;
        if imported.is_some() && exported.is_some() {
            break;
        }
    }
    world.drain().await;
    world.clock.advance_ms(61_000);
    for path in ["/api/contacts/imports", "/api/contacts/exports"] {
        let ids = |list: &Value| -> Vec<String> {
            let all = list[path.rsplit('/').next().unwrap()].as_array().unwrap().iter();
            all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        let list = api.get(path).await.expect(200);
        assert!(ids(&list).len() > 1, "{list}");
        for id in ids(&list) {
            api.get(&format!("{path}/{id}")).await.expect(200);
        }
        world.drain().await;
        let list = api.get(path).await.expect(200);
        let all = list[path.rsplit('/').next().unwrap()].as_array().unwrap().clone();
        assert!(all.iter().all(|one| one["state"] == "finished"), "{list}");
    }
}
