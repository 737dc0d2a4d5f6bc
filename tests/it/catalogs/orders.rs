//! What customers order.

use domain::MessageId;
use domain::catalog::{NewOrder, Order, OrderStatus};
use domain::message::Address;
use futures::future::join_all;
use harness::{APP_SECRET, Hook, PHONE_NUMBER_ID, Received, WABA_ID, World, phone, sign, webhook};
use serde_json::{Value, json};
use simulators::graph::{InboundOrder, OrderedItem};

use super::{CATALOG, done, order, ordered, shop, synced};

/// A webhook of Meta's with an order.
fn posted(id: &str, from: &Value, items: &Value) -> String {
    let order = json!({"catalog_id": CATALOG, "text": "Entro sera", "product_items": items});
    let mut message = json!({"id": id, "timestamp": "1782892800", "type": "order", "order": order});
    message.as_object_mut().unwrap().extend(from.as_object().unwrap().clone());
    let contact =
        json!({"profile": {"name": "Mario Rossi"}, "wa_id": from["from"], "user_id": from["from_user_id"]});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_NUMBER_ID},
                       "contacts": [contact], "messages": [message]});
    webhook(&[(WABA_ID, vec![json!({"field": "messages", "value": value})])]).to_string()
}

async fn takes(world: &World, body: &str) {
    world.meta_posts(body.as_bytes(), Some(&sign(APP_SECRET, body.as_bytes()))).await.unwrap();
}

fn item(id: &str, quantity: u64, price: Value, currency: &str) -> Value {
    json!({"product_retailer_id": id, "quantity": quantity, "item_price": price, "currency": currency})
}

