//! What starts a flow, and how it begins.

use std::collections::BTreeSet;

use domain::contact::same_tag;

use crate::definition::{Definition, Message, Step, StepId, Trigger, WordMatch};
use crate::values::plain;

/// What a contact did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deed<'a> {
    /// What they wrote, or the title of what they tapped.
    pub text: &'a str,
    /// The id of what they tapped.
    pub id: Option<&'a str>,
    /// They never wrote before.
    pub is_first: bool,
    /// They ordered something.
    pub is_order: bool,
    /// The campaign that they answer.
    pub campaign: Option<u64>,
}

/// How closely a trigger fits: of several that do, the first of these starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// What was tapped.
    Button,
    /// All of what was written.
    Keyword,
    /// An order.
    Order,
    /// How a message begins.
    Begins,
    /// Words in a message.
    Contains,
    /// An answer to a campaign.
    CampaignReply,
    /// A first message.
    FirstMessage,
}

impl Fit {
    /// Whether it is meant so clearly that it leaves another flow.
    pub fn leaves(self) -> bool {
        matches!(self, Self::Button | Self::Keyword)
    }
}

impl Trigger {
    /// How closely it fits what a contact did.
    pub fn fit(&self, deed: &Deed<'_>) -> Option<Fit> {
        match self {
            Self::Button { ids } => ids.iter().any(|id| deed.id == Some(id)).then_some(Fit::Button),
            Self::Keyword { words, matches } => {
                let said = format!(" {} ", plain(deed.text));
                let fits = |word: &String| {
                    let word = format!(" {} ", plain(word));
                    !word.trim().is_empty()
                        && match matches {
                            WordMatch::Exact => said == word,
                            WordMatch::Begins => said.starts_with(&word),
                            WordMatch::Contains => said.contains(&word),
                        }
                };
                words.iter().any(fits).then_some(match matches {
                    WordMatch::Exact => Fit::Keyword,
                    WordMatch::Begins => Fit::Begins,
                    WordMatch::Contains => Fit::Contains,
                })
            }
            Self::Order => deed.is_order.then_some(Fit::Order),
            Self::CampaignReply { campaign_id } => {
                let answered = deed.campaign?;
                campaign_id.is_none_or(|id| id == answered).then_some(Fit::CampaignReply)
            }
            Self::FirstMessage => deed.is_first.then_some(Fit::FirstMessage),
            Self::TagAdded { .. } => None,
        }
    }

    /// Whether one of these tags, which a contact got, starts the flow.
    pub fn is_of_tag(&self, tags: &[String]) -> bool {
        matches!(self, Self::TagAdded { tag } if tags.iter().any(|got| same_tag(got, tag)))
    }
}

impl Definition {
    /// Whether whatever is said first is an approved template, which may be sent when the
    /// contact has not written lately.
    pub fn opens_with_template(&self) -> bool {
        let mut open = vec![&self.start];
        let mut seen: BTreeSet<&StepId> = BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(step) = self.steps.get(id).filter(|_| seen.insert(id)) else { continue };
            match step {
                Step::Message(Message { template: Some(_), .. }) => {}
                Step::Message(_) | Step::Ask(_) => return false,
                Step::Handover(hand_over) if hand_over.text.is_some() => return false,
                Step::Condition(_)
                | Step::Set(_)
                | Step::Call(_)
                | Step::Wait(_)
                | Step::Goto(_)
                | Step::Handover(_)
                | Step::End(_) => open.extend(step.ways()),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn trigger(value: Value) -> Trigger {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn words_start_where_they_stand() {
        let of =
            |matches: &str| trigger(json!({"on": "keyword", "words": ["Menù", "orari"], "match": matches}));
        let fit = |trigger: &Trigger, text| trigger.fit(&Deed { text, ..Deed::default() });
        let (exact, begins, contains) = (of("exact"), of("begins"), of("contains"));
        assert_eq!(fit(&exact, "menu!"), Some(Fit::Keyword));
        assert_eq!(fit(&exact, "il menu"), None);
        assert_eq!(fit(&begins, "Orari di apertura"), Some(Fit::Begins));
        assert_eq!(fit(&begins, "gli orari"), None);
        assert_eq!(fit(&contains, "quali sono gli ORARI?"), Some(Fit::Contains));
        assert_eq!(fit(&contains, "orarietto"), None, "words of their own");
        assert_eq!(fit(&contains, ""), None);
    }

    #[test]
    fn what_is_closest_starts() {
        let deed =
            Deed { text: "Menu", id: Some("go"), is_first: true, campaign: Some(7), ..Deed::default() };
        let fits: Vec<Option<Fit>> = [
            json!({"on": "first_message"}),
            json!({"on": "campaign_reply"}),
            json!({"on": "campaign_reply", "campaign_id": 8}),
            json!({"on": "button", "ids": ["no", "go"]}),
            json!({"on": "keyword", "words": ["menu"]}),
            json!({"on": "order"}),
        ]
        .map(|value| trigger(value).fit(&deed))
        .to_vec();
        let expected = [
            Some(Fit::FirstMessage),
            Some(Fit::CampaignReply),
            None,
            Some(Fit::Button),
            Some(Fit::Keyword),
            None,
        ];
        assert_eq!(fits, expected);
        assert_eq!(fits.into_iter().flatten().min(), Some(Fit::Button));
        assert!(trigger(json!({"on": "tag_added", "tag": "VIP"})).is_of_tag(&["vip".to_owned()]));
    }

    #[test]
    fn how_a_flow_opens_is_seen_through_its_silent_steps() {
        let opens = |steps: Value| {
            let flow = json!({"name": "x", "start": "a", "steps": steps});
            Definition::read(&flow).unwrap().opens_with_template()
        };
        let when = json!([{"when": {"tag": "vip"}, "to": "c"}]);
        let template = json!({"do": "message", "template": {"name": "t"}, "next": "z"});
        assert!(opens(json!({
            "a": {"do": "set", "add_tags": ["x"], "next": "b"}, "b": {"do": "condition", "cases": when, "else": "d"},
            "c": template, "d": {"do": "end"}, "z": {"do": "message", "text": "x"},
        })));
        assert!(!opens(json!({
            "a": {"do": "condition", "cases": when, "else": "d"},
            "c": {"do": "message", "template": {"name": "t"}}, "d": {"do": "ask", "text": "?"},
        })));
    }
}
