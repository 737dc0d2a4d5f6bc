//! Bot flows: contacts are led through, whatever comes twice, late or amid a step.

mod api;
mod ends;
mod starts;
mod steps;

use harness::{Api, World};
use serde_json::{Value, json};
use simulators::graph::Inbound;

/// Who goes through the flows.
const ADA: &str = "393331112223";

/// Takes an order for a day, for whoever writes "prenota".
fn booking() -> Value {
    json!({
        "name": "Prenotazioni",
        "triggers": [{"on": "keyword", "words": ["prenota", "book"]}],
        "start": "hello",
        "steps": {
            "hello": {"do": "message", "text": "Ciao {{first_name}}!", "next": "menu"},
            "menu": {"do": "ask", "text": "Cosa ti serve?", "kind": "choice", "retries": 1, "on_invalid": "person",
                     "choices": [{"id": "table", "title": "Un tavolo", "to": "day"},
                                 {"id": "person", "title": "Una persona", "to": "person"}]},
            "day": {"do": "ask", "text": "Che giorno?", "kind": "date", "save": "day", "invalid": "Per esempio 24/12",
                    "timeout_minutes": 30, "on_timeout": "late", "next": "tag"},
            "tag": {"do": "set", "add_tags": ["prenotato"], "metadata": {"day": "{{vars.day}}"},
                    "note": "Prenota per {{vars.day}}", "next": "bye"},
            "bye": {"do": "message", "text": "A presto, {{vars.day}}"},
            "late": {"do": "message", "text": "Scrivi quando vuoi"},
            "person": {"do": "handover", "text": "Ti passo un collega"},
        },
    })
}

/// A world with one flow; answers its id.
async fn world_with(flow: Value) -> (World, Api, String) {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let id = made(&api, flow).await;
    (world, api, id)
}

async fn made(api: &Api, flow: Value) -> String {
    let made = api.post("/api/flows", json!({"flow": flow})).await.expect(201);
    made["flow"]["id"].as_str().unwrap().to_owned()
}

/// What was said to somebody, in order.
fn said(world: &World, to: &str) -> Vec<String> {
    let sent = world.simulator.messages(Some(to), 100);
    let text = |body: &Value| {
        let at = |path: &str| body.pointer(path).and_then(Value::as_str);
        let found = ["/text/body", "/interactive/body/text", "/image/caption", "/template/name"];
        found.into_iter().find_map(at).unwrap_or_default().to_owned()
    };
    sent.iter().map(|message| text(&message.body)).collect()
}

/// What was said since the last time.
struct Listener {
    heard: usize,
}

impl Listener {
    fn new() -> Self {
        Self { heard: 0 }
    }

    fn hears(&mut self, world: &World) -> Vec<String> {
        let all = said(world, ADA);
        let new = all[self.heard..].to_vec();
        self.heard = all.len();
        new
    }

    /// Ada writes; answers what she is told.
    async fn says(&mut self, world: &World, text: &str) -> Vec<String> {
        writes(world, json!({"from": ADA, "text": text, "name": "Ada Rossi"})).await;
        self.hears(world)
    }

    /// Ada taps a button.
    async fn taps(&mut self, world: &World, id: &str, title: &str) -> Vec<String> {
        let reply = json!({"type": "button_reply", "button_reply": {"id": id, "title": title}});
        writes(world, json!({"from": ADA, "type": "interactive", "interactive": reply})).await;
        self.hears(world)
    }
}

/// So many seconds pass.
fn pass(world: &World, seconds: i64) {
    world.clock.advance_ms(seconds * 1_000);
}

/// Somebody writes, and everything that follows is done.
async fn writes(world: &World, message: Value) {
    // Meta tells seconds: what is said next is said later.
    pass(world, 1);
    world.simulator.inbound(serde_json::from_value::<Inbound>(message).unwrap()).unwrap();
    world.drain().await;
}

async fn runs(api: &Api, flow: &str) -> Vec<Value> {
    let listed = api.get(&format!("/api/flows/{flow}/runs")).await.expect(200);
    listed["runs"].as_array().unwrap().clone()
}

/// Where the newest run is, and how it ended.
async fn state(api: &Api, flow: &str) -> (String, Value) {
    let newest = runs(api, flow).await.remove(0);
    (newest["state"].as_str().unwrap().to_owned(), newest["outcome"].clone())
}
