//! Figures of what must not grow with the audience: reports, progress, pre-flight.
//!
//! `cargo bench -p tests --bench bounded -- [full]`: 10,000 recipients and contacts, or
//! 100,000. Units and requests do not depend on the machine; times do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that fails has no figures")]

use std::time::Duration;

use campaign_worker::make_report;
use domain::{CampaignId, ContactId, ReportFormat};
use harness::{World, person};
use messaging::campaigns::{ReportAnswer, ReportRun, preflight, progress, report};
use store::ledger::RowOutcome;
use store::reports::{ReportKey, WantedReport};
use tokio::time::Instant;

/// Recipients of a block: block 0 has no contact 0.
const EACH: u64 = 999;
/// Blocks of a million recipients.
const MILLION: u64 = 1_000;

/// Does `work`, and prints what it took.
async fn measure<T>(world: &World, what: &str, work: impl Future<Output = T>) -> T {
    world.embedded.reset_capacity();
    // Starts the peak anew.
    let _unless_forbidden = std::fs::write("/proc/self/clear_refs", "5");
    let (before, start) = (memory("VmRSS"), Instant::now());
    let done = work.await;
    let took = start.elapsed();
    let spent = world.embedded.capacity();
    println!(
        "{what:<58} {:>8.2} s {:>9.0} read units {:>7} requests {:>6.1} MB at the peak",
        took.as_secs_f64(),
        spent.read_units(),
        spent.requests(),
        (memory("VmHWM") - before).max(0.0),
    );
    done
}

/// Memory of this process, in MB.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let kb = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kb| kb.parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1_024.0
}

/// Everybody has it: rows as large as they become.
async fn accept_all(world: &World, id: CampaignId, blocks: u64) {
    for block in 0..blocks {
        let first = (block * 1_000).max(1);
        let accepted = |n: u64| {
            let provider_id = format!("wamid.HBgMMzkzMzkxMjM0NTY3FQIAERgSM0VCN0ZEMzVERDY4{n:012}AA==");
            (ContactId(n), 1, RowOutcome::Accepted { provider_id, held: false })
        };
        let entries: Vec<_> = (first..first + EACH).map(accepted).collect();
        world.store().record(world.tenant(), id, &entries).await.unwrap();
    }
    mark_all(world, id, blocks).await;
}

async fn mark_all(world: &World, id: CampaignId, blocks: u64) {
    let all: Vec<u64> = (0..blocks).collect();
    world.store().mark_dirty(world.tenant(), id, &all).await.unwrap();
}

async fn reports(world: &World, id: CampaignId, blocks: u64) {
    for format in [ReportFormat::Csv, ReportFormat::Xlsx] {
        let of = ReportKey { tenant: world.tenant(), campaign: id, format };
        let wanted = world.store().want_report(of, world.clock.now_ms()).await.unwrap();
        let WantedReport::New(job) = wanted else { panic!("a job is under way") };
        let build = ReportRun { of, job: &job, run: 0, generation: 0 };
        let what = format!("report.{} of {} recipients is made", format.as_str(), blocks * EACH);
        measure(world, &what, make_report(&world.services, build, || false)).await.unwrap();
        let found = report(&world.services, world.tenant(), id, format, Duration::ZERO);
        let found = measure(world, "  the request, while it is current", found).await.unwrap();
        let ReportAnswer::At(url) = found else { panic!("the report is not current") };
        println!("  {:.1} MB", world.fetch(&url).await.1.len() as f64 / 1e6);
    }
}

async fn counts(world: &World, id: CampaignId) {
    let asked = progress(&world.services, world.tenant(), id);
    measure(world, "progress, every block changed", asked).await.unwrap();
    let counted = messaging::campaigns::count(&world.services, world.tenant(), id, 0, 0, || false);
    measure(world, "  the worker counts all of them", counted).await.unwrap();
    let asked = progress(&world.services, world.tenant(), id);
    measure(world, "  progress, nothing changed", asked).await.unwrap();
}

/// As many blocks as a million recipients have, of which the two are full that a
/// request counts.
async fn progress_of_a_million(world: &World) {
    let id = world.ledger(2, EACH, "").await;
    accept_all(world, id, 2).await;
    for block in 2..MILLION {
        let end = ContactId(block * 1_000);
        let none = store::ledger::Counts::default();
        world.store().publish_head(world.tenant(), id, block, end, &none).await.unwrap();
    }
    let asked = progress(&world.services, world.tenant(), id);
    measure(world, "progress of 1,000 blocks, every block changed", asked).await.unwrap();
}

async fn flights(world: &World, contacts: usize) {
    for start in (0..contacts).step_by(10_000) {
        let tagged = |n| {
            let mut new = person(n);
            if n % 1_000 == 7 {
                new.tags = vec!["vip".to_owned()];
            }
            new
        };
        world.import((start..start + 10_000).map(tagged)).await;
    }
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let id = world.draft("avviso").await;
    let look = preflight(&world.services, world.tenant(), id);
    let found = measure(world, &format!("pre-flight over {contacts} contacts"), look).await.unwrap();
    println!("  {} of a sample of {}", found.recipients, found.sample);
    let tags = vec!["vip".to_owned()];
    let few = domain::campaign::Draft {
        recipient_type: Some("tags".to_owned()),
        tags,
        ..world.template_draft("avviso")
    };
    let (campaign, _) = world.draft_of(few).await.unwrap();
    let look = preflight(&world.services, world.tenant(), campaign.id);
    let found = measure(world, "  of a tag that one in 1,000 has", look).await.unwrap();
    println!("  {} of a sample of {}", found.recipients, found.sample);
}

fn main() {
    let full = std::env::args().any(|argument| argument == "full");
    let blocks = if full { 100 } else { 10 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(async {
        let world = World::new().await;
        let id = world.ledger(blocks, EACH, "").await;
        accept_all(&world, id, blocks).await;
        reports(&world, id, blocks).await;
        mark_all(&world, id, blocks).await;
        counts(&world, id).await;
        progress_of_a_million(&world).await;
        flights(&World::new().await, usize::try_from(blocks).unwrap() * 1_000).await;
    });
}
