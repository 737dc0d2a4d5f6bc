//! Lists stay below what a Lambda may answer, and nothing is missed.

use std::collections::BTreeSet;

use domain::contact::NewContact;
use domain::weight;
use harness::{Answer, Api, World, person};
use serde_json::{Value, json};

/// A contact as large as they get: 6 MB are some 200 of them.
fn large(n: usize) -> NewContact {
    let metadata = json!({"note": "x".repeat(16_000)});
    // 12 kB of labels: large as well for those who do not show metadata.
    let tags = (0..100).map(|tag| format!("{tag:02}{}", "è".repeat(62))).collect();
    NewContact { metadata: metadata.as_object().unwrap().clone(), tags, ..person(n) }
}

/// First some contacts of an ordinary size, then large ones.
async fn contacts(small: usize, count: usize) -> (World, Api) {
    let world = World::new().await;
    world.import((0..count).map(|n| if n < small { person(n) } else { large(n) })).await;
    let api = Api::of(&world).await;
    (world, api)
}

fn fits(answer: &Answer) -> Value {
    assert!(weight::of_json(&answer.body) <= weight::MOST, "{} bytes", answer.body.len());
    answer.expect(200)
}

fn ids(items: &Value, name: &str) -> Vec<u64> {
    items.as_array().unwrap().iter().map(|item| item[name].as_u64().unwrap()).collect()
}

/// Asks for 1,000 at a time, page by page, until the last answer says that it was the
/// last page.
async fn page_by_page(api: &Api, per_page: u64) -> Vec<u64> {
    let (mut seen, mut page) = (Vec::new(), 1);
    loop {
        let answer = fits(&api.get(&format!("/api/contacts?page={page}&per_page={per_page}")).await);
        assert!(answer["per_page"].as_u64().unwrap() < 1_000);
        seen.extend(ids(&answer["contacts"], "id"));
        if answer["last_page"] == page {
            return seen;
        }
        page += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_large_contacts_are_smaller_and_miss_nobody() {
    let (_world, api) = contacts(0, 320).await;
    let all: Vec<u64> = (1..=320).collect();
    assert_eq!(page_by_page(&api, 1_000).await, all);
    assert_eq!(page_by_page(&api, 200).await, all);
    let few = fits(&api.get("/api/contacts?per_page=40").await);
    assert_eq!((&few["per_page"], &few["last_page"]), (&json!(40), &json!(8)));

    let page = fits(&api.sendapi("/v1/whatsapp/contacts?limit=1000&page=2").await);
    let size = page["meta"]["limit"].as_u64().unwrap();
    assert!(size < 1_000 && page["meta"]["last_page"] == 320_u64.div_ceil(size));
    assert_eq!(ids(&page["data"], "id"), all[size as usize..2 * size as usize]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_half_way_through_when_pages_become_smaller_misses_nobody() {
    let (_world, api) = contacts(300, 560).await;
    let (mut seen, mut page, mut last) = (BTreeSet::new(), 1, 1);
    while page <= last {
        let answer = fits(&api.get(&format!("/api/contacts?page={page}&per_page=340")).await);
        seen.extend(ids(&answer["contacts"], "id"));
        (page, last) = (page + 1, answer["last_page"].as_u64().unwrap());
    }
    assert_eq!(seen.len(), 560);
    assert!(page > 3, "pages have become smaller");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sendwos_offsets_go_on_where_an_answer_ends() {
    let (_world, api) = contacts(0, 300).await;
    for order in ["asc", "desc"] {
        let (mut seen, mut offset) = (Vec::new(), 1);
        loop {
            let query = format!("limit=1000&offset={offset}&orderBy={order}");
            let answer = fits(&api.sendwo("/api/v1/subscriber/list", &query).await);
            seen.extend(ids(&answer["message"], "subscriber_id"));
            let Some(next) = answer["next_offset"].as_u64() else { break };
            offset = next;
        }
        if order == "desc" {
            seen.reverse();
        }
        assert_eq!(seen, (1..=300).collect::<Vec<u64>>(), "{order}");
    }
    let by_page = fits(&api.sendwo("/api/v1/subscriber/list", "limit=1000&page=2").await);
    assert!(ids(&by_page["message"], "subscriber_id")[0] > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn campaigns_go_on_behind_the_last_one() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    for _ in 0..5 {
        world.draft_of(world.text_draft("Ciao")).await.unwrap();
    }
    let first = fits(&api.get("/api/campaigns?limit=3").await);
    assert_eq!((ids(&first["campaigns"], "id"), &first["next_before"]), (vec![5, 4, 3], &json!(3)));
    let rest = fits(&api.get("/api/campaigns?limit=3&before=3").await);
    assert_eq!((ids(&rest["campaigns"], "id"), &rest["next_before"]), (vec![2, 1], &json!(null)));
}
