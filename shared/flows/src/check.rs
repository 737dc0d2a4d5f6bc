//! Whether a flow holds together. Each refusal names the step.

use std::collections::{BTreeMap, BTreeSet};

use domain::Invalid;
use domain::consent::{Keyword, Keywords};

use crate::definition::{
    Ask, AskKind, Call, Choice, Condition, Definition, Message, Set, Step, StepId, Trigger,
};
use crate::outgoing::{
    MAX_BODY, MAX_BUTTON, MAX_BUTTONS, MAX_DESCRIPTION, MAX_ID, MAX_ROW, MAX_ROWS, MAX_TEXT,
};

/// Longest run without a word of the contact, in hours; and longest wait, in minutes.
const MAX_HOURS: u32 = 720;
const MAX_MINUTES: u32 = MAX_HOURS * 60;
/// Most times that a question is asked again.
const MAX_RETRIES: u32 = 10;
/// Most triggers, and words or buttons of one.
const MAX_TRIGGERS: usize = 20;
const MAX_WORDS: usize = 50;
/// Longest name of a flow, a step or a variable.
const MAX_NAME: usize = 64;
/// Most products of a message.
const MAX_PRODUCTS: usize = 30;

pub(crate) fn check(flow: &Definition) -> Result<(), Invalid> {
    if flow.name.trim().is_empty() || flow.name.chars().count() > MAX_NAME {
        return Err(Invalid::new("name", format!("name must have 1 to {MAX_NAME} characters")));
    }
    if !(1..=MAX_HOURS).contains(&flow.expires_hours) {
        return Err(Invalid::new("expires_hours", format!("expires_hours must be 1 to {MAX_HOURS}")));
    }
    triggers(&flow.triggers)?;
    for (id, step) in &flow.steps {
        let at = At { id };
        if !is_name(id) {
            return Err(at.wrong("", format!("a step's name has 1 to {MAX_NAME} letters, digits, - and _")));
        }
        at.step(step)?;
        for to in step.ways() {
            if !flow.steps.contains_key(to) {
                return Err(at.wrong("", format!("leads to {to}, and there is no step of that name")));
            }
        }
    }
    if !flow.steps.contains_key(&flow.start) {
        return Err(Invalid::new(
            "start",
            format!("start is {}, and there is no step of that name", flow.start),
        ));
    }
    all_reached(flow)?;
    no_silent_circle(flow)
}

fn triggers(triggers: &[Trigger]) -> Result<(), Invalid> {
    if triggers.len() > MAX_TRIGGERS {
        return Err(Invalid::new("triggers", format!("a flow has at most {MAX_TRIGGERS} triggers")));
    }
    for (nth, trigger) in triggers.iter().enumerate() {
        let field = format!("triggers.{nth}");
        let some = |what: &str, texts: &[String]| {
            let is_fine = (1..=MAX_WORDS).contains(&texts.len())
                && texts.iter().all(|text| !text.trim().is_empty() && text.chars().count() <= MAX_ID);
            let wrong =
                || format!("{field}.{what} must have 1 to {MAX_WORDS} texts of at most {MAX_ID} characters");
            if is_fine { Ok(()) } else { Err(Invalid::new(&field, wrong())) }
        };
        match trigger {
            Trigger::Keyword { words, .. } => some("words", words)?,
            Trigger::Button { ids } => some("ids", ids)?,
            Trigger::TagAdded { tag } => some("tag", std::slice::from_ref(tag))?,
            Trigger::FirstMessage | Trigger::Order | Trigger::CampaignReply { .. } => {}
        }
    }
    Ok(())
}

/// Where an error is.
#[derive(Clone, Copy)]
struct At<'a> {
    id: &'a StepId,
}

