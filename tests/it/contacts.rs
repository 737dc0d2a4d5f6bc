//! Contacts as they are stored: upserts, lists, limits, deletes.

use domain::ContactId;
use domain::contact::{Contact, NewContact};
use domain::identity::Identity;
use domain::merge::Warning;
use domain::plan::Plan;
use harness::{Audit, Setup, World, named, person, phone, row};
use ops::Code;
use ops::contacts::Upserted;
use store::contacts::{ContactFilter, Listing};

async fn upsert(world: &World, new: NewContact) -> Upserted {
    let limit = world.caller.tenant.plan.contacts;
    ops::contacts::upsert(&world.publisher(), world.tenant(), limit, &new).await.unwrap()
}

async fn list(world: &World, filter: ContactFilter, page: u64, per_page: usize) -> Listing {
    let skip = (page - 1) * per_page as u64;
    world.store().list_contacts(world.tenant(), &filter, skip, per_page).await.unwrap()
}

async fn get(world: &World, id: u64) -> Option<Contact> {
    world.store().contact(world.tenant(), ContactId(id)).await.unwrap()
}

fn ids(listing: &Listing) -> Vec<u64> {
    listing.contacts.iter().map(|c| c.id.0).collect()
}

fn search(text: &str) -> ContactFilter {
    ContactFilter { search: Some(text.to_owned()), ..ContactFilter::default() }
}

async fn limited(contacts: u64) -> World {
    World::with(Setup { plan: Plan { contacts: Some(contacts), ..Plan::default() }, ..Setup::default() })
        .await
}

#[tokio::test]
async fn the_same_phone_or_email_is_the_same_contact() {
    let world = World::new().await;
    let first = upsert(&world, row(&phone(1), "", "Anna")).await;
    assert_eq!((first.contact.id.0, first.created), (1, true));
    let by_phone = upsert(&world, row(&phone(1), "Anna@example.com", "")).await;
    assert_eq!((by_phone.contact.id.0, by_phone.created), (1, false));
    let by_email = upsert(&world, row("", "ANNA@example.com", "Anna Rossi")).await;
    assert_eq!((by_email.contact.id.0, by_email.created), (1, false));
    assert_eq!(get(&world, 1).await.unwrap().name.as_deref(), Some("Anna Rossi"));
    assert_eq!(world.audit().await, Audit { contacts: 1, used: 1, ..Audit::default() });
}

#[tokio::test]
async fn merging_unites_tags_and_metadata_and_replaces_no_identity() {
    let world = World::new().await;
    let mut new = row(&phone(1), "a@example.com", "Anna");
    new.tags = vec!["vip".to_owned()];
    new.metadata = serde_json::json!({"citta": "Roma", "eta": 30}).as_object().unwrap().clone();
    upsert(&world, new).await;
    let mut again = row(&phone(1), "altra@example.com", "");
    again.tags = vec!["roma".to_owned(), "vip".to_owned()];
    again.metadata = serde_json::json!({"citta": "Milano"}).as_object().unwrap().clone();
    let merged = upsert(&world, again).await.contact;
    assert_eq!((merged.name.as_deref(), merged.email.unwrap().as_str()), (Some("Anna"), "a@example.com"));
    assert_eq!(merged.tags, ["vip", "roma"]);
    assert_eq!(serde_json::Value::from(merged.metadata), serde_json::json!({"citta": "Milano", "eta": 30}));
}

#[tokio::test]
async fn a_shared_email_stays_with_the_first() {
    let world = World::new().await;
    upsert(&world, row(&phone(1), "ufficio@example.com", "Anna")).await;
    let second = upsert(&world, row(&phone(2), "ufficio@example.com", "Bruno")).await;
    assert_eq!((second.created, second.warning), (true, Some(Warning::EmailTaken)));
    assert_eq!(second.contact.email, None);
    let audit = world.audit().await;
    assert_eq!(audit, Audit { contacts: 2, used: 2, ..Audit::default() });
}

