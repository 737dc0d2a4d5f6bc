//! Single sends: window, opt-outs, refusals, lost answers.

use domain::media::MediaKind;
use domain::message::{Button, Content, Header, MediaSource, TemplateCall};
use domain::outcome::Reason;
use domain::recipient::State;
use domain::sender::SenderId;
use harness::{World, phone};
use messaging::messages::{Outgoing, Sent, send};
use ops::Code;
use simulators::graph::FaultRule;
use store::rates::SenderTurns;

async fn send_to(world: &World, n: usize, content: Content) -> ops::Result<Sent> {
    let id = domain::MessageId(world.store().entropy().ulid(world.clock.now()));
    let request = ops::SendRequest { id, is_repeated: false };
    let to = domain::message::Address::Phone(phone(n).parse().unwrap());
    let new = Outgoing { to, content, sender: None, is_secret: false };
    send(&world.services, &world.caller, &world.account, new, request).await
}

fn text(body: &str) -> Content {
    Content::Text { body: body.to_owned() }
}

fn template(name: &str) -> Content {
    let (name, language) = (name.to_owned(), "it".to_owned());
    Content::Template(TemplateCall { name, language, components: Vec::new() })
}

/// A world to which person 1 has written.
async fn talking() -> World {
    let world = World::new().await;
    world.writes(&phone(1), "Buongiorno");
    world.drain().await;
    world
}

async fn state(world: &World, id: domain::MessageId) -> State {
    let message = world.store().message(world.tenant(), world.account.id, id).await.unwrap();
    message.unwrap().progress.state
}

#[tokio::test]
async fn a_text_is_sent_and_its_statuses_are_followed() {
    let world = talking().await;
    let sent = send_to(&world, 1, text("Ciao!")).await.unwrap();
    assert!(sent.provider_id.starts_with("wamid."));
    world.drain().await;
    assert_eq!(state(&world, sent.id).await, State::Delivered);
    let found = world.store().message_by_provider_id(world.tenant(), &sent.provider_id).await.unwrap();
    assert_eq!(found.unwrap().id, sent.id);
    assert_eq!(world.conversation(world.account.id, domain::ContactId(1)).await, ["Ciao!", "Buongiorno"]);
}

