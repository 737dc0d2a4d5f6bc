//! Reading a catalog from Meta, page by page: products that are new or other than they were
//! are written, those that no page had are marked as gone, once all pages were read.
//!
//! A run goes in legs, each a job of its own; it goes on at the cursor that was written down
//! last, and nobody who lost it to somebody else marks anything.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use channels::Error as ProviderError;
use channels::cloud::ProductPage;
use domain::TenantId;
use domain::account::Number;
use domain::catalog::{MAX_RETAILER_ID, Product};
use domain::outcome::Next;
use queue::CampaignJob;
use serde::{Deserialize, Serialize};
use store::catalogs::StoredProduct;

use super::{KnownCatalog, connected, find, numbers};
use crate::Services;
use crate::error::of_provider;
use ops::{Error, Result};

/// Products of a page, as long as Meta gives so many at once.
const PAGE: u32 = 200;
/// Fewer are not asked for: then it is not their number that is too much.
const LEAST_PAGE: u32 = 25;
/// Meta's code of an unknown error, which is also what too large a page is answered with
/// (<https://developers.facebook.com/docs/graph-api/guides/error-handling/>).
const UNKNOWN_ERROR: i64 = 1;
/// Pages of a catalog that is read to its end; more of them go round in a circle.
const MAX_PAGES: u64 = 20_000;
/// How often one page is tried.
const TRIES: u32 = 12;
/// Whoever was queued this long ago and did not begin was lost, in milliseconds.
const FORGOTTEN_MS: i64 = 60_000;
/// Whoever wrote nothing down for this long is dead: longer than a job is tried.
const DEAD_MS: i64 = 20 * 60_000;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// It waits for a worker.
    Queued,
    /// Pages are read.
    Reading,
    /// All were read; what none of them had is marked.
    Marking,
    /// It is done.
    Finished,
    /// It could not be done; `error` says why.
    Failed,
}

impl SyncState {
    /// As answers print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Reading => "reading",
            Self::Marking => "marking",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more happens.
    pub fn is_over(self) -> bool {
        match self {
            Self::Finished | Self::Failed => true,
            Self::Queued | Self::Reading | Self::Marking => false,
        }
    }
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// How far it is.
    pub state: SyncState,
    /// Where the next page begins.
    after: Option<String>,
    /// Pages that were read.
    pub pages: u64,
    /// How many products are asked for at once.
    page_size: u32,
    /// How often the next page was tried in vain.
    tries: u32,
    /// Products that were read.
    pub read: u64,
    /// Those that there were not.
    pub new: u64,
    /// Those that were other than they are, or were gone.
    pub changed: u64,
    /// Those that were as they are.
    pub unchanged: u64,
    /// Those that nobody can name: without an id of the shop's, or with one that is too long.
    pub skipped: u64,
    /// Those that are gone since.
    pub gone: u64,
    /// Products that there are, once all were read.
    pub products: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it began.
    pub started_ms: Option<i64>,
    /// When something was written down last.
    touched_ms: i64,
    /// When it ended.
    pub finished_ms: Option<i64>,
}

impl Sync {
    /// A run that waits. What was known of the catalog is known until it ends.
    fn new(now_ms: i64, before: Option<&Self>) -> Self {
        Self {
            state: SyncState::Queued,
            after: None,
            pages: 0,
            page_size: PAGE,
            tries: 0,
            read: 0,
            new: 0,
            changed: 0,
            unchanged: 0,
            skipped: 0,
            gone: 0,
            products: before.and_then(|before| before.products),
            error: None,
            created_ms: now_ms,
            started_ms: None,
            touched_ms: now_ms,
            finished_ms: None,
        }
    }
}

fn job(tenant: &TenantId, catalog: &str, run: &str, leg: u64) -> CampaignJob {
    let (tenant, catalog, run) = (tenant.to_string(), catalog.to_owned(), run.to_owned());
    CampaignJob::Sync { tenant, catalog, run, leg }
}

