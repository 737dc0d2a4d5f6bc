//! Imports of many rows, in any order and beside each other, are one by one.

use std::collections::BTreeMap;

use domain::TenantId;
use domain::contact::{Contact, NewContact};
use harness::{Audit, World, person, phone, row};
use ops::contacts::{Imported, import, upsert};
use proptest::prelude::*;
use store::contacts::ContactFilter;

/// What is compared of a contact: everything except ids and times.
type Face = (Option<String>, Option<String>, Option<String>, Vec<String>, String);

fn face(contact: &Contact) -> Face {
    (
        contact.phone.as_ref().map(|p| p.as_str().to_owned()),
        contact.email.as_ref().map(|e| e.identity()),
        contact.name.clone(),
        contact.tags.clone(),
        serde_json::Value::from(contact.metadata.clone()).to_string(),
    )
}

async fn faces(world: &World, tenant: &TenantId) -> Vec<Face> {
    let listing = world.store().list_contacts(tenant, &ContactFilter::default(), 0, 1_000).await.unwrap();
    let mut faces: Vec<Face> = listing.contacts.iter().map(face).collect();
    faces.sort();
    faces
}

/// The rules of merging on a list, as slowly and as plainly as possible.
#[derive(Default)]
struct Naive(Vec<NewContact>);

impl Naive {
    fn apply(&mut self, row: &NewContact) {
        let email = |c: &NewContact| c.email.as_ref().map(|e| e.identity());
        let phoned = row.phone.as_ref().and_then(|p| self.0.iter().position(|c| c.phone.as_ref() == Some(p)));
        let mailed = row.email.as_ref().and_then(|_| self.0.iter().position(|c| email(c) == email(row)));
        let mut row = row.clone();
        let target = match (phoned, mailed) {
            (Some(a), Some(b)) if a != b => {
                if self.0[a].email.is_none() && self.0[b].phone.is_none() {
                    let other = self.0[b].clone();
                    let name = self.0[a].name.clone().or(other.name.clone());
                    let kept = self.0[a].metadata.clone();
                    merge(&mut self.0[a], &other);
                    self.0[a].name = name;
                    self.0[a].metadata.extend(kept);
                    self.0.remove(b);
                    if b < a { a - 1 } else { a }
                } else {
                    row.email = None;
                    a
                }
            }
            (Some(a), _) => a,
            (None, Some(b)) if row.phone.is_some() && self.0[b].phone.is_some() => {
                row.email = None;
                self.0.push(NewContact::default());
                self.0.len() - 1
            }
            (None, Some(b)) => b,
            (None, None) => {
                self.0.push(NewContact::default());
                self.0.len() - 1
            }
        };
        merge(&mut self.0[target], &row);
    }

    fn faces(&self) -> Vec<Face> {
        let mut faces: Vec<Face> = self
            .0
            .iter()
            .map(|c| {
                let mut contact = Contact::empty(domain::ContactId(0), jiff::Timestamp::UNIX_EPOCH);
                contact.phone.clone_from(&c.phone);
                contact.email.clone_from(&c.email);
                contact.name.clone_from(&c.name);
                contact.tags.clone_from(&c.tags);
                contact.metadata.clone_from(&c.metadata);
                face(&contact)
            })
            .collect();
        faces.sort();
        faces
    }
}

fn merge(into: &mut NewContact, row: &NewContact) {
    into.name = row.name.clone().or(into.name.take());
    into.phone = into.phone.take().or(row.phone.clone());
    into.email = into.email.take().or(row.email.clone());
    for tag in &row.tags {
        if !into.tags.contains(tag) {
            into.tags.push(tag.clone());
        }
    }
    into.metadata.extend(row.metadata.clone());
}

