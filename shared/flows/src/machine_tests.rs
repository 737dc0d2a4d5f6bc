//! A contact who goes through a flow, step by step and in any order.

use domain::ContactId;
use domain::contact::Contact;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A contact who goes through a flow, with a clock.
struct Walk {
    flow: Definition,
    run: Run,
    contact: Contact,
    now_ms: i64,
}

impl Walk {
    fn new(steps: Value) -> Self {
        let flow = json!({"name": "Prova", "start": "a", "expires_hours": 4, "steps": steps});
        let mut contact = Contact::empty(ContactId(1), Timestamp::UNIX_EPOCH);
        contact.name = Some("Ada".to_owned());
        Self { flow: Definition::read(&flow).unwrap(), run: Run::new(1, "a", 0), contact, now_ms: 0 }
    }

    fn on(&mut self, event: Event) -> Option<Effect> {
        let now = Timestamp::from_millisecond(self.now_ms).unwrap();
        let facts = Facts { contact: &self.contact, country: None, now };
        let effect = advance(&self.flow, &mut self.run, event, &facts);
        assert_eq!(effect, super::effect(&self.flow, &self.run, &facts), "who finds it does the same");
        effect
    }

    /// Does everything until the run rests; answers what was said.
    fn all(&mut self, event: Event) -> Vec<String> {
        let mut said = Vec::new();
        let mut effect = self.on(event);
        while let Some(next) = effect {
            let message = match next {
                Effect::Send(message) => Some(message),
                Effect::HandOver(message) => message,
                Effect::Set(_) | Effect::Call { .. } => None,
            };
            said.extend(message.map(|message| match message {
                Outgoing::Text { text } | Outgoing::Buttons { text, .. } | Outgoing::List { text, .. } => {
                    text
                }
                other @ (Outgoing::Media { .. } | Outgoing::Template { .. } | Outgoing::Products { .. }) => {
                    format!("{other:?}")
                }
            }));
            effect = self.on(self.done(None));
        }
        said
    }

    fn done(&self, answer: Option<Value>) -> Event {
        Event::Done { answer, at_ms: self.now_ms }
    }

    fn says(&mut self, text: &str) -> Vec<String> {
        self.now_ms += 1_000;
        let reply = Reply { text: text.to_owned(), id: None, at_ms: self.now_ms };
        self.all(Event::Reply(reply))
    }

    fn ended(&self) -> Option<Ending> {
        self.run.ending()
    }
}

fn booking() -> Value {
    json!({
        "a": {"do": "message", "text": "Ciao {{first_name}}!", "next": "menu"},
        "menu": {"do": "ask", "text": "Cosa ti serve?", "kind": "choice", "retries": 1, "on_invalid": "person",
                 "invalid": "Scegli, per favore",
                 "choices": [{"id": "p", "title": "Prenotare", "to": "day"}, {"title": "Una persona", "to": "person"}]},
        "day": {"do": "ask", "text": "Che giorno?", "kind": "date", "save": "day", "timeout_minutes": 30,
                "on_timeout": "late", "next": "tag"},
        "tag": {"do": "set", "add_tags": ["prenotato"], "vars": {"text": "il {{vars.day}}"}, "next": "bye"},
        "bye": {"do": "message", "text": "A presto, {{vars.text}}"},
        "late": {"do": "message", "text": "Scrivi quando vuoi"},
        "person": {"do": "handover", "text": "Ti passo un collega"},
    })
}

#[test]
fn a_contact_is_led_through() {
    let mut walk = Walk::new(booking());
    assert_eq!(walk.all(Event::Proceed), ["Ciao Ada!", "Cosa ti serve?"]);
    assert_eq!(walk.says("prenotare"), ["Che giorno?"]);
    assert_eq!(walk.says("boh"), ["Che giorno?"], "the question again where there are no words for it");
    assert_eq!(walk.says("24/12"), ["A presto, il 1970-12-24"]);
    assert_eq!(walk.ended(), Some(Ending::Finished));
    assert_eq!(walk.says("ciao"), Vec::<String>::new(), "it is over");
}

#[test]
fn wrong_answers_are_asked_again_for_and_lead_elsewhere() {
    let mut walk = Walk::new(booking());
    walk.all(Event::Proceed);
    assert_eq!(walk.says("?"), ["Scegli, per favore"]);
    assert_eq!(walk.says("?"), ["Ti passo un collega"]);
    assert_eq!(walk.ended(), Some(Ending::HandedOver));
}