#[tokio::test]
async fn the_phone_of_one_and_the_email_of_another_make_one() {
    let world = World::new().await;
    upsert(&world, row(&phone(1), "", "Anna")).await;
    let mut other = row("", "anna@example.com", "A.");
    other.tags = vec!["web".to_owned()];
    upsert(&world, other).await;
    let one = upsert(&world, row(&phone(1), "anna@example.com", "")).await;
    assert_eq!((one.contact.id.0, one.contact.absorbed, one.warning), (1, vec![ContactId(2)], None));
    assert_eq!((one.contact.name.as_deref(), one.contact.tags), (Some("Anna"), vec!["web".to_owned()]));
    assert_eq!(get(&world, 2).await, None);
    assert_eq!(world.audit().await, Audit { contacts: 1, used: 1, ..Audit::default() });
}

#[tokio::test]
async fn contacts_that_are_both_complete_stay_two() {
    let world = World::new().await;
    world.import([person(1), person(2)]).await;
    let updated = upsert(&world, row(&phone(1), "p2@example.com", "Anna")).await;
    assert_eq!((updated.contact.id.0, updated.warning), (1, Some(Warning::EmailTaken)));
    assert_eq!(updated.contact.email.unwrap().as_str(), "p1@example.com");
    assert_eq!(list(&world, ContactFilter::default(), 1, 10).await.total, 2);
}

#[tokio::test]
async fn the_limit_refuses_new_contacts_and_lets_merges_pass() {
    let world = limited(2).await;
    world.import([person(1), person(2)]).await;
    let tenant = world.tenant();
    let refused = ops::contacts::upsert(&world.publisher(), tenant, Some(2), &person(3)).await.unwrap_err();
    assert_eq!(refused.code, Code::PlanLimit);
    assert!(!upsert(&world, named(&phone(1), "Anna")).await.created);
    ops::contacts::delete(&world.publisher(), tenant, ContactId(1)).await.unwrap();
    assert!(upsert(&world, person(3)).await.created);
    assert_eq!(world.audit().await, Audit { contacts: 2, used: 2, ..Audit::default() });
}

#[tokio::test]
async fn an_import_goes_up_to_the_limit_and_reports_the_rest() {
    let world = limited(5).await;
    world.import((0..3).map(person)).await;
    let report = world.import((0..8).map(person)).await;
    assert_eq!((report.created, report.updated), (2, 3));
    let refused: Vec<_> = report.errors.iter().map(|(i, e)| (*i, e.field.as_str())).collect();
    assert_eq!(refused, [(5, "contact_limit"), (6, "contact_limit"), (7, "contact_limit")]);
    assert_eq!(world.audit().await, Audit { contacts: 5, used: 5, ..Audit::default() });
}

#[tokio::test]
async fn a_search_is_literal_and_in_any_case() {
    let world = World::new().await;
    let names = ["Anna 100%", "ANNA_B", "Bruno", "anna b", "Zoë"];
    world.import(names.iter().enumerate().map(|(i, name)| named(&phone(i), name))).await;
    for (text, want) in [
        ("anna", vec![1, 2, 4]),
        ("%", vec![1]),
        ("_", vec![2]),
        ("a_b", vec![2]),
        ("ZOË", vec![5]),
        ("393330000002", vec![3]),
        ("nobody", vec![]),
    ] {
        let found = list(&world, search(text), 1, 10).await;
        assert_eq!((ids(&found), found.total), (want.clone(), want.len() as u64), "{text}");
    }
}

#[tokio::test]
async fn filters_can_be_combined() {
    let world = World::new().await;
    let mut tagged = row("", "tag@example.com", "Anna");
    tagged.tags = vec!["vip".to_owned()];
    let mut longer = named(&phone(2), "Anna");
    longer.tags = vec!["vip-2".to_owned()];
    world.import([person(1), tagged, longer]).await;
    let tag = ContactFilter { tag: Some("vip".to_owned()), ..ContactFilter::default() };
    assert_eq!(ids(&list(&world, tag.clone(), 1, 10).await), [2]);
    let with_phone = ContactFilter { with_phone: true, ..ContactFilter::default() };
    assert_eq!(ids(&list(&world, with_phone, 1, 10).await), [1, 3]);
    let with_email = ContactFilter { with_email: true, ..search("anna") };
    assert_eq!(ids(&list(&world, with_email, 1, 10).await), [2]);
    assert_eq!(list(&world, ContactFilter { with_phone: true, ..tag }, 1, 10).await.total, 0);
}

