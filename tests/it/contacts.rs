use domain::ContactId;
use harness::{Setup, World, person, phone, row};
use ops::Code;
use store::contacts::Filter;

fn ids(listing: &store::contacts::Listing) -> Vec<u64> {
    listing.contacts.iter().map(|c| c.id.0).collect()
}

#[tokio::test]
async fn the_same_phone_or_email_is_the_same_contact() {
    let world = World::new().await;
    let upsert = async |new| {
        let done = ops::contacts::upsert(world.store(), world.tenant(), None, &new).await.unwrap();
        (done.contact.id.0, done.created)
    };
    assert_eq!(upsert(row(&phone(1), "", "Anna")).await, (1, true));
    assert_eq!(upsert(row(&phone(1), "anna@example.com", "")).await, (1, false));
    assert_eq!(upsert(row("", "ANNA@example.com", "Anna Rossi")).await, (1, false));
    let contact = world.store().contact(world.tenant(), ContactId(1)).await.unwrap().unwrap();
    assert_eq!(contact.name.as_deref(), Some("Anna Rossi"));
    assert_eq!(world.audit().await, harness::Audit { contacts: 1, used: 1, ..Default::default() });
}