/// Rows over very few identities, so that they meet.
fn rows() -> impl Strategy<Value = Vec<NewContact>> {
    let row = (0usize..6, 0usize..6, 0usize..4, 0usize..3).prop_map(|(p, e, name, tag)| {
        // 0 is no value; a row needs one of the two.
        let p = if p == 0 && e == 0 { 1 } else { p };
        let given = |n: usize, text: String| if n == 0 { String::new() } else { text };
        let mut new = row(
            &given(p, phone(p)),
            &given(e, format!("E{e}@example.com")),
            &given(name, format!("Nome {name}")),
        );
        new.tags = if tag == 0 { Vec::new() } else { vec![format!("t{tag}")] };
        if tag == 2 {
            new.metadata.insert(format!("k{p}"), name.into());
        }
        new
    });
    prop::collection::vec(row, 1..14)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn import_into(world: &World, tenant: &TenantId, rows: &[NewContact]) -> Imported {
    import(&world.publisher(), tenant, None, rows.iter().cloned().map(Ok).collect()).await.unwrap()
}

#[test]
fn an_import_equals_its_rows_one_by_one() {
    let runtime = runtime();
    let world = runtime.block_on(World::new());
    let case = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(before in rows(), rows in rows())| {
        case.set(case.get() + 1);
        let tenant = |kind: &str| format!("{kind}-{}", case.get()).parse::<TenantId>().unwrap();
        let (bulk, single) = (tenant("bulk"), tenant("single"));
        let mut naive = Naive::default();
        let (report, warnings) = runtime.block_on(async {
            import_into(&world, &bulk, &before).await;
            let report = import_into(&world, &bulk, &rows).await;
            let mut warnings = 0;
            for (i, row) in before.iter().chain(&rows).enumerate() {
                let done = upsert(&world.publisher(), &single, None, row).await.unwrap();
                warnings += usize::from(i >= before.len() && done.warning.is_some());
                naive.apply(row);
            }
            (report, warnings)
        });
        let (in_bulk, one_by_one, audit) = runtime.block_on(async {
            (faces(&world, &bulk).await, faces(&world, &single).await, world.audit_of(&bulk).await)
        });
        prop_assert_eq!(&one_by_one, &naive.faces());
        prop_assert_eq!(&in_bulk, &one_by_one);
        prop_assert_eq!(report.created + report.updated, rows.len() as u64);
        prop_assert_eq!(report.warnings.len(), warnings);
        prop_assert_eq!(audit.problems, Vec::<String>::new());
        prop_assert_eq!((audit.contacts, audit.orphans, audit.marked), (in_bulk.len() as u64, 0, 0));
        prop_assert_eq!(audit.used, audit.contacts);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_twice_at_once_makes_each_contact_once() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.import((0..2_000).map(person)), world.import((0..2_000).map(person)));
    assert_eq!((a.errors, b.errors), (vec![], vec![]));
    assert_eq!(a.created + b.created, 2_000);
    assert_eq!(a.updated + b.updated, 2_000);
    assert_eq!(world.audit().await, Audit { contacts: 2_000, used: 2_000, ..Audit::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_overlap_crosswise_leave_no_identity_twice() {
    let world = World::new().await;
    let straight = (0..300).map(person);
    let crossed = (0..300).map(|n| row(&phone(n), &format!("p{}@example.com", (n + 7) % 300), ""));
    let phones = (0..300).map(|n| row(&phone(n), "", "solo telefono"));
    let emails = (0..300).map(|n| row("", &format!("p{n}@example.com"), "solo email"));
    let reports = tokio::join!(
        world.import(straight),
        world.import(crossed),
        world.import(phones),
        world.import(emails)
    );
    let audit = world.audit().await;
    assert_eq!(audit.problems, Vec::<String>::new());
    assert_eq!((audit.marked, audit.used), (0, audit.contacts));
    let reports = [reports.0, reports.1, reports.2, reports.3];
    assert_eq!(reports.iter().map(|r| r.errors.len()).sum::<usize>(), 0, "rows were given up");
    let done: u64 = reports.iter().map(|r| r.created + r.updated).sum();
    assert_eq!(done, 1_200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_dies_anywhere_is_repaired_by_the_same_file() {
    let world = World::new().await;
    world.import((0..40).step_by(2).map(person)).await;
    let rows: Vec<NewContact> = (0..40)
        .map(person)
        .chain((0..20).map(|n| row(&phone(n), &format!("q{n}@example.com"), "")))
        .chain((40..60).map(|n| row(&phone(n), "", "Nuovo")))
        .chain((40..60).map(|n| row("", &format!("p{n}@example.com"), "")))
        .chain((40..60).map(person))
        .collect();
    let whole = "whole".parse().unwrap();
    let before = world.steps();
    import_into(&world, &whole, &rows).await;
    let steps = world.steps() - before;
    for kill in 1..steps {
        let tenant: TenantId = format!("kill-{kill}").parse().unwrap();
        world.kill_after(kill, import_into(&world, &tenant, &rows)).await;
        import_into(&world, &tenant, &rows).await;
        let audit = world.audit_of(&tenant).await;
        assert_eq!(audit.problems, Vec::<String>::new(), "killed after {kill} of {steps} steps");
        assert_eq!((audit.contacts, audit.orphans), (60, 0), "killed after {kill} of {steps} steps");
        assert_eq!(faces(&world, &tenant).await, faces(&world, &whole).await);
    }
}

#[tokio::test]
async fn the_marks_of_a_dead_import_are_cleared_and_its_reservations_too() {
    let world = World::new().await;
    let tenant = world.tenant().clone();
    for kill in (2..30).step_by(3) {
        let rows: Vec<NewContact> = (0..50).map(|n| person(kill * 100 + n)).collect();
        world.kill_after(kill as u64, import_into(&world, &tenant, &rows)).await;
    }
    let audit = world.audit().await;
    assert!(audit.marked > 0 && audit.used > audit.contacts, "{audit:?}");
    let total = world.store().contact_total(&tenant).await.unwrap();
    assert_eq!(total, audit.contacts, "marked blocks are counted anew");
    world.clock.advance_ms(16 * 60_000);
    world.store().contact_total(&tenant).await.unwrap();
    let room = world.store().contact_room(&tenant, total + 1).await.unwrap();
    let audit = world.audit().await;
    assert_eq!((audit.marked, audit.used, room), (0, total, 1));
    assert_eq!(audit.problems, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_at_once_share_the_limit() {
    let world = World::new().await;
    let import = async |from: usize| {
        let rows = (from..from + 600).map(|n| Ok(person(n))).collect();
        import(&world.publisher(), world.tenant(), Some(1_000), rows).await.unwrap()
    };
    let (a, b, c) = tokio::join!(import(0), import(10_000), import(20_000));
    let created = a.created + b.created + c.created;
    let refused = a.errors.len() + b.errors.len() + c.errors.len();
    assert_eq!((created, created + refused as u64), (1_000, 1_800));
    assert_eq!(world.audit().await, Audit { contacts: 1_000, used: 1_000, ..Audit::default() });
}

#[tokio::test]
async fn an_import_keeps_to_its_budget() {
    let world = World::new().await;
    world.embedded.reset_capacity();
    world.import((0..3_000).map(person)).await;
    let spent = world.embedded.capacity();
    let blocks = 4.0;
    assert!(spent.write_units() <= 3.0 * 3_000.0 + 20.0 * blocks, "{} units", spent.write_units());
    assert!(spent.requests() <= 3_000 / 2, "{} requests", spent.requests());

    world.embedded.reset_capacity();
    let report = world.import((0..3_000).map(person)).await;
    assert_eq!((report.created, report.updated), (0, 3_000));
    let writes: BTreeMap<String, f64> = world
        .embedded
        .capacity()
        .actions
        .into_iter()
        .filter(|(_, totals)| totals.write_units > 0.0)
        .map(|(name, totals)| (name, totals.write_units))
        .collect();
    assert_eq!(writes, BTreeMap::new(), "duplicates write nothing");
}

#[tokio::test]
async fn a_bad_row_is_reported_and_fails_no_other() {
    let world = World::new().await;
    let bad = Err(domain::Invalid::new("phone", "phone is too short"));
    let rows = vec![Ok(person(1)), bad, Ok(person(2)), Ok(person(1))];
    let report = import(&world.publisher(), world.tenant(), None, rows).await.unwrap();
    assert_eq!((report.created, report.updated), (2, 1));
    let errors: Vec<_> = report.errors.iter().map(|(i, e)| (*i, e.field.as_str())).collect();
    assert_eq!(errors, [(1, "phone")]);
}
