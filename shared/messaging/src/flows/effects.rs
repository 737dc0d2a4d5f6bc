//! What a step does outside of its run, once for each number of it.

use std::time::Duration;

use bytes::Bytes;
use channels::Channel as _;
use domain::account::{Account, ContactPolicy, Tenant};
use domain::contact::{Contact, MAX_TAG};
use domain::merge::ContactChange;
use domain::message::Content;
use domain::note::{MAX_NOTE, Note};
use domain::plan::Module;
use domain::recipient::State;
use domain::webhook::{ID_HEADER, SIGNATURE_HEADER, SigningKeys, TIMESTAMP_HEADER};
use domain::{MessageId, TenantId};
use flows::{Effect, Ending, Event, Outgoing, Set};
use ops::changes::{LabelRef, Wanted, change};
use ops::events::EventPublisher;
use ops::flows::BY_PERSON_MS;
use ops::{Code, Error, Result, credits, lists};
use outbound::{HeaderMap, HeaderName, HeaderValue, Limits};
use serde_json::{Map, Value, json};
use store::addressees::Addressee;
use store::contacts::Subject;
use store::flows::StoredFlow;
use store::runs::{Listening, StoredRun};

use super::content::content;
use crate::Services;
use crate::answering::{Payer, Said, Saying, say};
use crate::messages::{bring_file, check, within_cap};
use crate::routes::{self, Route};

/// A call of the owner's server: 10 s, and an answer of 64 kB.
const CALL: Limits = Limits { total: Duration::from_secs(10), body: 64 * 1024 };
/// Tries of a call that brings no answer.
const CALLS: u32 = 3;
/// Tries of a message that cannot be sent now.
const TRIES: u32 = 10;
/// When something is tried again that another process is doing.
const LATER: Duration = Duration::from_secs(10);

/// Which try it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    /// How many there were before.
    pub(super) count: u32,
    /// It was begun just now: nobody can have done it.
    pub(super) is_new: bool,
}

/// What came of an effect.
pub(super) enum Done {
    /// What the run is told.
    Event(Event),
    /// It is to be done again after so long.
    Later(Duration),
}

/// Whose effects they are.
pub(super) struct Stage<'a> {
    pub(super) services: &'a Services,
    pub(super) tenant: &'a TenantId,
    /// The account; none on custom channels.
    pub(super) account: Option<&'a Account>,
    pub(super) flow: &'a StoredFlow,
    /// Who, as they are after what was set.
    pub(super) contact: Contact,
    pub(super) listening: &'a Listening,
}

