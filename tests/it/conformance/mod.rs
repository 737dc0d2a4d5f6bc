//! What every channel keeps to: its capabilities, what it says of a refusal, and that
//! nobody is told «not sent» who may have been sent to. And what the engine keeps to,
//! over whichever of them it sends.

mod engine;
mod rigs;

use channels::{AnyChannel, Channel, Error, MediaUpload, OutboundMessage, Regarding};
use domain::channel::Media;
use domain::media::MediaKind;
use domain::message::{
    Address, Button, CallbackRef, Commerce, Content, CustomAddress, MediaSource, TemplateCall,
};
use domain::outcome::{About, Next, Outcome, Refusal, Scope};
use domain::{CampaignId, ContactId};

use rigs::{Far, Rig};

fn contents() -> Vec<Content> {
    let button = Button { id: "a".to_owned(), title: "Sì".to_owned() };
    let (name, language) = ("avviso".to_owned(), "it".to_owned());
    let media = |source| Content::Media {
        kind: MediaKind::Image,
        source,
        caption: Some("Guarda".to_owned()),
        file_name: None,
    };
    vec![
        Content::Text { body: "Ciao".to_owned() },
        media(MediaSource::Link("https://example.com/a.jpg".to_owned())),
        Content::Buttons { header: None, body: "?".to_owned(), footer: None, buttons: vec![button] },
        Content::Commerce(Commerce::Catalog { body: "Tutto".to_owned(), footer: None, thumbnail: None }),
        Content::Template(TemplateCall { name, language, components: Vec::new() }),
    ]
}

fn addresses() -> Vec<Address> {
    vec![
        Address::Phone("+393391234567".parse().unwrap()),
        Address::Bsuid("IT.1".to_owned()),
        Address::Custom(CustomAddress::new(&"livechat".parse().unwrap(), "id-1")),
    ]
}

async fn send(channel: &impl Channel, to: &Address, content: &Content) -> Outcome {
    let reference = CallbackRef::Campaign(CampaignId(1), ContactId(7), 1);
    let regarding = &Regarding::default();
    channel.send(&OutboundMessage { to, content, reference, regarding }).await
}

/// Sends a text to an address that the channel reaches.
async fn send_text(channel: &impl Channel) -> Outcome {
    let can = channel.capabilities();
    let to = addresses().into_iter().find(|address| can.reaches(address)).unwrap();
    send(channel, &to, &contents()[0]).await
}

fn refusal(outcome: Outcome, what: &str) -> Refusal {
    let Outcome::Refused(refusal) = outcome else { panic!("{what}: {outcome:?}") };
    assert!(
        refusal.reason.as_str().contains(':'),
        "{what}: {} does not say where it comes from",
        refusal.reason
    );
    assert!(!refusal.details.is_empty(), "{what}: nothing for people");
    assert_eq!(refusal.delay(1).is_some(), matches!(refusal.next, Next::Retry { .. }), "{what}");
    refusal
}

async fn keeps_its_capabilities<R: Rig>() {
    let rig = R::new(Far::Takes);
    let can = rig.channel().capabilities();
    for address in addresses() {
        for content in contents() {
            let before = rig.asked();
            let outcome = send(rig.channel(), &address, &content).await;
            let text = format!("{}: {content:?} to {address:?}", R::NAME);
            if can.reaches(&address) && can.check(&content).is_ok() {
                let Outcome::Accepted(acceptance) = outcome else { panic!("{text}: {outcome:?}") };
                assert!(!acceptance.provider_id.is_empty(), "{text}");
                assert_eq!(rig.asked(), before + 1, "{text}");
            } else {
                assert_eq!(refusal(outcome, &text).next, Next::Never, "{text}");
                assert_eq!(rig.asked(), before, "{text}: it was sent all the same");
            }
        }
    }
    let (name, mime) = ("a.jpg".to_owned(), "image/jpeg".to_owned());
    let uploaded =
        rig.channel().upload(MediaUpload { name, mime, bytes: bytes::Bytes::from_static(b"x") }).await;
    match can.media {
        Media::Uploads => assert!(!uploaded.unwrap().is_empty()),
        Media::Links | Media::None => assert!(matches!(uploaded, Err(Error::Refused(_)))),
    }
}

async fn says_what_a_refusal_is<R: Rig>() {
    let refused =
        async |far| refusal(send_text(R::new(far).channel()).await, &format!("{} {far:?}", R::NAME));
    let person = refused(Far::RefusesPerson).await;
    assert_eq!((person.about, person.next), (About::Message, Next::Never), "{}", R::NAME);
    let throttled = refused(Far::Throttles).await;
    let Next::Retry { scope, attempts, .. } = throttled.next else { panic!("{throttled:?}") };
    assert!(matches!(scope, Scope::Sender | Scope::Account), "{}: others go on", R::NAME);
    assert_eq!(attempts, None, "{}: waiting uses up attempts", R::NAME);
    assert!(matches!(throttled.about, About::Rate | About::Throughput), "{}", R::NAME);
    // Whoever may not send at all must not try everybody.
    let denied = refused(Far::Denies).await;
    let stops = denied.next == Next::StopSender;
    assert!(stops || (denied.next == Next::Never && denied.about == About::Campaign), "{denied:?}");
}

async fn never_calls_what_it_does_not_know_a_refusal<R: Rig>() {
    for (far, want) in [
        (Far::Fails, Outcome::Ambiguous),
        (Far::Silent, Outcome::Ambiguous),
        (Far::Absent, Outcome::Unreachable),
    ] {
        assert_eq!(send_text(R::new(far).channel()).await, want, "{} {far:?}", R::NAME);
    }
}

async fn conforms<R: Rig>() {
    keeps_its_capabilities::<R>().await;
    says_what_a_refusal_is::<R>().await;
    never_calls_what_it_does_not_know_a_refusal::<R>().await;
}

/// What stored data chose is what it was chosen from.
#[tokio::test]
async fn the_chosen_channel_is_the_channel() {
    let custom = rigs::Behind::<rigs::Custom>::new(Far::Takes);
    let any: &AnyChannel = custom.channel();
    assert_eq!(any.capabilities().media, Media::Links);
}
