//! Reports: files that a job makes, handed out while they are current.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{Reader, open_workbook_from_rs};
use campaign_worker::make_report;
use domain::{CampaignId, ReportFormat};
use harness::{Api, Setup, World, person, row};
use local::embedded::Chaos;
use messaging::campaigns::ReportRun;
use serde_json::json;
use store::reports::{ReportKey, SILENCE_MS, WantedReport};

/// A campaign with a ledger of so many blocks, three recipients in each.
async fn campaign_of(world: &World, blocks: u64) -> CampaignId {
    world.ledger(blocks, 3, "outside_window").await
}

/// The same with lines so long that each block has almost a megabyte.
async fn large_campaign_of(world: &World, blocks: u64) -> CampaignId {
    world.ledger(blocks, 3, &"x".repeat(300_000)).await
}

fn key(world: &World, campaign: CampaignId) -> ReportKey<'_> {
    ReportKey { tenant: world.tenant(), campaign, format: ReportFormat::Csv }
}

fn ids(report: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(report).unwrap().lines().skip(1);
    lines.map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

fn path(campaign: CampaignId) -> String {
    format!("/api/campaigns/{campaign}/report.csv")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_has_a_line_for_everybody() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    world.import([person(1), row("", "solo@example.com", "Carla")]).await;
    let id = world.launched().await;
    world.drain().await;
    let csv = String::from_utf8(api.report(&world, id, "csv").await).unwrap();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((lines[0].len(), lines[0][10]), (11, "next_attempt_at"));
    assert_eq!(lines[1][..4], ["1", "+393330000001", "delivered", ""]);
    assert!(lines[1][4].starts_with("wamid."));
    assert_eq!(lines[2][..4], ["2", "", "skipped", "no_address"]);

    let bytes = api.report(&world, id, "xlsx").await;
    let mut book: calamine::Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("Recipients").unwrap();
    let rows: Vec<Vec<String>> =
        sheet.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    assert_eq!(rows, lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_of_a_file_says_what_it_is() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = campaign_of(&world, 1).await;
    let early = api.get(&path(id)).await;
    assert_eq!((early.status.as_u16(), &early.headers["retry-after"]), (202, &"5".parse().unwrap()));
    world.drain().await;
    for (query, name) in [("", "csv"), ("?format=csv", "csv"), ("?format=XLSX", "xlsx")] {
        let again = api.get(&format!("{}{query}", path(id))).await;
        if again.status == 202 {
            world.drain().await;
        }
        let found = api.get(&format!("{}{query}", path(id))).await;
        let location = found.headers["location"].to_str().unwrap();
        assert_eq!(found.status, 302);
        assert!(location.contains("/reports/") && location.contains("X-Amz-Expires=300"), "{location}");
        assert!(location.contains(&format!("campaign-{id}.{name}")), "{location}");
        assert!(location.contains("attachment"), "{location}");
    }
    assert_eq!(api.get(&format!("{}?format=pdf", path(id))).await.field(422), "format");
    assert_eq!(api.get(&path(CampaignId(99))).await.field(404), "campaign_id");
    assert_eq!(api.of_another_tenant().await.get(&path(id)).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_handed_out_until_a_row_changes() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = campaign_of(&world, 3).await;
    assert_eq!(ids(&api.report(&world, id, "csv").await).len(), 9);
    for _ in 0..2 {
        assert_eq!(api.get(&path(id)).await.status, 302);
        // To count the rows changes none of them.
        api.get(&format!("/api/campaigns/{id}")).await.expect(200);
    }
    assert_eq!(world.queued().await, 0);
    world.store().mark_dirty(world.tenant(), id, &[1]).await.unwrap();
    assert_eq!(api.get(&path(id)).await.status, 202, "a row has changed");
    world.drain().await;
    assert_eq!(api.get(&path(id)).await.status, 302);
    assert_eq!(api.get(&path(id)).await.status, 302);
    // The bucket forgets files.
    world.clock.advance_ms(25 * 60 * 60_000);
    assert_eq!(api.get(&path(id)).await.status, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_requests_at_once_one_file_is_made() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = campaign_of(&world, 2).await;
    let path = path(id);
    let asked = futures::future::join_all((0..20).map(|_| api.get(&path))).await;
    assert!(asked.iter().all(|answer| answer.status == 202));
    assert_eq!(world.queued().await, 1);
    world.drain().await;
    let found = futures::future::join_all((0..20).map(|_| api.get(&path))).await;
    let object = |answer: &harness::Answer| {
        let location = answer.headers["location"].to_str().unwrap();
        location.split('?').next().unwrap().to_owned()
    };
    assert_eq!(found.iter().map(object).collect::<BTreeSet<_>>().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_a_little_for_its_file() {
    let world = World::new().await;
    let id = campaign_of(&world, 2).await;
    let patience = std::time::Duration::from_secs(20);
    let services = &world.services;
    let asks = messaging::campaigns::report(services, world.tenant(), id, ReportFormat::Csv, patience);
    let works = async {
        while world.queued().await == 0 {
            tokio::task::yield_now().await;
        }
        world.drain().await;
    };
    let (found, ()) = tokio::join!(asks, works);
    assert!(matches!(found.unwrap(), messaging::campaigns::ReportAnswer::At(_)));
}

/// Lets a new job make a file; no queue knows of it.
async fn job(world: &World, id: CampaignId) -> String {
    world.store().mark_dirty(world.tenant(), id, &[0]).await.unwrap();
    match world.store().want_report(key(world, id), world.clock.now_ms()).await.unwrap() {
        WantedReport::New(job) => job,
        WantedReport::UnderWay => panic!("another job is under way"),
    }
}

/// One run of a job that has time for so many blocks.
async fn run(world: &World, id: CampaignId, job: &str, run: u64, blocks: u64) {
    let done = AtomicU64::new(0);
    let out_of_time = || done.fetch_add(1, Ordering::SeqCst) + 1 >= blocks;
    let build = ReportRun { of: key(world, id), job, run, generation: 0 };
    make_report(&world.services, build, out_of_time).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_goes_on_in_as_many_runs_as_it_takes() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    // Three parts of at least 5 MiB.
    let id = large_campaign_of(&world, 13).await;
    let whole = api.report(&world, id, "csv").await;
    assert_eq!((ids(&whole).len(), whole.len() > 11_000_000), (39, true));
    for (blocks, want) in [(1, 14), (5, 3), (6, 3), (100, 1)] {
        let (job, mut runs) = (job(&world, id).await, 0);
        while world.store().report(key(&world, id)).await.unwrap().job.is_some() {
            run(&world, id, &job, runs, blocks).await;
            runs += 1;
        }
        world.lose_jobs().await;
        assert_eq!(runs, want, "{blocks} blocks in a run");
        assert!(api.report(&world, id, "csv").await == whole, "{blocks} blocks in a run");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_comes_twice_changes_nothing() {
    let chaos = Chaos { duplicate: true, delay: true };
    let world = World::with(Setup { chaos, ..Setup::default() }).await;
    let api = Api::of(&world).await;
    let id = campaign_of(&world, 6).await;
    assert_eq!(ids(&api.report(&world, id, "csv").await).len(), 18);
    let job = job(&world, id).await;
    run(&world, id, &job, 0, 2).await;
    tokio::join!(run(&world, id, &job, 0, 100), run(&world, id, &job, 1, 100), run(&world, id, &job, 1, 100));
    run(&world, id, &job, 1, 100).await;
    world.drain().await;
    assert_eq!(ids(&api.report(&world, id, "csv").await).len(), 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_dies_is_replaced() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = large_campaign_of(&world, 8).await;
    let dead = job(&world, id).await;
    run(&world, id, &dead, 0, 7).await;
    world.lose_jobs().await;
    let begun = world.store().report(key(&world, id)).await.unwrap().job.unwrap().draft.unwrap();
    assert_eq!((begun.parts.len(), begun.block), (1, 7));
    assert_eq!(api.get(&path(id)).await.status, 202);
    assert_eq!(world.queued().await, 0, "the job may be alive");
    world.clock.advance_ms(SILENCE_MS);
    assert_eq!(ids(&api.report(&world, id, "csv").await).len(), 24);
    // What is left of the dead job does nothing any more, and its parts are gone.
    run(&world, id, &dead, 1, 100).await;
    let gone = world.embedded.s3().complete_multipart_upload().bucket("staffetta-media");
    let gone = gone.key(format!("reports/{}", begun.object)).upload_id(begun.upload.unwrap());
    assert!(gone.send().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_told_to_come_again_gets_a_file_while_rows_keep_changing() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = campaign_of(&world, 2).await;
    assert_eq!(api.get(&path(id)).await.status, 202);
    world.drain().await;
    world.store().mark_dirty(world.tenant(), id, &[0, 1]).await.unwrap();
    assert_eq!(api.get(&path(id)).await.status, 302, "it has what there was when it was asked for");
    assert_eq!(api.get(&path(id)).await.status, 202, "but not what there is now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_a_draft_has_no_lines() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let (campaign, _) = world.draft_of(world.text_draft("Ciao")).await.unwrap();
    assert!(ids(&api.report(&world, campaign.id, "csv").await).is_empty());
    let seen = api.post(&format!("/api/campaigns/{}/cancel", campaign.id), json!({})).await;
    assert_eq!(seen.status, 200);
}
