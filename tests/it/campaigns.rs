//! Campaigns from draft to end, through the whole product.

use domain::campaign::{CampaignState, Draft};
use domain::message::Address;
use domain::plan::Plan;
use domain::{CampaignId, ContactId};
use harness::{Setup, World, named, person, phone, row};
use messaging::campaigns::{Which, cancel, launch, pause, preflight, resume};
use ops::Code;
use ops::suppression::{ConsentChange, OptOutSource, opt_out};
use serde_json::json;
use simulators::graph::FaultRule;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_the_message_once() {
    let world = World::new().await;
    world.set(json!({"final_status": "read"}));
    world.import((0..2_000).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    assert_eq!(world.counts(id).await, [("read", 2_000)].into());
    let stats = world.simulator.stats();
    assert_eq!((stats.accepted, stats.distinct_recipients, stats.repeated), (2_000, 2_000, 0));
    let texts = world.simulator.messages(Some(&phone(7)), 1);
    let parameter = &texts[0].body["template"]["components"][0]["parameters"][0]["text"];
    assert_eq!(parameter, "Persona 7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_keeps_to_its_budget() {
    let world = World::new().await;
    world.set(json!({"delivered_after_ms": null, "statuses_per_webhook": 100, "flush_after_ms": 20}));
    world.import((0..2_000).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let id = world.draft("avviso").await;
    world.embedded.reset_capacity();
    world.launch(id).await;
    world.drain().await;
    let spent = world.embedded.capacity();
    assert_eq!(world.counts(id).await, [("sent", 2_000)].into());
    let each = |total: f64| total / 2_000.0;
    assert!(each(spent.write_units()) <= 3.5, "{} units each: {spent:?}", each(spent.write_units()));
    assert!(
        each(spent.requests() as f64) <= 0.4,
        "{} requests each: {spent:?}",
        each(spent.requests() as f64)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_starts_once() {
    let world = World::new().await;
    world.import((0..100).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let id = world.draft("avviso").await;
    let start = || launch(&world.services, world.tenant(), id, None);
    let (a, b, c) = tokio::join!(start(), start(), start());
    let all = [a, b, c];
    assert_eq!(all.iter().filter(|r| r.is_ok()).count(), 1, "{all:?}");
    assert!(all.iter().filter_map(|r| r.as_ref().err()).all(|e| e.code == Code::Conflict));
    world.drain().await;
    let late = start().await.unwrap_err();
    assert_eq!((late.code, late.message.as_str()), (Code::Conflict, "the campaign is finished"));
    assert_eq!(world.simulator.stats().accepted, 100);
}

#[tokio::test]
async fn what_a_template_lacks_is_a_warning_at_draft_and_an_error_at_launch() {
    let world = World::new().await;
    let body = "Ciao {{1}}, il tuo ordine numero {{2}} partirà domani mattina dal nostro magazzino.";
    world.template("ordine", "UTILITY", body).await;
    let (campaign, warnings) = world.draft_of(world.template_draft("ordine")).await.unwrap();
    assert_eq!(warnings, ["template_params has no value for body {{2}}"]);
    let refused = launch(&world.services, world.tenant(), campaign.id, None).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (Code::InvalidField, Some("template_params")));
    let (_, warnings) = world.draft_of(world.template_draft("nessuno")).await.unwrap();
    assert_eq!(warnings, ["there is no template named nessuno"]);
    let sms = Draft { channel: "sms".to_owned(), ..world.text_draft("Ciao") };
    let (campaign, warnings) = world.draft_of(sms).await.unwrap();
    assert_eq!(warnings.len(), 1);
    let refused = launch(&world.services, world.tenant(), campaign.id, None).await.unwrap_err();
    assert_eq!(refused.code, Code::NoDevice);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_must_not_be_sent_to_is_skipped_with_the_reason() {
    let world = World::new().await;
    let out: Address = Address::Phone(phone(3).parse().unwrap());
    let rows = [
        person(1),
        named("+12025550123", "Ann"),
        named(&phone(3), "Bruno"),
        named(&phone(4), ""),
        row("", "solo@example.com", "Carla"),
    ];
    world.import(rows).await;
    let (publisher, source) = (&world.publisher(), OptOutSource::Keyword);
    let on = ConsentChange {
        publisher,
        tenant: world.tenant(),
        account: None,
        channel: None,
        source,
        word: None,
        said_ms: None,
    };
    opt_out(on, &out).await.unwrap();
    world.template("promo", "MARKETING", "Ciao {{1}}, a presto").await;
    let id = world.draft("promo").await;
    let before = preflight(&world.services, world.tenant(), id).await.unwrap();
    world.launch(id).await;
    world.drain().await;
    let reasons = world.reasons(id).await;
    let each = ["marketing_to_us", "missing_parameter", "no_address", "opted_out"];
    assert_eq!(reasons, each.map(|reason| (reason.to_owned(), 1)).into());
    assert_eq!(world.counts(id).await, [("delivered", 1), ("skipped", 4)].into());
    assert_eq!((before.recipients, before.sendable, &before.skipped), (5, 1, &reasons));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_text_reaches_only_open_windows() {
    let world = World::new().await;
    world.import((0..10).map(person)).await;
    world.writes(&phone(4), "Buongiorno");
    world.drain().await;
    let (campaign, _) = world.draft_of(world.text_draft("Ciao {{name|amico}}!")).await.unwrap();
    world.launch(campaign.id).await;
    world.drain().await;
    assert_eq!(world.counts(campaign.id).await, [("delivered", 1), ("skipped", 9)].into());
    assert_eq!(world.reasons(campaign.id).await, [("outside_window".to_owned(), 9)].into());
    assert_eq!(world.simulator.messages(None, 1)[0].body["text"]["body"], "Ciao Persona 4!");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_choose_the_audience_which_is_fixed_at_start() {
    let world = World::new().await;
    let tagged = |n: usize, tags: &[&str]| {
        let mut new = person(n);
        new.tags = tags.iter().map(|t| (*t).to_owned()).collect();
        new
    };
    world.import([tagged(1, &["a"]), tagged(2, &["b", "a"]), tagged(3, &["ab"]), tagged(4, &["c"])]).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let tags = vec!["a".to_owned(), "c".to_owned()];
    let draft = Draft { recipient_type: Some("tags".to_owned()), tags, ..world.template_draft("avviso") };
    let (campaign, _) = world.draft_of(draft).await.unwrap();
    world.import([tagged(5, &["a"])]).await;
    world.launch(campaign.id).await;
    world.import([tagged(6, &["a"])]).await;
    world.drain().await;
    let ids: Vec<u64> = world.rows(campaign.id).await.iter().map(|row| row.contact.0).collect();
    assert_eq!(ids, [1, 2, 4, 5]);
    assert_eq!(world.counts(campaign.id).await, [("delivered", 4)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_campaign_starts_by_itself_and_once() {
    let world = World::new().await;
    world.import((0..20).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let at = Some("2026-07-01T11:00:00".to_owned());
    let (campaign, _) =
        world.draft_of(Draft { scheduled_at: at, ..world.template_draft("avviso") }).await.unwrap();
    assert_eq!(campaign.state, CampaignState::Scheduled);
    world.sweep().await;
    world.drain().await;
    assert_eq!(world.campaign(campaign.id).await.state, CampaignState::Scheduled);
    // An hour later, at 11 in Rome, and far too late for a punctual sweep.
    world.clock.advance_ms(90 * 60_000);
    tokio::join!(world.sweep(), world.sweep());
    world.sweep().await;
    world.drain().await;
    world.clock.advance_ms(60_000);
    world.sweep().await;
    world.drain().await;
    assert_eq!(world.campaign(campaign.id).await.state, CampaignState::Finished);
    assert_eq!((world.simulator.stats().accepted, world.simulator.stats().repeated), (20, 0));
    assert_eq!(world.sweep().await, 0, "nothing is watched any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_campaign_that_cannot_start_has_failed() {
    let world = World::new().await;
    let at = Some("2026-07-01T09:00:00Z".to_owned());
    let (campaign, _) =
        world.draft_of(Draft { scheduled_at: at, ..world.template_draft("manca") }).await.unwrap();
    world.clock.advance_ms(61 * 60_000);
    world.sweep().await;
    world.drain().await;
    let campaign = world.campaign(campaign.id).await;
    assert_eq!(campaign.state, CampaignState::Failed);
    assert_eq!(campaign.reason.as_deref(), Some("there is no template named manca"));
}

/// A campaign to 400 that was paused after the first 60.
async fn paused(world: &World) -> (CampaignId, u64) {
    world.import((0..400).map(person)).await;
    let id = world.launched().await;
    let stop = async {
        world.until(|stats| stats.accepted >= 60).await;
        pause(&world.services, world.tenant(), id).await.unwrap();
        world.simulator.stats().accepted
    };
    let (at_pause, ()) = tokio::join!(stop, world.drain());
    (id, at_pause)
}

async fn slow() -> World {
    World::with(harness::Setup { per_second: 200, ..harness::Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_takes_effect_within_a_wave_and_resume_loses_nobody() {
    let world = slow().await;
    let (id, at_pause) = paused(&world).await;
    let campaign = world.campaign(id).await;
    assert_eq!(
        (campaign.state, campaign.reason.as_deref()),
        (CampaignState::Paused, Some("paused by its owner"))
    );
    let accepted = world.simulator.stats().accepted;
    // What was claimed is sent: a wave of 50 and what 150 ms of turns hold.
    assert!(accepted <= at_pause + 50 + 30, "{at_pause} at the pause, {accepted} in the end");
    assert_eq!(world.counts(id).await, [("delivered", accepted), ("pending", 400 - accepted)].into());
    resume(&world.services, world.tenant(), id, None).await.unwrap();
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 400)].into());
    assert_eq!((world.simulator.stats().accepted, world.simulator.stats().repeated), (400, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_leaves_the_rest_skipped() {
    let world = slow().await;
    world.import((0..400).map(person)).await;
    let id = world.launched().await;
    let stop = async {
        world.until(|stats| stats.accepted >= 60).await;
        cancel(&world.services, world.tenant(), id).await.unwrap();
    };
    tokio::join!(stop, world.drain());
    world.clock.advance_ms(20_000);
    world.sweep().await;
    world.drain().await;
    let accepted = world.simulator.stats().accepted;
    assert_eq!(world.campaign(id).await.state, CampaignState::Cancelled);
    assert_eq!(world.counts(id).await, [("delivered", accepted), ("skipped", 400 - accepted)].into());
    assert_eq!(world.reasons(id).await, [("cancelled".to_owned(), 400 - accepted)].into());
    assert!(resume(&world.services, world.tenant(), id, None).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_campaign_can_be_cancelled() {
    let world = slow().await;
    let (id, _) = paused(&world).await;
    cancel(&world.services, world.tenant(), id).await.unwrap();
    world.drain().await;
    let accepted = world.simulator.stats().accepted;
    assert_eq!(world.counts(id).await, [("delivered", accepted), ("skipped", 400 - accepted)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_failed_can_be_sent_again() {
    let world = World::new().await;
    world.import((0..100).map(person)).await;
    world.fault(FaultRule { code: Some(131_026), next: Some(5), ..FaultRule::default() });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 95), ("failed", 5)].into());
    let again = resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
    assert_eq!(again, (CampaignState::Running, Some(5)));
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 100)].into());
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    assert_eq!((world.simulator.stats().accepted, world.simulator.stats().repeated), (100, 0));
    let nothing = resume(&world.services, world.tenant(), id, Some(Which::Failed)).await.unwrap();
    assert_eq!(nothing, (CampaignState::Finished, Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_campaigns_of_a_number_share_it() {
    let world = World::new().await;
    world.import((0..300).map(person)).await;
    let first = world.launched().await;
    let second = world.draft("avviso").await;
    world.launch(second).await;
    world.drain().await;
    for id in [first, second] {
        assert_eq!(world.counts(id).await, [("delivered", 300)].into());
        assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    }
    assert_eq!(world.simulator.stats().accepted, 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_of_nobody_is_finished_at_once() {
    let world = World::new().await;
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.campaign(id).await.state, CampaignState::Finished);
    assert_eq!(world.counts(id).await, [].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plans_messages_of_a_day_are_a_limit() {
    let plan = domain::plan::Plan { messages_per_day: Some(100), ..Default::default() };
    let world = World::with(harness::Setup { plan, ..harness::Setup::default() }).await;
    world.import((0..150).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    let campaign = world.campaign(id).await;
    assert_eq!(campaign.state, CampaignState::Paused);
    assert!(campaign.reason.unwrap().starts_with("plan_limit"));
    assert_eq!(world.counts(id).await, [("delivered", 100), ("pending", 50)].into());
    world.clock.advance_ms(24 * 60 * 60_000);
    resume(&world.services, world.tenant(), id, None).await.unwrap();
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 150)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_that_is_deleted_after_the_start_is_still_in_the_report() {
    let world = World::new().await;
    world.import((0..3).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    ops::contacts::delete(&world.publisher(), world.tenant(), ContactId(2)).await.unwrap();
    assert_eq!(world.counts(id).await, [("delivered", 3)].into());
}

#[tokio::test]
async fn a_daily_limit_is_used_up_before_the_campaign_pauses() {
    let plan = Plan { messages_per_day: Some(5), ..Plan::default() };
    let world = World::with(Setup { plan, ..Setup::default() }).await;
    world.import((0..12).map(person)).await;
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("delivered", 5), ("pending", 7)].into());
    let campaign = world.campaign(id).await;
    assert_eq!(campaign.state, CampaignState::Paused);
    assert!(campaign.reason.unwrap().starts_with("plan_limit"));
}

#[tokio::test]
async fn an_opt_out_blocks_campaigns_of_every_category() {
    let world = World::new().await;
    world.import([person(1), person(2)]).await;
    world.writes(&phone(1), "STOP");
    world.drain().await;
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.reasons(id).await, [("opted_out".to_owned(), 1)].into());
    assert_eq!(world.simulator.stats().accepted, 1);
}
