//! Events to the users' endpoints: sent, sent again, and never lost.

mod delivery;
mod forwarding;
mod kills;
mod registration;
mod told;

use harness::{APP_SECRET, Api, Hook, PHONE_NUMBER_ID, Received, WABA_ID, World, sign, text_change, webhook};
use serde_json::{Value, json};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A world whose account forwards what Meta posts.
async fn forwarding() -> (World, Api, Hook, Value) {
    let world = World::new().await;
    let (api, hook) = (Api::of(&world).await, Hook::new().await);
    let body = json!({"apikey": api.key, "token": api.token, "url": hook.url});
    let made = api.post("/api/whatsapp-meta/set_webhook", body).await.expect(200);
    (world, api, hook, made)
}

fn text(n: usize, text: &str) -> Value {
    webhook(&[(WABA_ID, vec![text_change(PHONE_NUMBER_ID, "393330000001", &format!("wamid.{n}"), text)])])
}

async fn post(world: &World, body: &Value) -> Vec<u8> {
    let bytes = body.to_string().into_bytes();
    world.meta_posts(&bytes, Some(&sign(APP_SECRET, &bytes))).await.unwrap();
    bytes
}

/// Lets time pass as it does: the clock looks for what is due, the workers do it.
async fn pass(world: &World, ms: i64, step_ms: i64) {
    for _ in 0..ms / step_ms {
        world.clock.advance_ms(step_ms);
        world.sweep().await;
        world.drain().await;
    }
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|r| r.header("webhook-id").to_owned()).collect()
}
