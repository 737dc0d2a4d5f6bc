//! What the product says by itself, and single sends that are cut off.

use harness::faults::in_virtual_time;
use harness::{APP_SECRET, Api, PHONE_NUMBER_ID, Setup, WABA_ID, sign, text_change, webhook};
use serde_json::json;
use simulators::graph::FaultRule;

use super::{at_80, code, seconds};

fn helpful() -> Setup {
    let help_message = Some("Scrivici a aiuto@example.com".to_owned());
    Setup { help_message, simulator: json!({"enforce_window": false}), ..at_80() }
}

#[test]
fn everybody_who_asks_for_help_is_answered_once() {
    in_virtual_time(helpful(), async |world| {
        world.fault(FaultRule { share: Some(0.2), ..code(130_429) });
        let people: Vec<String> = (0..200).map(|n| format!("39333{n:07}")).collect();
        for person in &people {
            let change = text_change(PHONE_NUMBER_ID, person, &format!("wamid.help.{person}"), "HELP");
            let body = webhook(&[(WABA_ID, vec![change])]).to_string();
            for _ in 0..2 {
                let signature = sign(APP_SECRET, body.as_bytes());
                world.meta_posts(body.as_bytes(), Some(&signature)).await.unwrap();
            }
        }
        seconds(600).await;
        for person in &people {
            assert_eq!(world.simulator.messages(Some(person), 10).len(), 1, "{person}");
        }
        let used = world.store().usage(world.tenant()).await.unwrap();
        assert_eq!(used.messages, 200, "answers are counted");
        let api = Api::of(world).await;
        let history = api.sendapi("/v1/whatsapp/messages?limit=1000").await.expect(200).to_string();
        assert_eq!(history.matches("aiuto@example.com").count(), 200, "all stand in the history");
    });
}

#[test]
fn a_send_whose_process_ends_amid_its_call_is_unknown_within_two_minutes() {
    for steps in 10..24 {
        in_virtual_time(Setup { seed: steps, ..at_80() }, async |world| {
            let api = Api::of(world).await;
            world.writes("393331112223", "Buongiorno");
            seconds(5).await;
            let body = json!({
                "token": api.token, "number": "393331112223", "type": "freetext", "message": "Ciao",
            });
            let send = api.post("/api/whatsapp-meta/send", body);
            let answered = world.kill_after(steps, send).await;
            seconds(120).await;
            let listed = api.sendapi("/v1/whatsapp/messages?limit=10").await.expect(200);
            let open = ["\"claimed\"", "\"pending\""].iter().any(|state| listed.to_string().contains(state));
            assert!(!open, "{answered:?} {listed}");
            let accepted = world.simulator.stats().accepted;
            assert!(accepted <= 1);
        });
    }
}