/// Begins to read a catalog, unless somebody does already. Answers the catalog, and whether
/// the run is new.
///
/// # Errors
/// [`ops::Code::NotFound`] names `catalog_id`; [`ops::Code::Unavailable`] when a store does not
/// answer: ask again.
pub async fn start(services: &Services, tenant: &TenantId, id: &str) -> Result<(KnownCatalog, bool)> {
    let (store, queues) = (&services.store, &services.queues);
    let accounts = store.accounts(tenant).await?;
    let catalog = find(services, tenant, &accounts, id.trim()).await?;
    let (id, now_ms) = (&catalog.catalog.id, store.clock().now_ms());
    if let (Some(run), Some(sync)) = (&catalog.run, &catalog.sync)
        && !sync.state.is_over()
        && now_ms - sync.touched_ms < DEAD_MS
    {
        // Whoever asked for it may have broken off before it was queued; once more does no harm.
        if sync.state == SyncState::Queued {
            queues.campaign(job(tenant, id, run, 1), 0).await?;
        }
        return Ok((catalog, false));
    }
    let run = store.entropy().ulid(store.clock().now()).to_string();
    let sync = Sync::new(now_ms, catalog.sync.as_ref());
    match store.begin_sync(tenant, id, (&run, catalog.take), &sync).await {
        Ok(begun) => {
            queues.campaign(job(tenant, id, &run, 1), 0).await?;
            Ok((begun, true))
        }
        // Of two who ask at once the other one began it.
        Err(store::Error::Conflict) => match store.catalog(tenant, id).await? {
            Some(begun) => Ok((begun, false)),
            None => Err(super::unknown()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Queues the run of a catalog that nobody is at, nor on the way to: whoever was broke off.
pub(super) async fn take_up(services: &Services, tenant: &TenantId, catalog: &KnownCatalog) -> Result<()> {
    let (Some(run), Some(sync)) = (&catalog.run, &catalog.sync) else { return Ok(()) };
    let silent_ms = services.store.clock().now_ms() - sync.touched_ms;
    let is_left = match sync.state {
        SyncState::Queued => silent_ms > FORGOTTEN_MS,
        SyncState::Reading | SyncState::Marking => silent_ms > DEAD_MS,
        SyncState::Finished | SyncState::Failed => false,
    };
    if is_left {
        let job = job(tenant, &catalog.catalog.id, run, catalog.leg.max(1));
        services.queues.campaign(job, 0).await?;
    }
    Ok(())
}

/// Reads a catalog from where its run is until it is done or `out_of_time` says so; then the
/// job follows itself. Of two copies of a job the one that came last goes on.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn run(
    services: &Services,
    tenant: &TenantId,
    (id, run, leg): (&str, &str, u64),
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let taken = match services.store.take_sync(tenant, id, run, leg).await {
        Ok(taken) => taken,
        // The run is beyond this job, or another one began.
        Err(store::Error::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let take = taken.take;
    let Some(sync) = taken.sync.filter(|sync: &Sync| !sync.state.is_over()) else { return Ok(()) };
    let mut run = Run { services, tenant, id, run, take, sync };
    match run.work(leg, generation, out_of_time).await {
        Ok(()) | Err(Stopped::Replaced) => Ok(()),
        Err(Stopped::Failed(error)) => Err(error),
    }
}

/// Why a run ends before its catalog does.
#[derive(Debug)]
enum Stopped {
    /// Another run has the catalog.
    Replaced,
    /// A store did not answer.
    Failed(Error),
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict => Self::Replaced,
            other @ (store::Error::Unavailable { .. }
            | store::Error::Refused { .. }
            | store::Error::Contended
            | store::Error::Corrupt { .. }
            | store::Error::Sealed) => Self::Failed(other.into()),
        }
    }
}

impl From<queue::Error> for Stopped {
    fn from(error: queue::Error) -> Self {
        Self::Failed(error.into())
    }
}

type Worked<T = ()> = std::result::Result<T, Stopped>;

struct Run<'a> {
    services: &'a Services,
    tenant: &'a TenantId,
    id: &'a str,
    run: &'a str,
    take: u64,
    sync: Sync,
}

impl Run<'_> {
    async fn work(&mut self, leg: u64, generation: u32, out_of_time: impl Fn() -> bool) -> Worked {
        let Some(number) = self.number().await? else {
            return self.fail("the catalog is no longer connected to one of your numbers".to_owned()).await;
        };
        if self.sync.state == SyncState::Queued {
            self.sync.state = SyncState::Reading;
            self.sync.started_ms = Some(self.services.store.clock().now_ms());
            self.save().await?;
        }
        while self.sync.state == SyncState::Reading {
            let (after, limit) = (self.sync.after.as_deref(), self.sync.page_size);
            match self.services.graph.products(&number, self.id, after, limit).await {
                Ok(page) => self.take_page(page).await?,
                Err(error) => match self.refused(error).await? {
                    Some(delay) => return self.later(leg, generation, delay).await,
                    None => continue,
                },
            }
            if self.sync.state == SyncState::Reading && out_of_time() {
                return self.later(leg + 1, generation, Duration::ZERO).await;
            }
        }
        match self.sync.state {
            SyncState::Marking => self.mark().await,
            SyncState::Queued | SyncState::Reading | SyncState::Finished | SyncState::Failed => Ok(()),
        }
    }

    /// A number of the tenant's that may read the catalog.
    async fn number(&self) -> Worked<Option<Number>> {
        let store = &self.services.store;
        let accounts = store.accounts(self.tenant).await?;
        let catalogs = store.catalogs(self.tenant).await?;
        let has_it = |(waba_id, _): &(&str, _)| {
            let mut connected = catalogs.connected.iter();
            connected.any(|waba| waba.waba_id == *waba_id && waba.ids.iter().any(|id| id == self.id))
        };
        if !connected(&catalogs, &accounts).contains(self.id) {
            return Ok(None);
        }
        Ok(numbers(&accounts).into_iter().find(has_it).map(|(_, (_, number))| number.clone()))
    }

    async fn later(&self, leg: u64, generation: u32, delay: Duration) -> Worked {
        let next = job(self.tenant, self.id, self.run, leg);
        Ok(self.services.queues.campaign_later(next, generation + 1, delay).await?)
    }

    /// Writes down what is new on a page, and where the next one begins.
    async fn take_page(&mut self, page: ProductPage) -> Worked {
        let ProductPage { products, count, after } = page;
        let mut named: HashMap<String, Product> = HashMap::with_capacity(products.len());
        for product in products {
            if product.retailer_id.len() <= MAX_RETAILER_ID {
                named.insert(product.retailer_id.clone(), product);
            }
        }
        let ids: Vec<String> = named.keys().cloned().collect();
        let known = self.services.store.products_of(self.tenant, self.id, &ids).await?;
        let known: HashMap<&str, &StoredProduct> =
            known.iter().map(|one| (one.product.retailer_id.as_str(), one)).collect();
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for product in named.values() {
            match known.get(product.retailer_id.as_str()) {
                None => new.push(product),
                Some(was) if was.product != *product || was.gone_ms.is_some() => changed.push(product),
                // An earlier job of this run wrote it, and did not come to count it.
                Some(was) if was.run == self.run && was.was_new => self.sync.new += 1,
                Some(was) if was.run == self.run => self.sync.changed += 1,
                Some(_) => self.sync.unchanged += 1,
            }
        }
        let (store, tenant) = (&self.services.store, self.tenant);
        store.write_products(tenant, self.id, self.run, (&new, &changed)).await?;
        self.sync.new += new.len() as u64;
        self.sync.changed += changed.len() as u64;
        self.sync.skipped += count.saturating_sub(named.len()) as u64;
        self.sync.read += named.len() as u64;
        self.sync.pages += 1;
        // Before the cursor: of what a page had nothing is ever taken for gone.
        store.note_seen(tenant, self.id, (self.run, self.sync.pages), ids).await?;
        self.sync.tries = 0;
        match after {
            None => self.sync.state = SyncState::Marking,
            Some(cursor) if self.sync.after.as_ref() == Some(&cursor) || self.sync.pages >= MAX_PAGES => {
                return self.fail("the pages of the catalog do not end".to_owned()).await;
            }
            Some(cursor) => self.sync.after = Some(cursor),
        }
        self.save().await
    }

    /// What becomes of a page that Meta did not give: the same is asked for after a while, or
    /// less of it at once, or it has failed.
    async fn refused(&mut self, error: ProviderError) -> Worked<Option<Duration>> {
        if let ProviderError::Refused(refusal) = &error
            && refusal.reason.meta_code() == Some(UNKNOWN_ERROR)
            && self.sync.page_size > LEAST_PAGE
        {
            self.sync.page_size = (self.sync.page_size / 2).max(LEAST_PAGE);
            self.save().await?;
            return Ok(None);
        }
        let delay = wait(&error, self.sync.tries + 1);
        match delay {
            Some(delay) => {
                self.sync.tries += 1;
                self.save().await?;
                Ok(Some(delay))
            }
            None => {
                self.fail(of_provider(error).message).await?;
                Ok(None)
            }
        }
    }

    /// Marks what no page had.
    async fn mark(&mut self) -> Worked {
        let (store, tenant) = (&self.services.store, self.tenant);
        let seen: HashSet<String> = store.seen(tenant, self.id, self.run).await?;
        let known = store.product_ids(tenant, self.id).await?;
        let left: Vec<&(String, Option<i64>)> = known.iter().filter(|(id, _)| !seen.contains(id)).collect();
        let fresh = left.iter().filter(|(_, gone_ms)| gone_ms.is_none());
        let gone: Vec<String> = fresh.map(|(id, _)| id.clone()).collect();
        store.mark_gone(tenant, self.id, self.take, &gone).await?;
        // Some may have been marked by an earlier job of this run.
        let since_ms = self.sync.started_ms.unwrap_or(i64::MAX);
        self.sync.gone =
            left.iter().filter(|(_, gone_ms)| gone_ms.is_none_or(|ms| ms >= since_ms)).count() as u64;
        self.sync.products = Some(known.iter().filter(|(id, _)| seen.contains(id)).count() as u64);
        self.end(SyncState::Finished).await
    }

    async fn fail(&mut self, why: String) -> Worked {
        self.sync.error = Some(why);
        self.end(SyncState::Failed).await
    }

    async fn end(&mut self, state: SyncState) -> Worked {
        self.sync.state = state;
        self.sync.finished_ms = Some(self.services.store.clock().now_ms());
        self.save().await
    }

    /// Writes down how far it is.
    async fn save(&mut self) -> Worked {
        self.sync.touched_ms = self.services.store.clock().now_ms();
        Ok(self.services.store.save_sync(self.tenant, self.id, self.take, &self.sync).await?)
    }
}

/// How long to wait before the same is asked for once more; `None` when that is in vain. What
/// Meta only wants to be asked later is asked for as often as it takes.
fn wait(error: &ProviderError, tries: u32) -> Option<Duration> {
    match error {
        ProviderError::Unreachable => {
            (tries <= TRIES).then(|| Duration::from_secs(u64::from(5 * tries).min(60)))
        }
        ProviderError::Refused(refusal) => match refusal.next {
            Next::Retry { attempts, .. } if attempts.is_none() || tries <= TRIES => refusal.delay(tries),
            Next::Retry { .. } | Next::Never | Next::OptOut | Next::PauseCampaign | Next::StopSender => None,
        },
    }
}