#[tokio::test]
async fn an_order_has_its_items_its_customer_and_its_total() {
    let (world, api) = shop().await;
    synced(&world, &api).await;
    let new = InboundOrder {
        from: Some(phone(1)),
        name: Some("Ada Neri".to_owned()),
        items: vec![
            OrderedItem { product_retailer_id: "pane".to_owned(), quantity: 3 },
            OrderedItem { product_retailer_id: "dolce".to_owned(), quantity: 1 },
        ],
        text: Some("Senza sacchetto".to_owned()),
        ..InboundOrder::default()
    };
    let id = world.simulator.order(new).unwrap();
    world.drain().await;
    let orders = ordered(&api).await;
    assert_eq!(orders.len(), 1);
    let order = &orders[0];
    assert_eq!(
        (&order["total"], &order["currency"], &order["cart_total"]),
        (&json!(2_040), &json!("EUR"), &json!("20.40"))
    );
    assert_eq!((&order["status"], &order["cart_status_raw"]), (&json!("pending"), &json!("Submitted")));
    assert_eq!((&order["first_name"], &order["chat_id"]), (&json!("Ada"), &json!(&phone(1)[1..])));
    assert_eq!((&order["note"], &order["wa_message_id"]), (&json!("Senza sacchetto"), &json!(id)));
    assert_eq!(order["catalog_name"], "Bottega");
    let pane = json!({"product_id": "pane", "name": "Pane di Altamura", "quantity": 3, "price": 250, "currency": "EUR"});
    assert_eq!(order["items"][0], pane);
    let own = order["order_id"].as_str().unwrap();
    let shown = api.get(&format!("/api/orders/{own}")).await.expect(200);
    assert_eq!(
        (&shown["order"]["phone"], &shown["order"]["total_text"]),
        (&json!(phone(1)), &json!("20.40"))
    );
    // It stays in the history as the message that it is.
    let history =
        api.sendwo("/api/v1/whatsapp/conversation", &format!("phoneNumber={}", &phone(1)[1..])).await;
    let said = history.expect(200)["message"][0].clone();
    assert_eq!((&said["type"], &said["text"]), (&json!("order"), &json!("Senza sacchetto")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_comes_again_makes_no_second_order() {
    let (world, api) = shop().await;
    let hook = Hook::new().await;
    let made = json!({"url": hook.url, "name": "CRM", "events": ["order.received", "message.received"]});
    api.post("/api/webhooks", made).await.expect(201);
    let body =
        posted("wamid.o1", &json!({"from": &phone(1)[1..]}), &json!([item("pane", 2, json!(2.5), "EUR")]));
    join_all((0..5).map(|_| takes(&world, &body))).await;
    world.drain().await;
    takes(&world, &body).await;
    world.drain().await;
    // Late, in a webhook with another one.
    world.clock.advance_ms(3 * 86_400_000);
    let other =
        posted("wamid.o2", &json!({"from": &phone(1)[1..]}), &json!([item("vino", 1, json!(8), "EUR")]));
    let (mut both, other): (Value, Value) =
        (serde_json::from_str(&other).unwrap(), serde_json::from_str(&body).unwrap());
    both["entry"].as_array_mut().unwrap().extend(other["entry"].as_array().unwrap().clone());
    takes(&world, &both.to_string()).await;
    world.drain().await;
    let totals: Vec<Value> = ordered(&api).await.iter().map(|order| order["total"].clone()).collect();
    assert_eq!(totals, [json!(800), json!(500)]);
    let told: Vec<Value> = hook.taken().iter().map(Received::json).collect();
    let of = |kind: &str| told.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    assert_eq!((of("order.received").len(), of("message.received").len()), (2, 2));
    let first = of("order.received").into_iter().find(|event| event["data"]["total"] == 500).unwrap();
    assert_eq!((&first["data"]["currency"], &first["data"]["note"]), (&json!("EUR"), &json!("Entro sera")));
    assert_eq!(
        first["data"]["items"][0],
        json!({"product_id": "pane", "quantity": 2, "price": 250, "currency": "EUR"})
    );
    assert_eq!(first["message_id"], first["data"]["order_id"]);
}

#[tokio::test]
async fn amounts_are_exact_in_every_currency() {
    let (world, api) = shop().await;
    for (n, (items, total, text)) in [
        (json!([item("a", 3, json!(500), "JPY")]), json!(1_500), json!("1500")),
        (
            json!([item("a", 2, json!(1.234), "KWD"), item("b", 1, json!(0.001), "KWD")]),
            json!(2_469),
            json!("2.469"),
        ),
        (json!([item("a", 3, json!(0.1), "EUR"), item("b", 1, json!(0.2), "EUR")]), json!(50), json!("0.50")),
        (json!([item("a", 100, json!(1.15), "USD")]), json!(11_500), json!("115.00")),
        (json!([item("a", 1, json!("19.90"), "usd")]), json!(1_990), json!("19.90")),
        (json!([item("a", 1, json!(1), "EUR"), item("b", 1, json!(1), "USD")]), Value::Null, Value::Null),
        (json!([item("a", 1, json!("gratis"), "EUR")]), Value::Null, Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        takes(&world, &posted(&format!("wamid.c{n}"), &json!({"from": &phone(n)[1..]}), &items)).await;
        world.drain().await;
        let newest = ordered(&api).await.remove(0);
        assert_eq!((&newest["total"], &newest["cart_total"]), (&total, &text), "{items}");
    }
    // A message that orders nothing is a message.
    takes(&world, &posted("wamid.none", &json!({"from": &phone(50)[1..]}), &json!([]))).await;
    world.drain().await;
    assert_eq!(ordered(&api).await.len(), 7);
}

#[tokio::test]
async fn a_customer_of_two_identities_is_one_customer() {
    let (world, api) = shop().await;
    let items = json!([item("pane", 1, json!(2.5), "EUR")]);
    let both = json!({"from": &phone(1)[1..], "from_user_id": "IT.13491208655302741918"});
    takes(&world, &posted("wamid.1", &both, &items)).await;
    world.drain().await;
    takes(&world, &posted("wamid.2", &json!({"from_user_id": "IT.13491208655302741918"}), &items)).await;
    takes(&world, &posted("wamid.3", &json!({"from": &phone(1)[1..]}), &items)).await;
    world.drain().await;
    let orders = ordered(&api).await;
    let who: Vec<&Value> = orders.iter().map(|order| &order["subscriber_id"]).collect();
    assert_eq!(who, [&json!(1); 3]);
    let mine = json!({"phone_number": &phone(1)[1..]});
    assert_eq!(done(&api, "/api/v1/catalog/order/list", mine).await["message"].as_array().unwrap().len(), 3);
    // Somebody of whom only the user id is known turns out to be somebody else.
    takes(&world, &posted("wamid.4", &json!({"from_user_id": "IT.7"}), &items)).await;
    world.drain().await;
    let joined = json!({"from": &phone(1)[1..], "from_user_id": "IT.7"});
    takes(&world, &posted("wamid.5", &joined, &items)).await;
    world.drain().await;
    let by_id = api.get("/api/orders?contact_id=1").await.expect(200);
    assert_eq!(by_id["orders"].as_array().unwrap().len(), 5, "{by_id}");
}

#[tokio::test]
async fn orders_are_found_by_what_they_are() {
    let (world, api) = shop().await;
    for n in 0..5 {
        order(&world, &phone(n % 2)[1..], &[("pane", n as u64 + 1)]);
        world.drain().await;
        world.clock.advance_ms(1_000);
    }
    let quantities = |answer: &Value| -> Vec<u64> {
        let orders = answer["message"].as_array().unwrap();
        orders.iter().map(|order| order["items"][0]["quantity"].as_u64().unwrap()).collect()
    };
    let list = async |body: Value| done(&api, "/api/v1/whatsapp/catalog/order/list", body).await;
    let first = list(json!({"limit": 2})).await;
    assert_eq!((quantities(&first), &first["next_offset"]), (vec![5, 4], &json!(3)));
    assert_eq!(quantities(&list(json!({"limit": 2, "offset": 3})).await), [3, 2]);
    assert_eq!(quantities(&list(json!({"limit": 2, "page": 3})).await), [1]);
    assert_eq!(quantities(&list(json!({"limit": 2, "offset": 99})).await), [0; 0]);
    assert_eq!(quantities(&list(json!({"whatsapp_catalog_id": "1"})).await), [0; 0]);
    assert_eq!(quantities(&list(json!({"chat_id": &phone(1)[1..]})).await), [4, 2]);
    assert_eq!(quantities(&list(json!({"phone_number": &phone(7)[1..]})).await), [0; 0]);
    let id = list(json!({"limit": 1})).await["message"][0]["order_id"].clone();
    done(&api, "/api/v1/catalog/order/update", json!({"orderId": id, "status": "processing"})).await;
    assert_eq!(quantities(&list(json!({"cart_status": "Approved"})).await), [5]);
    assert_eq!(quantities(&list(json!({"status": "pending", "subscriberId": 1})).await), [3, 1]);
    let page = api.get("/api/orders?limit=3").await.expect(200);
    let next = page["next"].as_str().unwrap();
    let rest = api.get(&format!("/api/orders?limit=3&before={next}")).await.expect(200);
    assert_eq!((rest["orders"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
}

#[tokio::test]
async fn the_few_that_are_wanted_are_found_among_many() {
    let (world, api) = shop().await;
    let (store, tenant) = (world.store(), world.tenant());
    let first = MessageId::first_of(world.clock.now_ms()).0.0;
    let orders = (0..1_100).map(|n| Order {
        id: MessageId((first + n).into()),
        provider_id: format!("wamid.{n}"),
        account: world.account.id,
        sender: None,
        contact: None,
        address: Address::Bsuid("IT.1".to_owned()),
        new: NewOrder { catalog: Some(CATALOG.to_owned()), items: Vec::new(), note: Some(n.to_string()) },
        total: None,
        status: if n % 500 == 3 { OrderStatus::Shipped } else { OrderStatus::Pending },
        notice: None,
        created_ms: 0,
        status_ms: 0,
    });
    let orders: Vec<Order> = orders.collect();
    join_all(orders.iter().map(|order| store.create_order(tenant, order))).await;
    let notes = |answer: &Value, list: &str| -> Vec<String> {
        let orders = answer[list].as_array().unwrap();
        orders.iter().map(|order| order["note"].as_str().unwrap().to_owned()).collect()
    };
    let shipped = done(&api, "/api/v1/catalog/order/list", json!({"status": "shipped"})).await;
    assert_eq!(notes(&shipped, "message"), ["1003", "503", "3"]);
    let page = api.get("/api/orders?status=shipped&limit=2").await.expect(200);
    assert_eq!(notes(&page, "orders"), ["1003", "503"]);
    let next = page["next"].as_str().unwrap();
    let rest = api.get(&format!("/api/orders?status=shipped&limit=2&before={next}")).await.expect(200);
    assert_eq!((notes(&rest, "orders"), &rest["next"]), (vec!["3".to_owned()], &Value::Null));
    let all = done(&api, "/api/v1/catalog/order/list", json!({"limit": 1_000, "offset": 1_001})).await;
    assert_eq!((notes(&all, "message").len(), notes(&all, "message")[0].as_str()), (100, "99"));
}
