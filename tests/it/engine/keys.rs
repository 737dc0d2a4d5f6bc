//! Requests under an `Idempotency-Key` that break off wherever they may.

use harness::faults::{Fault, Plan, Scenario, Set, Shape, in_virtual_time};
use harness::{Api, World, person};
use serde_json::{Value, json};

use super::{at_80, seconds};

/// More calls than a draft or a launch makes.
const STEPS: u64 = 30;

async fn shop(world: &World) -> Api {
    world.import((0..3).map(person)).await;
    world.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
    Api::of(world).await
}

fn draft(api: &Api, key: &str) -> Value {
    json!({"token": api.token, "name": key, "channel": "whatsapp", "message_type": "template",
           "template_name": "avviso", "template_params": ["{{name|amico}}"], "recipient_type": "all",
           "scheduled_at": "2026-07-02T08:00:00Z", "idempotency_key": key})
}

async fn campaigns(api: &Api) -> Vec<Value> {
    api.get("/api/campaigns?limit=100").await.expect(200)["campaigns"].as_array().unwrap().clone()
}

#[test]
fn a_draft_that_breaks_off_is_made_once() {
    in_virtual_time(at_80(), async |world| {
        let api = shop(world).await;
        let mut broken = 0;
        for steps in 1..=STEPS {
            let body = draft(&api, &format!("d{steps}"));
            let answer = world.kill_after(steps, api.post("/api/campaigns/draft", body.clone())).await;
            broken += u64::from(answer.is_none());
            let at_once = api.post("/api/campaigns/draft", body.clone()).await;
            match &answer {
                Some(answer) => assert_eq!(at_once.body, answer.body),
                None => assert!([200, 409].contains(&at_once.status.as_u16()), "{steps} steps"),
            }
            seconds(61).await;
            let again = api.post("/api/campaigns/draft", body.clone()).await;
            let id = again.expect(200)["campaign_id"].clone();
            assert_eq!(api.post("/api/campaigns/draft", body).await.expect(200)["campaign_id"], id);
        }
        assert!(broken > 5, "{broken}");
        let mut names: Vec<String> = campaigns(&api).await.iter().map(|c| c["name"].to_string()).collect();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), campaigns(&api).await.len()), (STEPS as usize, STEPS as usize));
    });
}

#[test]
fn a_launch_that_breaks_off_gets_the_answer_of_the_first() {
    in_virtual_time(at_80(), async |world| {
        let api = shop(world).await;
        let mut broken = 0;
        for steps in 1..=STEPS {
            let id = world.draft("avviso").await.0;
            let body = json!({"campaign_id": id, "idempotency_key": format!("l{steps}")});
            let answer = world.kill_after(steps, api.post("/api/campaigns/launch", body.clone())).await;
            broken += u64::from(answer.is_none());
            seconds(61).await;
            let again = api.post("/api/campaigns/launch", body.clone()).await.expect(200);
            assert_eq!(again, json!({"status": "success", "campaign_id": id, "state": "planning"}));
            seconds(30).await;
            assert_eq!(world.counts(domain::CampaignId(id)).await, [("delivered", 3)].into());
            // Under another key it is another request.
            let other = json!({"campaign_id": id, "idempotency_key": format!("m{steps}")});
            assert_eq!(api.post("/api/campaigns/launch", other).await.status, 409);
        }
        assert!(broken > 5, "{broken}");
        assert_eq!(world.simulator.stats().accepted, 3 * STEPS);
    });
}

/// Whoever repeats a request looks first for what the one before sent; where that fails, the
/// next one has to look, too.
#[test]
fn a_send_that_breaks_off_is_not_sent_again_when_a_repetition_fails() {
    let messages = Set::new(Scenario::named("messages").unwrap());
    let sent = messages.play(&Plan::default());
    let sent = sent.calls.iter().position(|call| call.shape == Shape::Message).unwrap();
    let ends = (sent, Fault::Last);
    let broken_off = messages.play(&Plan::all([ends]));
    let asks = |(nth, call): (usize, &harness::faults::Call)| {
        (nth > sent && call.by == "messages" && call.shape.faults().contains(&Fault::Throttled))
            .then_some(nth)
    };
    let asks: Vec<usize> = broken_off.calls.iter().enumerate().filter_map(asks).collect();
    assert!(asks.len() > 10, "{asks:?}");
    for nth in asks {
        let played = messages.play(&Plan::all([ends, (nth, Fault::Throttled)]));
        assert_eq!((played.fired.len(), played.violations), (2, vec![]), "throttled at {nth}");
    }
}
