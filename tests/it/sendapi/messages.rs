//! `GET /v1/whatsapp/messages`

use domain::channel::Channel;
use domain::message::Address;
use domain::recipient::{Progress, State};
use domain::{AccountId, MessageId};
use harness::{Api, World, person, phone};
use ops::accounts::AccountSettings;
use serde_json::{Value, json};
use store::due::{Due, Watched};
use store::messages::Message;

const PATH: &str = "/v1/whatsapp/messages";
const DAY_MS: i64 = 86_400_000;

async fn world() -> (World, Api) {
    let world = World::new().await;
    world.set(json!({"enforce_window": false}));
    let api = Api::of(&world).await;
    (world, api)
}

async fn send(world: &World, api: &Api, n: usize, text: &str) -> Value {
    world.clock.advance_ms(1_000);
    let body = json!({"number": phone(n), "type": "freetext", "message": text});
    api.post_as_documented("/api/whatsapp-meta/send", body).await.expect(200)
}

/// Somebody writes, later.
async fn writes(world: &World, n: usize, text: &str, later_ms: i64) {
    world.clock.advance_ms(later_ms);
    world.writes(&phone(n), text);
    world.drain().await;
}

/// One page: its texts, and where to go on.
async fn page(api: &Api, query: &str) -> (Vec<String>, Option<String>) {
    let body = api.sendapi(&format!("{PATH}?{query}")).await.expect(200);
    let data = body["data"].as_array().unwrap();
    let texts = data.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect();
    (texts, body["meta"]["next_cursor"].as_str().map(str::to_owned))
}

/// All pages, with how many there were.
async fn all(api: &Api, query: &str) -> (Vec<String>, usize) {
    let (mut texts, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let (more, next) = page(api, &format!("{query}&cursor={cursor}")).await;
        texts.extend(more);
        pages += 1;
        match next {
            Some(next) => cursor = next,
            None => return (texts, pages),
        }
    }
}

#[tokio::test]
async fn a_message_is_shown_with_what_became_of_it() {
    let (world, api) = world().await;
    let sent = send(&world, &api, 1, "Ciao!").await;
    world.drain().await;
    let by_id = api.sendapi(&format!("{PATH}/{}", sent["id"].as_str().unwrap())).await.expect(200);
    let message = &by_id["data"];
    let wamid = sent["message_id"].as_str().unwrap();
    assert_eq!(api.sendapi(&format!("{PATH}/{}", wamid.replace('=', "%3D"))).await.expect(200), by_id);
    assert_eq!((&message["id"], &message["message_id"]), (&sent["id"], &sent["message_id"]));
    assert_eq!((&message["session_id"], &message["direction"]), (&json!(1), &json!("outbound")));
    assert_eq!((&message["type"], &message["content"]), (&json!("text"), &json!("Ciao!")));
    assert_eq!((&message["to"], &message["status"]), (&json!(phone(1)), &json!("delivered")));
    assert!(message["from"].as_str().unwrap().starts_with('+'));
    assert!(message["sent_at"].is_string() && message["delivered_at"].is_string());
    assert_eq!((&message["error"], &message["campaign_id"]), (&Value::Null, &Value::Null));
    let listed = api.sendapi(PATH).await.expect(200);
    assert_eq!(listed, json!({"data": [message], "meta": {"limit": 50, "next_cursor": null}}));
}

#[tokio::test]
async fn filters_choose() {
    let (world, api) = world().await;
    writes(&world, 1, "uno", 1_000).await;
    writes(&world, 2, "due", 1_000).await;
    send(&world, &api, 1, "tre").await;
    world.drain().await;
    // Its statuses are not worked off yet.
    send(&world, &api, 3, "quattro").await;
    let digits = &phone(1)[1..];
    for (query, want) in [
        ("".to_owned(), vec!["quattro", "tre", "due", "uno"]),
        ("direction=inbound".to_owned(), vec!["due", "uno"]),
        ("direction=Outgoing".to_owned(), vec!["quattro", "tre"]),
        ("status=accepted".to_owned(), vec!["quattro"]),
        ("status=delivered&direction=outbound".to_owned(), vec!["tre"]),
        ("status=failed".to_owned(), vec![]),
        ("session_id=1&limit=5000".to_owned(), vec!["quattro", "tre", "due", "uno"]),
        (format!("phone={digits}"), vec!["tre", "uno"]),
        (format!("to=%2B{digits}&direction=inbound"), vec!["uno"]),
        (format!("to={}", &phone(3)[1..]), vec!["quattro"]),
        (format!("to={}", &phone(9)[1..]), vec![]),
    ] {
        assert_eq!(
            page(&api, &query).await,
            (want.iter().map(|t| (*t).to_owned()).collect(), None),
            "{query}"
        );
    }
}

#[tokio::test]
async fn since_and_until_bound_the_time() {
    let (world, api) = world().await;
    writes(&world, 1, "luglio", 1_000).await;
    writes(&world, 1, "agosto", 31 * DAY_MS).await;
    writes(&world, 1, "settembre", 31 * DAY_MS).await;
    let moment = api.sendapi(&format!("{PATH}?limit=2")).await.expect(200)["data"][1]["created_at"].clone();
    let moment = moment.as_str().unwrap();
    for phone in [String::new(), format!("&phone={}", &phone(1)[1..])] {
        for (query, want) in [
            (format!("since={moment}{phone}"), vec!["settembre", "agosto"]),
            (format!("until={moment}{phone}"), vec!["luglio"]),
            (format!("since=2026-07-15T00:00:00%2B02:00&until=2026-08-15T00:00:00Z{phone}"), vec!["agosto"]),
            (format!("since=2030-01-01T00:00:00Z{phone}"), vec![]),
            (format!("until=2020-01-01T00:00:00Z{phone}"), vec![]),
        ] {
            assert_eq!(all(&api, &query).await.0, want, "{query}");
        }
    }
}