impl At<'_> {
    fn wrong(self, part: &str, why: impl std::fmt::Display) -> Invalid {
        let field = match part {
            "" => format!("steps.{}", self.id),
            part => format!("steps.{}.{part}", self.id),
        };
        Invalid::new(&field, format!("{field} {why}"))
    }

    fn text(self, part: &str, text: &str, most: usize) -> Result<(), Invalid> {
        match !text.trim().is_empty() && text.chars().count() <= most {
            true => Ok(()),
            false => Err(self.wrong(part, format!("must have 1 to {most} characters"))),
        }
    }

    fn minutes(self, part: &str, minutes: u32) -> Result<(), Invalid> {
        match (1..=MAX_MINUTES).contains(&minutes) {
            true => Ok(()),
            false => Err(self.wrong(part, format!("must be 1 to {MAX_MINUTES}"))),
        }
    }

    fn variable(self, part: &str, name: &str) -> Result<(), Invalid> {
        match is_name(name) {
            true => Ok(()),
            false => Err(self.wrong(part, format!("must have 1 to {MAX_NAME} letters, digits, - and _"))),
        }
    }

    fn step(self, step: &Step) -> Result<(), Invalid> {
        match step {
            Step::Message(message) => self.message(message),
            Step::Ask(ask) => self.ask(ask),
            Step::Condition(condition) => self.condition(condition),
            Step::Set(set) => self.set(set),
            Step::Call(call) => self.call(call),
            Step::Wait(wait) => self.minutes("minutes", wait.minutes),
            Step::Handover(hand_over) => match &hand_over.text {
                Some(text) => self.text("text", text, MAX_TEXT),
                None => Ok(()),
            },
            Step::Goto(_) | Step::End(_) => Ok(()),
        }
    }

    fn message(self, message: &Message) -> Result<(), Invalid> {
        let Message { text, buttons, rows, button, media, template, product, .. } = message;
        let whole =
            usize::from(media.is_some()) + usize::from(template.is_some()) + usize::from(product.is_some());
        if whole > 1 || (whole == 0 && text.is_none()) {
            return Err(self.wrong("", "says a text, or one of media, template and product"));
        }
        if !(buttons.is_empty() && rows.is_empty()) && (whole > 0 || !(buttons.is_empty() || rows.is_empty()))
        {
            return Err(self.wrong("", "has buttons or rows, and only with a text"));
        }
        if let Some(to) = buttons.iter().chain(rows).find_map(|choice| choice.to.as_ref()) {
            return Err(self.wrong("", format!("does not wait, so that nobody can choose {to}: ask instead")));
        }
        if template.is_some() && text.is_some() {
            return Err(self.wrong("text", "is the template's own"));
        }
        let is_short = whole > 0 || !buttons.is_empty() || !rows.is_empty();
        if let Some(text) = text {
            self.text("text", text, if is_short { MAX_BODY } else { MAX_TEXT })?;
        }
        self.choices("buttons", buttons, buttons.len() > MAX_BUTTONS)?;
        self.choices("rows", rows, true)?;
        if let Some(button) = button {
            self.text("button", button, MAX_BUTTON)?;
        }
        if let Some(media) = media {
            self.url("media.url", &media.url)?;
        }
        if let Some(template) = template {
            self.text("template.name", &template.name, 512)?;
        }
        if let Some(product) = product {
            let is_fine = (1..=MAX_PRODUCTS).contains(&product.ids.len());
            if !is_fine || product.ids.iter().any(|id| id.trim().is_empty()) {
                return Err(self.wrong("product.ids", format!("must have 1 to {MAX_PRODUCTS} ids")));
            }
        }
        Ok(())
    }

    fn choices(self, part: &str, choices: &[Choice], is_list: bool) -> Result<(), Invalid> {
        if choices.len() > MAX_ROWS {
            return Err(self.wrong(part, format!("has at most {MAX_ROWS} choices")));
        }
        let mut ids = BTreeSet::new();
        for (nth, choice) in choices.iter().enumerate() {
            let at = |field: &str| format!("{part}.{nth}.{field}");
            self.text(&at("title"), &choice.title, if is_list { MAX_ROW } else { MAX_BUTTON })?;
            self.text(&at("id"), choice.id(), MAX_ID)?;
            if let Some(description) = &choice.description {
                self.text(&at("description"), description, MAX_DESCRIPTION)?;
            }
            if Keywords::default().read(&choice.title) == Some(Keyword::OptOut) {
                let why = format!("is a word by which people opt out of everything: {}", choice.title);
                return Err(self.wrong(&at("title"), why));
            }
            if !ids.insert(choice.id()) {
                return Err(self.wrong(&at("id"), "is another choice's too"));
            }
        }
        Ok(())
    }

    fn ask(self, ask: &Ask) -> Result<(), Invalid> {
        let has_choices = !ask.choices.is_empty();
        if (ask.kind == AskKind::Choice) != has_choices {
            return Err(self.wrong("choices", "belong to a question of the kind choice, which needs some"));
        }
        self.text("text", &ask.text, if has_choices { MAX_BODY } else { MAX_TEXT })?;
        if let Some(invalid) = &ask.invalid {
            self.text("invalid", invalid, if has_choices { MAX_BODY } else { MAX_TEXT })?;
        }
        self.choices("choices", &ask.choices, ask.choices.len() > MAX_BUTTONS)?;
        if let Some(button) = &ask.button {
            self.text("button", button, MAX_BUTTON)?;
        }
        if let Some(name) = &ask.save {
            self.variable("save", name)?;
        }
        if ask.retries > MAX_RETRIES {
            return Err(self.wrong("retries", format!("must be at most {MAX_RETRIES}")));
        }
        match ask.timeout_minutes {
            Some(minutes) => self.minutes("timeout_minutes", minutes),
            None if ask.on_timeout.is_some() => Err(self.wrong("on_timeout", "needs timeout_minutes")),
            None => Ok(()),
        }
    }

    fn condition(self, condition: &Condition) -> Result<(), Invalid> {
        if condition.cases.is_empty() {
            return Err(self.wrong("cases", "needs at least one case"));
        }
        for (nth, case) in condition.cases.iter().enumerate() {
            if let Some(test) = case.when.tests().into_iter().find(|test| !test.is_known()) {
                let why = format!(
                    "asks for {}: use reply, reply_id, name, email, phone, metadata.KEY or vars.KEY",
                    test.name
                );
                return Err(self.wrong(&format!("cases.{nth}"), why));
            }
            if case.when.hours().into_iter().any(|hours| hours.zone().is_err()) {
                return Err(self.wrong(&format!("cases.{nth}"), "names a timezone that there is not"));
            }
        }
        Ok(())
    }

    fn set(self, set: &Set) -> Result<(), Invalid> {
        if set.is_silent() && set.vars.is_empty() {
            return Err(self.wrong("", "sets nothing"));
        }
        for tag in set.add_tags.iter().chain(&set.remove_tags) {
            self.text("tags", tag, domain::contact::MAX_TAG)?;
        }
        for list in &set.lists {
            self.text("lists", list, MAX_NAME)?;
        }
        if let Some(note) = &set.note {
            self.text("note", note, MAX_TEXT)?;
        }
        set.vars.keys().try_for_each(|name| self.variable("vars", name))
    }

    fn call(self, call: &Call) -> Result<(), Invalid> {
        self.url("url", &call.url)?;
        for (name, pointer) in &call.save {
            self.variable("save", name)?;
            if !(pointer.is_empty() || pointer.starts_with('/')) {
                let why = format!("must be JSON pointers such as /order/id, and {name} is {pointer}");
                return Err(self.wrong("save", why));
            }
        }
        Ok(())
    }

    /// Whether it may be reached is asked by whoever calls it.
    fn url(self, part: &str, url: &str) -> Result<(), Invalid> {
        match url.starts_with("https://") || url.starts_with("http://") {
            true => Ok(()),
            false => Err(self.wrong(part, "must be an address that begins with https://")),
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

fn all_reached(flow: &Definition) -> Result<(), Invalid> {
    let mut open = vec![&flow.start];
    let mut reached = BTreeSet::from([&flow.start]);
    while let Some(id) = open.pop() {
        let ways = flow.steps.get(id).map(Step::ways).unwrap_or_default();
        open.extend(ways.into_iter().filter(|to| reached.insert(to)));
    }
    match flow.steps.keys().find(|id| !reached.contains(id)) {
        Some(id) => Err(At { id }.wrong("", "is never reached")),
        None => Ok(()),
    }
}

/// Every circle has a step at which the run rests; without one it would never end.
fn no_silent_circle(flow: &Definition) -> Result<(), Invalid> {
    /// How far a step is.
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Open,
        Done,
    }
    let mut seen: BTreeMap<&StepId, Seen> = BTreeMap::new();
    for first in flow.steps.keys() {
        // Each with the ways that are not looked at yet.
        let mut path: Vec<(&StepId, Vec<&StepId>)> = Vec::new();
        let mut next = Some(first);
        loop {
            if let Some(id) = next.take()
                && !seen.contains_key(id)
            {
                let step = flow.steps.get(id);
                let ways = step.filter(|step| !step.rests()).map(Step::ways).unwrap_or_default();
                seen.insert(id, Seen::Open);
                path.push((id, ways));
            }
            let Some((id, ways)) = path.last_mut() else { break };
            match ways.pop() {
                Some(to) if seen.get(to) == Some(&Seen::Open) => {
                    return Err(At { id: to }.wrong("", "is in a circle in which nothing waits"));
                }
                Some(to) => next = Some(to),
                None => {
                    seen.insert(*id, Seen::Done);
                    path.pop();
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(steps: Value) -> Result<Definition, Invalid> {
        Definition::read(&json!({"name": "Prova", "start": "a", "steps": steps}))
    }

    fn assert_refused(cases: impl IntoIterator<Item = (Value, &'static str, &'static str)>) {
        for (steps, field, why) in cases {
            let wrong = read(steps.clone()).unwrap_err();
            assert!(wrong.field == field && wrong.message.contains(why), "{steps}: {wrong:?}");
        }
    }

    #[test]
    fn what_is_wrong_of_the_whole_and_of_messages_is_named() {
        let message = |more: Value| {
            let mut step = json!({"do": "message"});
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"a": step})
        };
        let title = |n: usize| "x".repeat(n);
        assert_refused([
            (json!({}), "steps", "1 to 100"),
            (json!({"a": {"do": "dance"}}), "steps.a", "unknown variant"),
            (json!({"a": {"do": "message", "txt": "x"}}), "steps.a", "unknown field"),
            (json!({"a": {"do": "wait"}}), "steps.a", "minutes"),
            (json!({"b": {"do": "end"}}), "start", "no step"),
            (json!({"a": {"do": "end"}, "b": {"do": "end"}}), "steps.b", "never reached"),
            (json!({"a": {"do": "goto", "to": "b"}}), "steps.a", "no step"),
            (json!({"a": {"do": "goto", "to": "a"}}), "steps.a", "circle"),
            (message(json!({})), "steps.a", "says a text"),
            (message(json!({"text": " "})), "steps.a.text", "1 to"),
            (message(json!({"text": "x", "template": {"name": "t"}})), "steps.a.text", "template"),
            (
                message(json!({"text": "x", "buttons": [{"title": "Annulla"}]})),
                "steps.a.buttons.0.title",
                "opt out",
            ),
            (
                message(json!({"text": "x", "buttons": [{"title": title(21)}]})),
                "steps.a.buttons.0.title",
                "20",
            ),
            (
                message(json!({"text": "x", "buttons": [{"title": "x"}, {"title": "x"}]})),
                "steps.a.buttons.1.id",
                "another",
            ),
            (message(json!({"text": "x", "buttons": [{"title": "x", "to": "a"}]})), "steps.a", "ask instead"),
            (message(json!({"media": {"type": "image", "url": "ftp://x"}})), "steps.a.media.url", "https"),
        ]);
    }

    #[test]
    fn what_is_wrong_of_the_other_steps_is_named() {
        assert_refused([
            (json!({"a": {"do": "ask", "text": "?", "kind": "choice"}}), "steps.a.choices", "needs"),
            (
                json!({"a": {"do": "ask", "text": "?", "on_timeout": "a"}}),
                "steps.a.on_timeout",
                "timeout_minutes",
            ),
            (json!({"a": {"do": "ask", "text": "?", "save": "a b"}}), "steps.a.save", "letters"),
            (json!({"a": {"do": "condition", "cases": []}}), "steps.a.cases", "one case"),
            (
                json!({"a": {"do": "condition", "cases": [{"when": {"field": {"name": "age", "op": "is"}}, "to": "a"}]}}),
                "steps.a.cases.0",
                "vars.KEY",
            ),
            (
                json!({"a": {"do": "condition", "cases": [{"when": {"hours": {"from": "09:00", "to": "18:00", "timezone": "Mars"}}, "to": "a"}]}}),
                "steps.a.cases.0",
                "timezone",
            ),
            (json!({"a": {"do": "set"}}), "steps.a", "sets nothing"),
            (
                json!({"a": {"do": "call", "url": "https://x", "save": {"v": "order"}}}),
                "steps.a.save",
                "pointers",
            ),
            (json!({"a": {"do": "wait", "minutes": 0}}), "steps.a.minutes", "1 to"),
        ]);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let long: serde_json::Map<String, Value> =
            (0..101).map(|n| (format!("s{n}"), json!({"do": "end"}))).collect();
        assert_eq!(read(Value::Object(long)).unwrap_err().field, "steps");
        let big = json!({"a": {"do": "message", "text": "x".repeat(1_000_000)}});
        assert_eq!(read(big).unwrap_err().field, "flow");
        assert_eq!(Definition::read(&json!([])).unwrap_err().field, "flow");
        let trigger = json!({"name": "x", "start": "a", "steps": {"a": {"do": "end"}}, "triggers": [{"on": "keyword", "words": []}]});
        assert_eq!(Definition::read(&trigger).unwrap_err().field, "triggers.0");
    }

    #[test]
    fn a_circle_with_a_question_is_fine() {
        let steps = json!({
            "a": {"do": "ask", "text": "Ancora?", "next": "b"},
            "b": {"do": "message", "text": "Ecco", "next": "c"},
            "c": {"do": "goto", "to": "a"},
        });
        let flow = read(steps).unwrap();
        assert_eq!(flow.expires_hours, 24);
        let again = Definition::read(&serde_json::to_value(&flow).unwrap()).unwrap();
        assert_eq!(again, flow, "what is shown can be saved again");
        let circle = json!({
            "a": {"do": "ask", "text": "?", "next": "b"},
            "b": {"do": "message", "text": "Ecco", "next": "c"},
            "c": {"do": "goto", "to": "b"},
        });
        assert!(read(circle).unwrap_err().message.contains("circle"));
    }
}