impl Stage<'_> {
    /// Does what a step is to do.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when a store does not answer: do it again.
    pub(super) async fn perform(&mut self, stored: &StoredRun, effect: Effect, nth: Try) -> Result<Done> {
        match effect {
            Effect::Send(outgoing) => self.send(stored, outgoing, nth).await,
            Effect::Set(set) => self.set(stored, *set).await,
            Effect::Call { url, body } => self.call(stored, &url, body, nth.count).await,
            Effect::HandOver(outgoing) => self.hand_over(stored, outgoing, nth).await,
        }
    }

    fn now_ms(&self) -> i64 {
        self.services.store.clock().now_ms()
    }

    fn done(&self, answer: Option<Value>) -> Done {
        Done::Event(Event::Done { answer, at_ms: self.now_ms() })
    }

    async fn send(&self, stored: &StoredRun, outgoing: Outgoing, nth: Try) -> Result<Done> {
        let (services, tenant) = (self.services, self.tenant);
        let Some(owner) = &self.listening.tenant else { return Ok(failed("no_tenant")) };
        let Some(route) = self.route(stored).await? else { return Ok(failed("no_sender")) };
        let cause = cause_of(stored.id, stored.run.effects);
        let tries = nth.count;
        let known = if nth.is_new { None } else { services.store.answer_to(tenant, &cause).await? };
        let prepared = Box::pin(self.prepare(stored, owner, &route, outgoing)).await;
        let (content, terms) = match prepared {
            Ok(prepared) => prepared,
            Err(error) if error.code.is_temporary() => return retried(error, tries),
            Err(error) => return Ok(refused(&error)),
        };
        let payment = credits::payment(owner, (&route.sender.channel, terms.category), None);
        let saying = Saying {
            tenant,
            account: stored.account,
            route: &route,
            cause: &cause,
            to: &stored.to,
            contact: Some(self.contact.id),
            content: &content,
            turn: self.listening.turn,
            payer: Some(Payer { plan: &owner.plan, payment: payment.as_ref() }),
        };
        let is_unsent = |said: &Said| !matches!(said, Said::Settled { .. });
        let work = Box::pin(say(services, saying, known, tries));
        let said =
            within_cap(&services.store, tenant, &terms, Some(self.contact.id), work, is_unsent).await?;
        Ok(match said {
            Said::Settled { state: State::Failed, reason, .. } => {
                let reason = reason.map_or_else(|| "failed".to_owned(), |reason| reason.as_str().to_owned());
                Done::Event(Event::Failed(Ending::Failed, reason))
            }
            Said::Settled { at_ms, .. } => Done::Event(Event::Done { answer: None, at_ms }),
            Said::Later(_) | Said::ByAnother if tries >= TRIES => failed("not_sent"),
            Said::Later(delay) => Done::Later(delay),
            Said::ByAnother => Done::Later(LATER),
            Said::NotAllowed(error) => refused(&error),
        })
    }

    /// What is sent, if it may be sent to them now.
    async fn prepare(
        &self,
        stored: &StoredRun,
        owner: &Tenant,
        route: &Route,
        outgoing: Outgoing,
    ) -> Result<(Content, ops::eligibility::Terms)> {
        let (services, tenant) = (self.services, self.tenant);
        let mut content = content(services, tenant, (self.account, route), (&stored.to, outgoing)).await?;
        content.check()?;
        if matches!(content, Content::Commerce(_)) && !owner.plan.has(Module::Catalog) {
            return Err(Error::new(Code::PlanLimit, "the plan has no catalog"));
        }
        route.channel.capabilities().check(&content)?;
        let Listening { opted_out, window, turn, .. } = self.listening;
        let addressee = Addressee {
            contact: Some(self.contact.clone()),
            opted_out: *opted_out,
            window: *window,
            turn: *turn,
            purse: None,
        };
        let none = ContactPolicy::default();
        let policy = self.account.map_or(&none, |account| &account.policy);
        let on = (policy, stored.account);
        let terms = check(services, owner, on, route, &content, (&stored.to, &addressee)).await?;
        bring_file(services, tenant, route, &mut content).await?;
        Ok((content, terms))
    }

    async fn route(&self, stored: &StoredRun) -> Result<Option<Route>> {
        match self.account {
            Some(account) => Ok(routes::of_account(self.services, self.tenant, account, &stored.sender)),
            None => routes::resolve(self.services, self.tenant, &stored.sender).await,
        }
    }

    /// Writes down with the contact what a step sets: all of it at once, or, where a part of it
    /// cannot be, the others. The contact does not wait for what cannot be written down.
    async fn set(&mut self, stored: &StoredRun, set: Set) -> Result<Done> {
        let store = &self.services.store;
        let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
        let note = set.note.map(|text| Note {
            // The same note whenever it is written: it is found again.
            id: format!("{}-{}", stored.id, stored.run.effects),
            at: store.clock().now(),
            author: self.flow.definition.name.clone(),
            text: cut(text, MAX_NOTE),
        });
        let tags = |tags: Vec<String>| -> Vec<LabelRef> {
            let tags = tags.into_iter().map(|tag| cut(tag, MAX_TAG)).filter(|tag| !tag.trim().is_empty());
            tags.map(LabelRef::Tag).collect()
        };
        let add_lists = match lists::named(store, self.tenant, &set.lists).await {
            Ok(lists) => lists,
            Err(error) if error.code.is_temporary() => return Err(error),
            Err(error) => {
                self.not_set(stored, &error);
                Vec::new()
            }
        };
        let nothing = || Wanted {
            subject: Subject::Id(self.contact.id),
            change: ContactChange::default(),
            add: Vec::new(),
            remove: Vec::new(),
            starts_flows: false,
        };
        let change_of = ContactChange { metadata: set.metadata, note, add_lists, ..Default::default() };
        let all =
            Wanted { change: change_of, add: tags(set.add_tags), remove: tags(set.remove_tags), ..nothing() };
        let part = |change: ContactChange| Wanted { change, ..nothing() };
        let ContactChange { metadata, note, add_lists, .. } = all.change.clone();
        let parts = [
            Wanted { add: all.add.clone(), remove: all.remove.clone(), ..nothing() },
            part(ContactChange { metadata, ..Default::default() }),
            part(ContactChange { note, ..Default::default() }),
            part(ContactChange { add_lists, ..Default::default() }),
        ];
        if self.changed(stored, all).await? {
            return Ok(self.done(None));
        }
        for part in parts {
            self.changed(stored, part).await?;
        }
        Ok(self.done(None))
    }

    /// Changes the contact; answers whether that could be.
    async fn changed(&mut self, stored: &StoredRun, wanted: Wanted) -> Result<bool> {
        let publisher = EventPublisher::from(self.services);
        match Box::pin(change(&publisher, self.tenant, wanted)).await {
            Ok(contact) => self.contact = contact,
            Err(error) if error.code.is_temporary() => return Err(error),
            Err(error) => {
                self.not_set(stored, &error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn not_set(&self, stored: &StoredRun, error: &Error) {
        let (tenant, code) = (self.tenant, error.code.as_str());
        tracing::warn!(%tenant, run = %stored.id, code, field = error.field, "a step could not set something");
    }

    async fn call(
        &self,
        stored: &StoredRun,
        url: &str,
        data: Map<String, Value>,
        tries: u32,
    ) -> Result<Done> {
        let services = self.services;
        let Ok(target) = services.outbound.target(url) else { return Ok(failed("refused")) };
        let id = cause_of(stored.id, stored.run.effects);
        let body = self.body(stored, data).to_string();
        let secret = services.store.open_flow_secret(self.tenant, &self.flow.secret).await?;
        let now = services.store.clock().now();
        let values = [
            ("content-type", "application/json".to_owned()),
            (ID_HEADER, id.clone()),
            (TIMESTAMP_HEADER, now.as_second().to_string()),
            (SIGNATURE_HEADER, SigningKeys::new(secret).header(&id, now, body.as_bytes())),
        ];
        let header = |(name, value): (_, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        };
        let headers: HeaderMap = values.into_iter().filter_map(header).collect();
        let again = |why: &str| match tries + 1 < CALLS {
            true => Done::Later(LATER),
            false => failed(why),
        };
        let answer = match services.outbound.post(&target, headers, Bytes::from(body), CALL).await {
            Ok(answer) => answer,
            Err(outbound::Failure::Refused(_)) => return Ok(failed("refused")),
            Err(failure) => return Ok(again(failure.code())),
        };
        Ok(match answer.status {
            200..=299 if answer.truncated => failed("too_large"),
            200..=299 => self.done(serde_json::from_slice(&answer.body).ok()),
            408 | 425 | 429 | 500..=599 => again("server_error"),
            _ => failed("call_refused"),
        })
    }

    /// What the owner's server is told.
    fn body(&self, stored: &StoredRun, data: Map<String, Value>) -> Value {
        let Contact { id, name, phone, email, tags, metadata, .. } = &self.contact;
        json!({
            "flow_id": stored.flow,
            "run_id": stored.id.to_string(),
            "step": stored.run.step(),
            "contact": {
                "id": id.0,
                "name": name,
                "phone": phone.as_ref().map(|phone| phone.as_str()),
                "email": email.as_ref().map(|email| email.as_str()),
                "tags": tags,
                "metadata": metadata,
            },
            "reply": stored.run.reply.as_ref().map(|reply| json!({"text": reply.text, "id": reply.id})),
            "vars": stored.run.vars,
            "data": data,
        })
    }

    async fn hand_over(&self, stored: &StoredRun, outgoing: Option<Outgoing>, nth: Try) -> Result<Done> {
        let until_ms = self.now_ms() + BY_PERSON_MS;
        let store = &self.services.store;
        store.leave_to_person(self.tenant, stored.account, self.contact.id, until_ms).await?;
        let Some(outgoing) = outgoing else { return Ok(self.done(None)) };
        match self.send(stored, outgoing, nth).await? {
            // It is a person's now, whether they were told or not.
            Done::Event(_) => Ok(self.done(None)),
            later @ Done::Later(_) => Ok(later),
        }
    }
}

/// What names what a run is doing: the same whenever it is done.
pub(super) fn cause_of(run: MessageId, effect: u64) -> String {
    format!("flow:{run}#{effect}")
}

fn failed(reason: &str) -> Done {
    Done::Event(Event::Failed(Ending::Failed, reason.to_owned()))
}

fn refused(error: &Error) -> Done {
    let why = if error.code == Code::OptedOut { Ending::OptedOut } else { Ending::Failed };
    let reason = error.reason.as_ref().map_or(error.code.as_str(), |reason| reason.as_str());
    Done::Event(Event::Failed(why, reason.to_owned()))
}

/// What cannot be done now: again, until it was tried often enough.
fn retried(error: Error, tries: u32) -> Result<Done> {
    if error.code.is_server_error() {
        return Err(error);
    }
    Ok(if tries >= TRIES { refused(&error) } else { Done::Later(LATER) })
}
