//! A catalog that is read twice, an order that comes in, and a customer who is told of it.

use domain::catalog::{Order, OrderStatus};
use messaging::catalogs::{Sync, SyncState};
use serde_json::{Value, json};
use simulators::graph::{InboundOrder, NewCatalog, NewProduct, OrderedItem};
use store::catalogs::ProductQuery;
use store::orders::OrderQuery;

use super::{Promise, Stage, digits, events};
use crate::WABA_ID;
use crate::faults::invariants::Violation;
use crate::faults::stage::{Answers, Ask};

const CATALOG: &str = "700700700700700";
/// Products of two pages.
const PRODUCTS: usize = 30;
/// Those of them that go, by number.
const GONE: [usize; 3] = [3, 17, 30];
/// How long a client waits for a run, in seconds.
const PATIENCE_S: u64 = 3_600;

/// What a client was told of an order's status.
#[derive(Debug, Clone)]
pub struct ShopPromise {
    /// The answers to who said that it is on its way.
    answers: Answers,
}

fn sku(n: usize) -> String {
    format!("sku-{n:05}")
}

pub(super) async fn prepare(stage: &Stage) {
    events::prepare(stage).await;
}

/// The runs of the catalog, as a client sees them.
async fn sync(stage: &Stage) -> Option<Sync> {
    let (store, tenant) = (stage.world.store(), stage.world.tenant());
    store.catalog::<Sync>(tenant, CATALOG).await.unwrap().and_then(|known| known.sync)
}

/// Has the catalog read, and looks until it is.
async fn read(stage: &Stage) {
    let before = sync(stage).await.map(|sync| sync.created_ms);
    let path = format!("/api/catalogs/{CATALOG}/sync");
    let answers = stage.insist("catalog", &Ask::post(&path, json!({}))).await;
    stage.served("sync", &answers, &[202]);
    for second in 0..PATIENCE_S {
        let now = sync(stage).await;
        if now.is_some_and(|sync| sync.state == SyncState::Finished && Some(sync.created_ms) != before) {
            return;
        }
        if second % 600 == 599 {
            // As a client does that shows how far it is.
            stage.ask("catalog", &Ask { method: "GET", ..Ask::post("/api/catalogs", json!({})) }).await;
        }
        stage.wait_ms(1_000).await;
    }
}

pub(super) async fn read_and_ordered_from(stage: &Stage) {
    let simulator = &stage.world.simulator;
    stage.world.set(json!({"products_per_page": 25}));
    let catalog = NewCatalog {
        id: Some(CATALOG.to_owned()),
        waba_id: Some(WABA_ID.to_owned()),
        generate: PRODUCTS,
        ..NewCatalog::default()
    };
    simulator.put_catalog(catalog).unwrap();
    read(stage).await;
    simulator.remove_products(CATALOG, &GONE.map(sku)).unwrap();
    let dearer = NewProduct { retailer_id: sku(1), price: Some(json!(7)), ..NewProduct::default() };
    simulator.put_products(CATALOG, vec![dearer]).unwrap();
    let order = InboundOrder {
        from: Some(digits(5)),
        items: vec![OrderedItem { product_retailer_id: sku(1), quantity: 3 }],
        ..InboundOrder::default()
    };
    simulator.order(order).unwrap();
    read(stage).await;
    let mut answers = Answers::new();
    for _ in 0..PATIENCE_S {
        if !ordered(stage).await.is_empty() {
            break;
        }
        stage.wait_ms(1_000).await;
    }
    if let Some(order) = ordered(stage).await.first() {
        let path = format!("/api/orders/{}", order.id);
        let ask =
            Ask { key: Some("shipped"), ..Ask::post(&path, json!({"status": "shipped", "notify": true})) };
        answers = stage.insist("catalog", &ask).await;
        stage.served("update", &answers, &[200]);
    }
    stage.promise(Promise::Shop(ShopPromise { answers }));
    for containing in ["\"order.received\"", "\"order.status_changed\""] {
        stage.promise(Promise::Events { containing: containing.to_owned(), count: 1 });
    }
}

async fn ordered(stage: &Stage) -> Vec<Order> {
    let wanted = OrderQuery { limit: 10, ..OrderQuery::default() };
    stage.world.store().orders(stage.world.tenant(), &wanted).await.unwrap()
}

/// What does not hold of a catalog and an order.
pub(in crate::faults) async fn wrong(stage: &Stage, promise: &ShopPromise) -> Vec<Violation> {
    let (store, tenant) = (stage.world.store(), stage.world.tenant());
    let mut violations = Vec::new();
    let mut add = |kind, about: String| violations.push(Violation { kind, about });
    match sync(stage).await {
        Some(sync) if sync.state == SyncState::Finished => {}
        other => add("a catalog is not read", format!("{other:?}")),
    }
    let wanted = ProductQuery { limit: 100, with_gone: true, ..ProductQuery::default() };
    let products = store.products(tenant, CATALOG, &wanted).await.unwrap();
    let gone: Vec<&str> = products
        .iter()
        .filter(|one| one.gone_ms.is_some())
        .map(|one| one.product.retailer_id.as_str())
        .collect();
    if gone != GONE.map(sku) || products.len() != PRODUCTS {
        add("products are lost or stay", format!("{gone:?} of {}", products.len()));
    }
    let price = products.first().and_then(|one| one.product.price.as_ref()).map(|money| money.minor);
    if price != Some(700) {
        add("a product is not what it is", format!("{price:?}"));
    }
    let orders = ordered(stage).await;
    let shown: Vec<(Option<u64>, OrderStatus)> =
        orders.iter().map(|order| (order.total.as_ref().map(|money| money.minor), order.status)).collect();
    if shown != [(Some(2_100), OrderStatus::Shipped)] {
        add("an order is lost or doubled", format!("{shown:?}"));
    }
    let messages = stage.world.simulator.messages(Some(&digits(5)), 10);
    let told = messages.iter().filter(|one| one.body["interactive"]["type"] == "order_status").count();
    let says = |answer: &(u16, Value)| answer.1["notification"]["status"] == "sent";
    if told > 1 || (told == 0 && promise.answers.iter().flatten().any(says)) {
        add("a customer is not told once", format!("{told} times: {:?}", promise.answers));
    }
    violations
}
