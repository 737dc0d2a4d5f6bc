//! Figures of the product on its embedded stores, as a table.
//!
//! `cargo bench -p tests --bench figures -- [full | COUNT] [CASE ...]`: 1,000 of
//! everything, up to 100,000, or so many; only the cases that are named, of `imports`,
//! `campaign`, `webhooks` and `search`. Units and requests do not depend on the machine;
//! times do.
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has no figures")]

use std::time::Duration;

use domain::contact::NewContact;
use harness::{
    APP_SECRET, Api, Hook, PHONE_NUMBER_ID, Setup, WABA_ID, World, person, phone, row, sign, webhook,
};
use serde_json::json;
use store::contacts::ContactFilter;
use tokio::time::Instant;

/// What one case cost.
struct Figures {
    what: String,
    count: usize,
    took: Duration,
    write_units: f64,
    requests: u64,
}

impl Figures {
    fn print(&self) {
        let each = |total: f64| total / self.count as f64;
        println!(
            "{:<34} {:>8} {:>9.2} s {:>10.0}/s {:>8.2} {:>8.3}",
            self.what,
            self.count,
            self.took.as_secs_f64(),
            self.count as f64 / self.took.as_secs_f64(),
            each(self.write_units),
            each(self.requests as f64),
        );
    }
}

/// Does `work`, which concerns `count` things.
async fn measure(world: &World, what: &str, count: usize, work: impl Future<Output = ()>) {
    world.embedded.reset_capacity();
    let start = Instant::now();
    work.await;
    let took = start.elapsed();
    let spent = world.embedded.capacity();
    let (write_units, requests) = (spent.write_units(), spent.requests());
    Figures { what: what.to_owned(), count, took, write_units, requests }.print();
}

/// Imports as the API takes them: 10,000 rows at most in one call.
async fn import(world: &World, rows: impl Iterator<Item = NewContact>) {
    let rows: Vec<NewContact> = rows.collect();
    for chunk in rows.chunks(10_000) {
        world.import(chunk.iter().cloned()).await;
    }
}

async fn imports(count: usize) {
    let world = World::new().await;
    measure(&world, "import, all new", count, import(&world, (0..count).map(person))).await;
    measure(&world, "import, all known", count, import(&world, (0..count).map(person))).await;
    let half = (0..count).map(|n| match n % 2 {
        0 => row(&phone(n), "", &format!("Nuovo nome {n}")),
        _ => person(count + n),
    });
    measure(&world, "import, half new, half renamed", count, import(&world, half)).await;
}

async fn campaign(count: usize) {
    let world = World::with(Setup { per_second: 10_000, ..Setup::default() }).await;
    world.set(json!({"delivered_after_ms": null, "sent_after_ms": 300, "statuses_per_webhook": 100}));
    import(&world, (0..count).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let id = world.draft("avviso").await;
    let run = async {
        world.launch(id).await;
        world.drain().await;
    };
    measure(&world, "campaign, up to sent", count, run).await;
    assert_eq!(world.counts(id).await, [("sent", count as u64)].into());
}

/// The same by fifty campaigns on one number.
async fn campaigns(count: usize) {
    const CAMPAIGNS: usize = 50;
    let world = World::with(Setup { per_second: 10_000, ..Setup::default() }).await;
    world.set(json!({"delivered_after_ms": null, "sent_after_ms": 300, "statuses_per_webhook": 100}));
    import(&world, (0..count / CAMPAIGNS).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let mut ids = Vec::new();
    for _ in 0..CAMPAIGNS {
        ids.push(world.draft("avviso").await);
    }
    let run = async {
        for id in &ids {
            world.launch(*id).await;
        }
        world.drain().await;
    };
    measure(&world, "50 campaigns, up to sent", count, run).await;
}

/// Webhooks of Meta's that go on to a user's server, up to `delivered`.
async fn webhooks(count: usize) {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let body = json!({"token": api.token, "url": hook.url});
    api.post("/api/whatsapp-meta/set_webhook", body).await.expect(200);
    let run = async {
        for n in 0..count {
            let body = webhook(&[(
                WABA_ID,
                vec![json!({"field": "messages", "value": {
                    "metadata": {"phone_number_id": PHONE_NUMBER_ID},
                    "statuses": [{"id": format!("wamid.{n}"), "status": "delivered", "timestamp": "1782892800"}],
                }})],
            )]);
            let bytes = body.to_string().into_bytes();
            world.meta_posts(&bytes, Some(&sign(APP_SECRET, &bytes))).await.unwrap();
        }
        world.drain().await;
    };
    measure(&world, "webhook, up to delivered", count, run).await;
    assert_eq!(hook.taken().len(), count);
}

async fn search(count: usize) {
    let world = World::new().await;
    import(&world, (0..count).map(person)).await;
    let mut times = Vec::new();
    for n in 0..20 {
        let filter = ContactFilter { search: Some(format!("sona {n}")), ..ContactFilter::default() };
        let start = Instant::now();
        world.store().list_contacts(world.tenant(), &filter, 0, 100).await.unwrap();
        times.push(start.elapsed());
    }
    times.sort();
    println!(
        "{:<34} {count:>8} {:>9.0} ms p50 {:>8.0} ms p99",
        "list with a search",
        times[times.len() / 2].as_secs_f64() * 1_000.0,
        times[times.len() - 1].as_secs_f64() * 1_000.0
    );
}

const CASES: [&str; 4] = ["imports", "campaign", "webhooks", "search"];

fn main() {
    let full = std::env::args().any(|arg| arg == "full");
    let given = std::env::args().find_map(|arg| arg.parse().ok());
    let sizes = match given {
        Some(size) => vec![size],
        None if full => vec![1_000, 10_000, 100_000],
        None => vec![1_000],
    };
    let names: Vec<String> = std::env::args().filter(|arg| CASES.contains(&arg.as_str())).collect();
    let wanted = |case: &str| names.is_empty() || names.iter().any(|name| name == case);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{:<34} {:>8} {:>11} {:>12} {:>8} {:>8}", "", "count", "time", "rate", "writes", "requests");
    runtime.block_on(async {
        for count in sizes {
            if wanted("imports") {
                imports(count).await;
            }
            if wanted("campaign") {
                campaign(count).await;
                campaigns(count).await;
            }
            if wanted("webhooks") {
                webhooks(count.min(10_000)).await;
            }
            if wanted("search") {
                search(count).await;
            }
        }
    });
}