#[tokio::test]
async fn pages_of_several_sessions_have_everything_once_in_order() {
    let (world, api) = world().await;
    let new = AccountSettings::named("Filiale");
    let second = ops::accounts::create_account(world.store(), &world.caller.tenant, new).await.unwrap();
    let accounts = [world.account.id, second.id];
    let mut want: Vec<String> = Vec::new();
    for day in 0..3 {
        for n in 0..40 {
            let text = format!("{day}-{n:02}");
            world.clock.advance_ms(5);
            let message = message(&world, accounts[n % 3 % 2], &text);
            let (tenant, what) = (world.tenant().clone(), Watched::Message(message.account, message.id));
            let due = Due { tenant, what, at_ms: world.clock.now_ms() };
            world.store().create_message(world.tenant(), &message, &due).await.unwrap();
            want.push(text);
        }
        world.clock.advance_ms(DAY_MS);
    }
    want.reverse();
    for limit in [1_000, 120, 50, 7] {
        assert_eq!(all(&api, &format!("limit={limit}")).await.0, want, "{limit}");
        let with = format!("limit={limit}&phone={}", &phone(1)[1..]);
        assert_eq!(all(&api, &with).await.0, want, "{with}");
    }
    let of_second = all(&api, &format!("limit=7&session_id={}", second.id)).await.0;
    assert_eq!(of_second.len(), 39);
    assert!(of_second.iter().all(|text| text[2..].parse::<usize>().unwrap() % 3 == 1));
}

/// A message of now.
fn message(world: &World, account: AccountId, text: &str) -> Message {
    let store = world.store();
    Message {
        channel: Channel::Whatsapp,
        sender: None,
        campaign: None,
        id: MessageId(store.entropy().ulid(store.clock().now())),
        account,
        contact: None,
        inbound: false,
        address: Address::Phone(phone(1).parse().unwrap()),
        kind: "text".to_owned(),
        text: Some(text.to_owned()),
        content: "{}".to_owned(),
        progress: Progress::new(State::Sent),
        rewritten: None,
        cost: None,
        is_refunded: false,
    }
}

#[tokio::test]
async fn a_long_silence_takes_several_requests() {
    let (world, api) = world().await;
    writes(&world, 1, "prima", 1_000).await;
    writes(&world, 1, "dopo", 100 * DAY_MS).await;
    let (first, next) = page(&api, "limit=2").await;
    assert_eq!((first, next.is_some()), (vec!["dopo".to_owned()], true));
    let (texts, pages) = all(&api, "limit=2").await;
    assert_eq!((texts, pages), (vec!["dopo".to_owned(), "prima".to_owned()], 4));
}

#[tokio::test]
async fn with_a_phone_messages_of_campaigns_are_among_the_others() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    send(&world, &api, 1, "prima").await;
    world.clock.advance_ms(1_000);
    world.launched().await;
    world.drain().await;
    send(&world, &api, 1, "dopo").await;
    let query = format!("phone={}", &phone(1)[1..]);
    let want = ["dopo", "Ciao Persona 1, a presto", "prima"];
    assert_eq!(all(&api, &query).await.0, want);
    assert_eq!(all(&api, &format!("{query}&limit=1")).await, (want.map(str::to_owned).to_vec(), 3));
    assert_eq!(all(&api, "").await.0, ["dopo", "prima"]);
    let row = api.sendapi(&format!("{PATH}/c:1:1:1")).await.expect(200);
    assert_eq!((&row["data"]["campaign_id"], &row["data"]["type"]), (&json!(1), &json!("template")));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (_world, api) = world().await;
    for (query, status, field) in [
        ("session_id=x", 422, "session_id"),
        ("session_id=9", 404, "session_id"),
        ("direction=up", 422, "direction"),
        ("status=gone", 422, "status"),
        ("phone=12", 422, "phone"),
        ("to=12", 422, "to"),
        ("limit=-1", 422, "limit"),
        ("cursor=x", 422, "cursor"),
        ("since=yesterday", 422, "since"),
        ("until=2026-07-01", 422, "until"),
    ] {
        let body = api.sendapi(&format!("{PATH}?{query}")).await.expect(status);
        assert_eq!(body["error"]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn unknown_and_foreign_messages_are_not_found() {
    let (world, api) = world().await;
    world.import([person(1)]).await;
    let sent = send(&world, &api, 1, "Ciao").await;
    world.launched().await;
    world.drain().await;
    let other = api.of_another_tenant().await;
    for id in [sent["id"].as_str().unwrap(), sent["message_id"].as_str().unwrap(), "c:1:1:1"] {
        let path = format!("{PATH}/{}", id.replace('=', "%3D"));
        assert_eq!(other.sendapi(&path).await.expect(404)["error"]["code"], "not_found");
        api.sendapi(&path).await.expect(200);
    }
    for id in ["1", "wamid.x", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "c:1:7:1"] {
        assert_eq!(api.sendapi(&format!("{PATH}/{id}")).await.expect(404)["error"]["field"], "id");
    }
    assert_eq!(page(&other, "").await, (vec![], None));
    assert_eq!(other.sendapi(&format!("{PATH}?session_id=1")).await.status, 404);
}
