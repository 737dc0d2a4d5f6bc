//! What a launch would do: exact for few contacts, estimated for many.

use domain::CampaignId;
use domain::campaign::Draft;
use domain::contact::NewContact;
use domain::message::Address;
use harness::{World, person, phone, row};
use messaging::campaigns::{Preflight, preflight};
use ops::suppression::{ConsentChange, OptOutSource, opt_out};

/// Of ten, one has no phone, and one is tagged `vip`.
fn somebody(n: usize) -> NewContact {
    match n % 10 {
        3 => row("", &format!("p{n}@example.com"), "Senza numero"),
        6 => NewContact { tags: vec!["vip".to_owned()], ..person(n) },
        _ => person(n),
    }
}

/// The first `opted_out` of the others want no messages.
async fn world_of(contacts: usize, opted_out: usize) -> World {
    let world = World::new().await;
    world.import((0..contacts).map(somebody)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    for n in (0..contacts).filter(|n| n % 10 == 5).take(opted_out) {
        let address = Address::parse(&phone(n)).unwrap();
        let (publisher, tenant) = (&world.publisher(), world.tenant());
        let on = ConsentChange {
            publisher,
            tenant,
            account: None,
            channel: None,
            source: OptOutSource::Owner,
            word: None,
            said_ms: None,
        };
        opt_out(on, &address).await.unwrap();
    }
    world
}

async fn vip(world: &World) -> CampaignId {
    let tags = vec!["vip".to_owned()];
    let draft = Draft { recipient_type: Some("tags".to_owned()), tags, ..world.template_draft("avviso") };
    world.draft_of(draft).await.unwrap().0.id
}

async fn look(world: &World, id: CampaignId) -> (Preflight, f64) {
    world.embedded.reset_capacity();
    let found = preflight(&world.services, world.tenant(), id).await.unwrap();
    (found, world.embedded.capacity().read_units())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_contacts_are_looked_at_one_by_one() {
    let world = world_of(800, 20).await;
    let (found, units) = look(&world, world.draft("avviso").await).await;
    assert_eq!((found.recipients, found.sendable, found.estimated, found.sample), (800, 700, false, 800));
    let skipped: Vec<(&str, u64)> = found.skipped.iter().map(|(why, n)| (why.as_str(), *n)).collect();
    assert_eq!(skipped, [("no_address", 80), ("opted_out", 20)]);
    assert!(units < 2_000.0, "{units}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_contacts_are_estimated_and_cost_no_more_the_more_they_are() {
    let (few, many) = tokio::join!(world_of(1_500, 0), world_of(6_000, 0));
    let (all, units) = look(&many, many.draft("avviso").await).await;
    assert!(all.estimated && (400..=500).contains(&all.sample), "{all:?}");
    let near = |is: u64, want: f64| (is as f64 - want).abs() <= want * 0.15;
    assert!(near(all.recipients, 6_000.0), "{all:?}");
    assert!(near(all.sendable, 5_400.0) && near(all.skipped["no_address"], 600.0), "{all:?}");
    let (vips, vip_units) = look(&many, vip(&many).await).await;
    assert!(vips.sample > 3_000 && near(vips.recipients, 600.0), "{vips:?}");
    // The same again, and no dearer than of a quarter of them.
    assert_eq!(look(&many, many.draft("avviso").await).await.0, all);
    let (_, fewer) = look(&few, few.draft("avviso").await).await;
    assert!(units <= fewer * 1.1 + 10.0, "{units} of 6,000, {fewer} of 1,500");
    assert!(units < 1_500.0 && vip_units < 2_000.0, "{units} {vip_units}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_contacts_make_the_sample_smaller() {
    let world = World::new().await;
    let metadata = serde_json::json!({"note": "x".repeat(16_000)});
    let large = |n| NewContact { metadata: metadata.as_object().unwrap().clone(), ..person(n) };
    world.import((0..1_000).map(large)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    let (found, units) = look(&world, vip(&world).await).await;
    assert!(found.estimated && (120..=200).contains(&found.sample), "{found:?}");
    assert!(units < 1_000.0, "{units}");
    assert_eq!((found.recipients, found.sendable), (0, 0));
    let why = &found.problems[0];
    assert!(why.starts_with("none of the") && why.contains("looked at"), "{why}");
}