#[test]
fn who_does_not_answer_is_let_go() {
    let mut walk = Walk::new(booking());
    walk.all(Event::Proceed);
    walk.says("1");
    assert_eq!(walk.run.due_ms(4), Some(walk.now_ms + 30 * 60_000));
    walk.now_ms += 29 * 60_000;
    assert_eq!(walk.all(Event::Due), Vec::<String>::new(), "not yet");
    walk.now_ms += 60_000;
    assert_eq!(walk.all(Event::Due), ["Scrivi quando vuoi"]);
    // A question without an end of its own ends with the run.
    let mut walk = Walk::new(booking());
    walk.all(Event::Proceed);
    walk.now_ms += 4 * 3_600_000;
    walk.all(Event::Due);
    assert_eq!(walk.ended(), Some(Ending::Expired));
    // What comes late starts nothing in it.
    let mut walk = Walk::new(booking());
    walk.all(Event::Proceed);
    walk.now_ms += 5 * 3_600_000;
    assert_eq!(walk.says("1"), Vec::<String>::new());
    assert_eq!(walk.ended(), Some(Ending::Expired));
}

#[test]
fn what_was_said_before_the_question_is_no_answer() {
    let mut walk = Walk::new(booking());
    walk.now_ms = 10_000;
    walk.all(Event::Proceed);
    let early = Reply { text: "1".to_owned(), id: None, at_ms: 8_000 };
    assert_eq!(walk.all(Event::Reply(early)), Vec::<String>::new());
    assert_eq!(walk.run.step().map(String::as_str), Some("menu"));
}

#[test]
fn an_answer_may_be_faster_than_the_news_that_it_was_asked_for() {
    let mut walk = Walk::new(booking());
    walk.now_ms = 10_000;
    walk.on(Event::Proceed);
    // While the greeting is sent: before the question.
    walk.on(Event::Reply(Reply { text: "2".to_owned(), id: None, at_ms: 10_000 }));
    assert_eq!(walk.run.effects, 1, "it is the same effect");
    walk.now_ms = 11_000;
    walk.on(walk.done(None));
    assert_eq!((walk.run.effects, walk.run.unheard.len()), (2, 0));
    walk.on(Event::Reply(Reply { text: "1".to_owned(), id: None, at_ms: 11_500 }));
    let effect = walk.on(walk.done(None));
    let asks_day = Some(Effect::Send(Outgoing::Text { text: "Che giorno?".to_owned() }));
    assert_eq!((effect, walk.run.effects), (asks_day, 3));
}

#[test]
fn a_wait_lasts_as_long_as_it_says() {
    let mut walk = Walk::new(json!({
        "a": {"do": "wait", "minutes": 600, "next": "b"},
        "b": {"do": "message", "text": "Eccoci"},
    }));
    walk.all(Event::Proceed);
    assert_eq!(walk.says("ci sei?"), Vec::<String>::new());
    walk.now_ms = 599 * 60_000;
    assert_eq!(walk.all(Event::Due), Vec::<String>::new());
    walk.now_ms += 60_000;
    assert_eq!(walk.all(Event::Due), ["Eccoci"], "longer than the run may be silent");
}

#[test]
fn a_call_brings_variables_or_goes_elsewhere() {
    let steps = json!({
        "a": {"do": "call", "url": "https://shop.example.com/{{vars.n}}", "body": {"who": "{{name}}"},
              "save": {"order": "/order/id", "gone": "/no"}, "on_error": "sorry", "next": "b"},
        "b": {"do": "message", "text": "Ordine {{vars.order}}{{vars.gone|!}}"},
        "sorry": {"do": "message", "text": "Riprova"},
    });
    let mut walk = Walk::new(steps.clone());
    walk.run.vars.insert("n".to_owned(), "7/../?a=b&c è".into());
    let Some(Effect::Call { url, body }) = walk.on(Event::Proceed) else { panic!("no call") };
    let encoded = "https://shop.example.com/7%2F..%2F%3Fa%3Db%26c%20%C3%A8";
    assert_eq!((url.as_str(), &body["who"]), (encoded, &json!("Ada")));
    let said = walk.all(walk.done(Some(json!({"order": {"id": 7}}))));
    assert_eq!(said, ["Ordine 7!"]);
    let mut walk = Walk::new(steps);
    walk.on(Event::Proceed);
    assert_eq!(walk.all(Event::Failed(Ending::Failed, "gone".to_owned())), ["Riprova"]);
}

