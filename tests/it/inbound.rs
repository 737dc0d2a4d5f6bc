//! Meta's webhooks: signed, split by account, and worked off once.

use domain::Secret;
use domain::account::{Account, Number};
use domain::identity::Identity;
use domain::message::Address;
use domain::recipient::State;
use domain::sender::SenderId;
use futures::future::join_all;
use harness::{
    APP_SECRET, PHONE_NUMBER_ID, Setup, WABA_ID, World, person, phone, sign, text_change, webhook,
};
use messaging::inbound::{Inbound, Verification, process, verify};
use ops::Code;
use ops::accounts::AccountSettings;
use queue::{InboundJob, Text};
use serde_json::{Value, json};
use simulators::graph::{FaultRule, Preference, UserPreferences};
use store::numbers::Connecting;

async fn take(world: &World, body: &Value, secret: &str) -> ops::Result<usize> {
    let bytes = body.to_string().into_bytes();
    world.meta_posts(&bytes, Some(&sign(secret, &bytes))).await
}

fn address(n: usize) -> Address {
    Address::Phone(phone(n).parse().unwrap())
}

async fn is_out(world: &World, n: usize) -> bool {
    !world.store().opted_out(world.tenant(), &[address(n)]).await.unwrap().is_empty()
}

#[tokio::test]
async fn a_webhook_with_a_wrong_signature_is_refused_and_nothing_is_queued() {
    let world = World::new().await;
    let body = webhook(&[(WABA_ID, vec![text_change(PHONE_NUMBER_ID, "393330000001", "wamid.1", "ciao")])]);
    let foreign = webhook(&[("1", vec![text_change("2", "393330000001", "wamid.1", "ciao")])]);
    for (body, secret) in [(&body, "other-secret"), (&body, ""), (&foreign, APP_SECRET)] {
        assert_eq!(take(&world, body, secret).await.unwrap_err().code, Code::Unauthorized);
    }
    for signature in [None, Some("sha256="), Some("sha1=00"), Some("sha256=zz")] {
        let bytes = body.to_string();
        let refused = world.meta_posts(bytes.as_bytes(), signature).await;
        assert_eq!(refused.unwrap_err().code, Code::Unauthorized);
    }
    assert_eq!(world.queued().await, 0);
    assert_eq!(take(&world, &body, APP_SECRET).await.unwrap(), 1);
    assert_eq!(world.queued().await, 1);
}

#[tokio::test]
async fn only_a_known_verify_token_is_answered() {
    let world = World::new().await;
    let ask = |mode: &str, token: &str| Verification {
        mode: mode.to_owned(),
        token: token.to_owned(),
        challenge: "1158201444".to_owned(),
    };
    let right = verify(world.store(), ask("subscribe", harness::VERIFY_TOKEN)).await.unwrap();
    assert_eq!(right, "1158201444");
    for wrong in [ask("subscribe", "x"), ask("subscribe", ""), ask("unsubscribe", harness::VERIFY_TOKEN)] {
        assert_eq!(verify(world.store(), wrong).await.unwrap_err().code, Code::Forbidden);
    }
}

/// A second account of the tenant, with a number of its own.
async fn second_account(world: &World) -> Account {
    let new = AccountSettings::named("Filiale");
    let tenant = &world.caller.tenant;
    let account = ops::accounts::create_account(world.store(), tenant, new).await.unwrap();
    let number = Number {
        id: SenderId::number("200"),
        waba_id: "300".to_owned(),
        app_secret: Secret::new(APP_SECRET),
        ..world.account.number().unwrap().clone()
    };
    let how = Connecting { verify_token: "other-token", as_default: true };
    world.store().connect_number(world.tenant(), account.id, &number, how).await.unwrap()
}