#[tokio::test]
async fn pages_go_over_blocks_in_order_of_id() {
    let world = World::new().await;
    world.import((0..3_000).map(person)).await;
    let mut seen = Vec::new();
    for page in 1..=5 {
        let listing = list(&world, ContactFilter::default(), page, 700).await;
        assert_eq!(listing.total, 3_000);
        seen.extend(ids(&listing));
    }
    assert_eq!(seen, (1..=3_000).collect::<Vec<u64>>());
    let beyond = list(&world, ContactFilter::default(), 6, 700).await;
    assert_eq!((beyond.total, beyond.contacts.len()), (3_000, 0));
    let found = list(&world, search("persona 2"), 2, 600).await;
    assert_eq!((found.total, found.contacts.len()), (1_111, 511));
}

#[tokio::test]
async fn a_deleted_contact_is_gone_and_can_be_created_anew() {
    let world = World::new().await;
    world.import((1..=3).map(person)).await;
    ops::contacts::delete(&world.publisher(), world.tenant(), ContactId(3)).await.unwrap();
    let gone = ops::contacts::delete(&world.publisher(), world.tenant(), ContactId(3)).await.unwrap_err();
    assert_eq!((gone.code, gone.field.as_deref()), (Code::NotFound, Some("id")));
    let identity = Identity::from(&phone(3).parse::<domain::PhoneNumber>().unwrap());
    let found = ops::contacts::find(world.store(), world.tenant(), &identity, "phone").await;
    assert_eq!(found.unwrap_err().code, Code::NotFound);
    let anew = upsert(&world, person(3)).await;
    assert_eq!((anew.contact.id.0, anew.created), (4, true));
    assert_eq!(world.audit().await, Audit { contacts: 3, used: 3, ..Audit::default() });
}

#[tokio::test]
async fn deleting_many_counts_what_was_there() {
    let world = World::new().await;
    world.import((1..=1_500).map(person)).await;
    let ids: Vec<ContactId> = [1, 2, 2, 1_400, 1_501, 9_999_999].map(ContactId).into();
    let deleted = ops::contacts::delete_many(&world.publisher(), world.tenant(), &ids).await.unwrap();
    assert_eq!(deleted, (3, 2));
    assert_eq!(list(&world, ContactFilter::default(), 1, 1).await.total, 1_497);
    let again = ops::contacts::delete_many(&world.publisher(), world.tenant(), &ids).await.unwrap();
    assert_eq!(again, (0, 5));
    assert_eq!(world.audit().await, Audit { contacts: 1_497, used: 1_497, ..Audit::default() });
}

#[tokio::test]
async fn another_tenants_contacts_are_not_there() {
    let world = World::new().await;
    world.import([person(1)]).await;
    let other = "other".parse().unwrap();
    let gone = ops::contacts::delete(&world.publisher(), &other, ContactId(1)).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
    let deleted = ops::contacts::delete_many(&world.publisher(), &other, &[ContactId(1)]).await.unwrap();
    assert_eq!(deleted, (0, 1));
    let listing = world.store().list_contacts(&other, &ContactFilter::default(), 0, 10).await.unwrap();
    assert_eq!(listing.total, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_created_by_many_at_once_is_one_contact() {
    let world = World::new().await;
    let all = futures::future::join_all((0..20).map(|_| upsert(&world, person(1)))).await;
    assert_eq!(all.iter().filter(|done| done.created).count(), 1);
    assert!(all.iter().all(|done| done.contact.id == all[0].contact.id));
    assert_eq!(world.audit().await, Audit { contacts: 1, used: 1, ..Audit::default() });
}