#[test]
fn variables_have_bounds() {
    // Each step doubles it.
    let mut steps = serde_json::Map::new();
    steps.insert("a".to_owned(), json!({"do": "set", "vars": {"x": "ab"}, "next": "s0"}));
    for n in 0..40 {
        let next = format!("s{}", n + 1);
        let double = json!({"do": "set", "vars": {"x": "{{vars.x}}{{vars.x}}"}, "next": next});
        steps.insert(format!("s{n}"), double);
    }
    steps.insert("s40".to_owned(), json!({"do": "end"}));
    let mut walk = Walk::new(Value::Object(steps));
    walk.all(Event::Proceed);
    assert_eq!((walk.ended(), walk.run.reason.as_deref()), (Some(Ending::Failed), Some("vars_too_large")));
    assert!(serde_json::to_string(&walk.run).unwrap().len() < 70_000);
    // A call whose answer is too large goes where one without an answer goes.
    let mut walk = Walk::new(json!({
        "a": {"do": "call", "url": "https://shop.example.com/", "save": {"x": ""}, "on_error": "sorry", "next": "b"},
        "b": {"do": "message", "text": "Ecco"},
        "sorry": {"do": "message", "text": "Riprova"},
    }));
    walk.on(Event::Proceed);
    assert_eq!(walk.all(walk.done(Some("x".repeat(20_000).into()))), ["Riprova"]);
    let reply = Reply::new(&"x".repeat(10_000), None, 0);
    assert_eq!(reply.text.len(), 4_096);
}

#[test]
fn a_flow_that_changes_goes_on_at_its_step_or_ends() {
    let mut walk = Walk::new(booking());
    walk.all(Event::Proceed);
    let mut without = booking();
    without["menu"]["text"] = "Nuovo testo".into();
    walk.flow = Definition::read(&json!({"name": "x", "start": "a", "steps": without})).unwrap();
    resume_after_change(&walk.flow, 2, &mut walk.run);
    assert_eq!((walk.run.version, walk.ended()), (2, None));
    assert_eq!(walk.says("1"), ["Che giorno?"]);
    let other = json!({"name": "x", "start": "a", "steps": {"a": {"do": "end"}}});
    resume_after_change(&Definition::read(&other).unwrap(), 3, &mut walk.run);
    assert_eq!(walk.ended(), Some(Ending::Changed));
    let ends = json!({"name": "x", "start": "a", "on_change": "end", "steps": booking()});
    let mut walk = Walk::new(booking());
    walk.all(Event::Proceed);
    resume_after_change(&Definition::read(&ends).unwrap(), 2, &mut walk.run);
    assert_eq!(walk.ended(), Some(Ending::Changed));
}

#[test]
fn ten_messages_without_a_word_are_enough() {
    let mut steps = serde_json::Map::new();
    for n in 0..12 {
        let next = format!("s{}", n + 1);
        steps.insert(format!("s{n}"), json!({"do": "message", "text": n.to_string(), "next": next}));
    }
    steps.insert("a".to_owned(), json!({"do": "goto", "to": "s0"}));
    steps.insert("s12".to_owned(), json!({"do": "end"}));
    let mut walk = Walk::new(Value::Object(steps));
    assert_eq!(walk.all(Event::Proceed).len(), 10);
    assert_eq!(walk.ended(), Some(Ending::Loop));
    // A question that asks itself again without being heard.
    let mut walk = Walk::new(json!({
        "a": {"do": "ask", "text": "?", "timeout_minutes": 1, "on_timeout": "a"},
    }));
    let mut said = walk.all(Event::Proceed);
    while walk.ended().is_none() {
        walk.now_ms += 60_000;
        said.extend(walk.all(Event::Due));
    }
    assert_eq!((said.len(), walk.ended()), (10, Some(Ending::Loop)));
}

#[test]
fn a_cause_counts_once() {
    let mut run = Run::new(1, "a", 0);
    assert!(run.heed("wamid.1") && !run.heed("wamid.1"));
    assert!((2..20).all(|n| run.heed(&format!("wamid.{n}"))));
    assert_eq!(run.causes.len(), 16);
}

proptest! {
    /// Whatever happens in whatever order, a run ends or rests, and says no more than it may.
    #[test]
    fn no_order_of_events_runs_away(events in prop::collection::vec((0_u8..6, 0_i64..20_000_000), 0..60)) {
        let mut walk = Walk::new(booking());
        walk.on(Event::Proceed);
        for (kind, ms) in events {
            walk.now_ms += ms;
            let reply = |text: &str| Event::Reply(Reply { text: text.to_owned(), id: None, at_ms: walk.now_ms });
            let event = match kind {
                0 => reply("prenotare"),
                1 => reply("?"),
                2 => Event::Due,
                3 => walk.done(None),
                4 => Event::Failed(Ending::Failed, "gone".to_owned()),
                _ => Event::Proceed,
            };
            walk.on(event);
            prop_assert!(walk.run.silent_messages <= MAX_SILENT_MESSAGES);
            prop_assert!(!matches!(walk.run.at, At::Before { .. }), "it never stops before a step");
            let stored: Run = serde_json::from_value(serde_json::to_value(&walk.run).unwrap()).unwrap();
            prop_assert_eq!(&stored, &walk.run);
        }
    }
}