#[tokio::test]
async fn buttons_templates_and_media_are_sent() {
    let world = talking().await;
    world.template("avviso", "UTILITY", "Il negozio è chiuso per ferie").await;
    let button = |id: &str| Button { id: id.to_owned(), title: id.to_uppercase() };
    let buttons = Content::Buttons {
        header: Some(Header::Text("Ordine".to_owned())),
        body: "Confermi?".to_owned(),
        footer: None,
        buttons: vec![button("si"), button("no")],
    };
    let png = bytes::Bytes::from_static(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0");
    let (files, store) = (&world.services.files, world.store());
    let file = files.upload(store, world.tenant(), "foto.png", Some("image/png"), png).await.unwrap();
    let media = |url: &str| Content::Media {
        kind: MediaKind::Image,
        source: MediaSource::Link(url.to_owned()),
        caption: Some("Ecco".to_owned()),
        file_name: None,
    };
    for content in
        [buttons, template("avviso"), media(&file.url), media(&file.url), media("https://example.com/a.png")]
    {
        send_to(&world, 1, content).await.unwrap();
    }
    let sent = world.simulator.messages(None, 10);
    let kinds: Vec<_> = sent.iter().map(|m| m.body["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["interactive", "template", "image", "image", "image"]);
    assert!(sent[2].body["image"]["id"].is_string(), "a file of ours goes by its id");
    assert_eq!(sent[2].body["image"]["id"], sent[3].body["image"]["id"], "uploaded once");
    assert_eq!(sent[4].body["image"]["link"], "https://example.com/a.png");
}

#[tokio::test]
async fn content_that_whatsapp_refuses_is_refused_before() {
    let world = talking().await;
    let long = send_to(&world, 1, text(&"x".repeat(4_097))).await.unwrap_err();
    assert_eq!((long.code, long.field.as_deref()), (Code::InvalidField, Some("message")));
    let foreign = Content::Media {
        kind: MediaKind::Image,
        source: MediaSource::Link(format!("http://localhost:9000/media/{}/a.png", "0".repeat(32))),
        caption: None,
        file_name: None,
    };
    let gone = send_to(&world, 1, foreign).await.unwrap_err();
    assert_eq!((gone.code, gone.field.as_deref()), (Code::InvalidField, Some("media_url")));
    assert_eq!(world.simulator.stats().accepted, 0);
}

#[tokio::test]
async fn free_text_needs_an_open_window() {
    let world = talking().await;
    // A new number has no history: Meta decides, and its window is closed.
    let refused = send_to(&world, 2, text("Ciao")).await.unwrap_err();
    assert_eq!((refused.code, refused.reason), (Code::OutsideWindow, Some(Reason::meta(131_047))));
    world.clock.advance_ms(25 * 60 * 60_000);
    for n in [1, 2] {
        let closed = send_to(&world, n, text("Ciao")).await.unwrap_err();
        assert_eq!(closed.code, Code::OutsideWindow);
        assert!(closed.message.contains("24 hour"));
    }
    world.template("avviso", "UTILITY", "Il negozio è chiuso per ferie").await;
    send_to(&world, 2, template("avviso")).await.unwrap();
}

#[tokio::test]
async fn an_opt_out_blocks_all_but_utility() {
    let world = World::new().await;
    world.template("avviso", "UTILITY", "Il negozio è chiuso per ferie").await;
    world.template("promo", "MARKETING", "Saldi in tutto il negozio").await;
    world.writes(&phone(1), "STOP");
    world.drain().await;
    for content in [text("Ciao"), template("promo")] {
        assert_eq!(send_to(&world, 1, content).await.unwrap_err().code, Code::OptedOut);
    }
    send_to(&world, 1, template("avviso")).await.unwrap();
    assert_eq!(world.simulator.stats().accepted, 1);
}

#[tokio::test]
async fn a_lost_answer_is_told_with_our_id_and_settled_by_the_status() {
    let world = talking().await;
    world.fault(FaultRule {
        timeout_after_accept: true,
        hang_ms: Some(30),
        next: Some(1),
        ..FaultRule::default()
    });
    let unknown = send_to(&world, 1, text("Ciao")).await.unwrap_err();
    assert_eq!(unknown.code, Code::ProviderTimeout);
    let id = unknown.message_id.unwrap().parse().unwrap();
    world.drain().await;
    assert_eq!(state(&world, id).await, State::Delivered);
    assert_eq!(world.simulator.stats().accepted, 1);
}

#[tokio::test]
async fn refusals_say_whether_to_try_again() {
    let world = talking().await;
    for (code, want, waits) in [
        (130_429, Code::ProviderThrottled, true),
        (131_056, Code::ProviderThrottled, true),
        (131_000, Code::ProviderUnavailable, true),
        (131_026, Code::ProviderRejected, false),
        (131_050, Code::ProviderRejected, false),
    ] {
        world.fault(FaultRule { code: Some(code), next: Some(1), ..FaultRule::default() });
        let refused = send_to(&world, 1, text("Ciao")).await.unwrap_err();
        assert_eq!((refused.code, &refused.reason), (want, &Some(Reason::meta(i64::from(code)))));
        assert_eq!(refused.retry_after.is_some(), waits, "{code}");
        let id = refused.message_id.unwrap().parse().unwrap();
        assert_eq!(state(&world, id).await, State::Failed);
    }
    assert_eq!(send_to(&world, 1, text("Ciao")).await.unwrap_err().code, Code::OptedOut);
    let used = world.store().usage(world.tenant()).await.unwrap();
    assert_eq!(used.messages, 0, "only what was taken is used");
}

#[tokio::test]
async fn a_number_sends_no_faster_than_it_may() {
    let world = talking().await;
    let store = world.store();
    let sender = SenderId::number("1");
    let turn = || store.take_slot(world.tenant(), &sender, (10.0, 5_000_000), SenderTurns::default());
    let mut waits = Vec::new();
    for _ in 0..60 {
        waits.push(turn().await.unwrap());
    }
    let given: Vec<i64> = waits.iter().flatten().copied().collect();
    assert!((50..=58).contains(&given.len()), "{} turns in five seconds", given.len());
    assert!(given.is_sorted(), "turns are given out in order");
    assert!(waits[59].is_none());
}