#[tokio::test]
async fn a_batch_is_split_by_account() {
    let world = World::new().await;
    let second = second_account(&world).await;
    let change = |number: &str, n: usize| {
        text_change(number, &phone(n)[1..], &format!("wamid.{n}"), &format!("testo {n}"))
    };
    let body = webhook(&[
        (WABA_ID, vec![change(PHONE_NUMBER_ID, 1), change(PHONE_NUMBER_ID, 2)]),
        ("300", vec![change("200", 3), change("200", 4)]),
        ("999", vec![change("998", 5), change("998", 6)]),
    ]);
    assert_eq!(take(&world, &body, APP_SECRET).await.unwrap(), 2);
    world.drain().await;
    for (n, account) in [(1, world.account.id), (2, world.account.id), (3, second.id), (4, second.id)] {
        let identity = Identity::from(&phone(n).parse::<domain::PhoneNumber>().unwrap());
        let contact = world.store().contact_by(world.tenant(), &identity).await.unwrap().unwrap();
        assert_eq!((contact.name.as_deref(), contact.origin), (Some("Mario"), Some(account)));
        let texts = world.conversation(account, contact.id).await;
        assert_eq!(texts, [format!("testo {n}")]);
    }
    assert_eq!(world.audit().await.contacts, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_without_a_number_becomes_a_contact_and_opens_the_window() {
    let world = World::new().await;
    let inbound = json!({"user_id": "IT.13491208655302741918", "text": "ciao", "name": "Anna"});
    world.simulator.inbound(serde_json::from_value(inbound).unwrap()).unwrap();
    world.drain().await;
    let identity = Identity::Bsuid("IT.13491208655302741918".to_owned());
    let contact = world.store().contact_by(world.tenant(), &identity).await.unwrap().unwrap();
    assert_eq!((contact.name.as_deref(), contact.phone), (Some("Anna"), None));
    let (campaign, _) = world.draft_of(world.text_draft("Ciao {{name}}!")).await.unwrap();
    world.launch(campaign.id).await;
    world.drain().await;
    assert_eq!(world.counts(campaign.id).await, [("delivered", 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_message_many_times_at_once_is_one() {
    let world = World::new().await;
    let body = webhook(&[(WABA_ID, vec![text_change(PHONE_NUMBER_ID, "393330000001", "wamid.1", "ciao")])]);
    let job = InboundJob::Meta {
        tenant: world.tenant().to_string(),
        account: world.account.id.0,
        body: Text::Inline(body.to_string()),
        signature: None,
    };
    let change = Inbound::try_from(job).unwrap();
    let all =
        join_all((0..50).map(|_| process(&world.services, World::job(), std::slice::from_ref(&change))))
            .await;
    assert!(all.iter().filter(|failed| failed.is_empty()).count() >= 1);
    // What gave way to the others comes again.
    assert_eq!(process(&world.services, World::job(), &vec![change; 3]).await, Vec::<usize>::new());
    let audit = world.audit().await;
    assert_eq!((audit.contacts, audit.used, audit.problems), (1, 1, vec![]));
    assert_eq!(world.conversation(world.account.id, domain::ContactId(1)).await, ["ciao"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_is_honoured_by_the_next_campaign_and_start_undoes_it() {
    let world = World::new().await;
    world.import((0..3).map(person)).await;
    world.template("promo", "MARKETING", "Ciao {{1}}, a presto").await;
    world.writes(&phone(1), " Stop! ");
    world.drain().await;
    assert!(is_out(&world, 1).await);
    let first = world.draft("promo").await;
    world.launch(first).await;
    world.drain().await;
    assert_eq!(world.counts(first).await, [("delivered", 2), ("skipped", 1)].into());
    assert_eq!(world.reasons(first).await, [("opted_out".to_owned(), 1)].into());
    world.writes(&phone(1), "START");
    world.writes(&phone(2), "non stop");
    world.drain().await;
    let second = world.draft("promo").await;
    world.launch(second).await;
    world.drain().await;
    assert_eq!(world.counts(second).await, [("delivered", 3)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_words_that_come_late_the_last_that_was_said_counts() {
    let world = World::new().await;
    world.import([person(1)]).await;
    let now_s = world.clock.now_ms() / 1_000;
    for (nth, (word, ago_s, out)) in [
        ("STOP", 100, true),
        // Said before it, and held up on its way.
        ("START", 160, true),
        ("STOP", 50, true),
        ("START", 60, true),
        ("STOP", 90, true),
        ("START", 55, true),
        ("START", 50, false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut change = text_change(PHONE_NUMBER_ID, &phone(1)[1..], &format!("wamid.{nth}"), word);
        change["value"]["messages"][0]["timestamp"] = json!((now_s - ago_s).to_string());
        take(&world, &webhook(&[(WABA_ID, vec![change])]), APP_SECRET).await.unwrap();
        world.drain().await;
        assert_eq!(is_out(&world, 1).await, out, "{nth}: {word}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_while_the_campaign_runs_counts() {
    let world = World::with(Setup { per_second: 100, ..Setup::default() }).await;
    world.import((0..300).map(person)).await;
    world.template("promo", "MARKETING", "Ciao {{1}}, a presto").await;
    let id = world.draft("promo").await;
    world.launch(id).await;
    let stop = async {
        world.until(|stats| stats.accepted >= 20).await;
        world.writes(&phone(299), "stop");
    };
    tokio::join!(stop, world.drain());
    assert_eq!(world.reasons(id).await, [("opted_out".to_owned(), 1)].into());
    assert_eq!(world.counts(id).await, [("delivered", 299), ("skipped", 1)].into());
}

#[tokio::test]
async fn metas_own_preference_opts_out_and_in() {
    let world = World::new().await;
    for (value, out) in [(Preference::Stop, true), (Preference::Resume, false)] {
        let choice = UserPreferences { from: phone(1), value, name: None, phone_number_id: None };
        world.simulator.user_preferences(&choice).unwrap();
        world.drain().await;
        assert_eq!(is_out(&world, 1).await, out);
    }
}

#[tokio::test]
async fn help_is_answered_with_the_accounts_text() {
    let help_message = Some("Siamo aperti dalle 9 alle 18".to_owned());
    let world = World::with(Setup { help_message, ..Setup::default() }).await;
    world.writes(&phone(1), "Aiuto?");
    world.drain().await;
    let answers = world.simulator.messages(Some(&phone(1)), 10);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].body["text"]["body"], "Siamo aperti dalle 9 alle 18");
    assert!(!is_out(&world, 1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_status_of_an_earlier_attempt_does_not_move_the_next() {
    let world = World::new().await;
    world.set(json!({"sent_after_ms": null, "delivered_after_ms": null}));
    world.import([person(1)]).await;
    world.fault(FaultRule { code: Some(131_026), next: Some(1), ..FaultRule::default() });
    let id = world.launched().await;
    world.drain().await;
    assert_eq!(world.counts(id).await, [("failed", 1)].into());
    messaging::campaigns::resume(
        &world.services,
        world.tenant(),
        id,
        Some(messaging::campaigns::Which::Failed),
    )
    .await
    .unwrap();
    world.drain().await;
    for (attempt, status, want) in
        [(1, "failed", State::Accepted), (1, "read", State::Accepted), (2, "delivered", State::Delivered)]
    {
        let statuses = json!([{
            "id": format!("wamid.{attempt}"), "status": status, "timestamp": "1782892800",
            "biz_opaque_callback_data": format!("c:{id}:1:{attempt}"), "errors": [{"code": 131_026}],
        }]);
        let value = json!({"metadata": {"phone_number_id": PHONE_NUMBER_ID}, "statuses": statuses});
        let body = webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]);
        take(&world, &body, APP_SECRET).await.unwrap();
        world.drain().await;
        assert_eq!(world.rows(id).await[0].progress.state, want, "{status} of attempt {attempt}");
    }
}

#[tokio::test]
async fn what_is_no_webhook_of_ours_harms_nobody() {
    let world = World::new().await;
    let odd = json!({"metadata": {"phone_number_id": PHONE_NUMBER_ID}, "messages": [
        {"id": "wamid.1", "type": "unsupported", "errors": [{"code": 131_051}]},
        {"from": "393330000001", "id": "wamid.2", "type": "system", "system": {"body": "x"}},
        {"from": "393330000001", "type": "text"},
        7,
    ], "statuses": [{"status": "sent"}, {"id": "w", "status": "warmed", "timestamp": {}}, null]});
    let changes = vec![
        json!({"field": "messages", "value": odd}),
        json!({"field": "brand_new_field", "value": {"metadata": {"phone_number_id": PHONE_NUMBER_ID}}}),
        json!({"field": "message_template_status_update", "value": {"event": "PAUSED"}}),
    ];
    assert_eq!(take(&world, &webhook(&[(WABA_ID, changes)]), APP_SECRET).await.unwrap(), 1);
    world.drain().await;
    assert_eq!(world.audit().await.contacts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_of_another_tenants_message_is_nobodys_here() {
    let world = World::new().await;
    world.import((0..2).map(harness::person)).await;
    let id = world.launched().await;
    world.drain().await;
    let before = world.rows(id).await;
    let hook = harness::Hook::new().await;
    let api = harness::Api::of(&world).await;
    let events = json!({"name": "crm", "url": hook.url, "events": "message.status"});
    api.post("/api/webhooks", events).await;
    // The number was somebody else's until now, and this is about what they sent.
    let status = json!({"id": "wamid.x", "status": "read", "timestamp": "1782900000", "recipient_id": "393330000000",
                        "biz_opaque_callback_data": format!("c:{id}:1:1:somebody")});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_NUMBER_ID},
                       "statuses": [status]});
    let body = webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]);
    take(&world, &body, APP_SECRET).await.unwrap();
    world.drain().await;
    assert_eq!(world.rows(id).await, before);
    assert!(hook.received().is_empty());
}
