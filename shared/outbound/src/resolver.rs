//! From names to addresses, each of which is checked.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{AllowList, Failure, Refused, classify};

const DNS_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the addresses of a name come from.
#[derive(Debug, Clone, Default)]
pub enum Resolver {
    /// The machine's resolver.
    #[default]
    System,
    /// A fixed table, for tests and closed set-ups.
    Table(Arc<HostTable>),
}

/// Names with the answers they give, one after the other; the last one stays.
#[derive(Debug, Default)]
pub struct HostTable {
    names: Mutex<HashMap<String, Answers>>,
}

#[derive(Debug)]
struct Answers {
    queue: VecDeque<Vec<IpAddr>>,
    asked: usize,
}

impl HostTable {
    /// Adds a name: its first lookup gets the first of `answers`, and so on.
    #[must_use]
    pub fn with(self, name: &str, answers: impl IntoIterator<Item = Vec<IpAddr>>) -> Self {
        let answers = Answers { queue: answers.into_iter().collect(), asked: 0 };
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), answers);
        self
    }

    /// How often the name was looked up.
    pub fn asked(&self, name: &str) -> usize {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).get(name).map_or(0, |a| a.asked)
    }

    fn next(&self, name: &str) -> Vec<IpAddr> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(answers) = names.get_mut(name) else { return Vec::new() };
        answers.asked += 1;
        let answer = answers.queue.front().cloned().unwrap_or_default();
        if answers.queue.len() > 1 {
            answers.queue.pop_front();
        }
        answer
    }
}

impl Resolver {
    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let addresses = match self {
            Self::System => {
                let lookup = tokio::time::timeout(DNS_TIMEOUT, tokio::net::lookup_host((name, 0))).await;
                let found = lookup.map_err(|_| Failure::Dns)?.map_err(|_| Failure::Dns)?;
                found.map(|socket| socket.ip()).collect()
            }
            Self::Table(table) => table.next(name),
        };
        if addresses.is_empty() { Err(Failure::Dns) } else { Ok(addresses) }
    }
}

/// The resolver inside the HTTP client. What it answers is what is dialled.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    resolver: Resolver,
    /// The networks that are open beside the public ones; `None` opens all,
    /// for hosts that the operator allows by name.
    open: Option<AllowList>,
}

impl Guard {
    pub(crate) fn new(resolver: Resolver, open: Option<AllowList>) -> Self {
        Self { resolver, open }
    }

    /// The addresses of `name`. One that is not public refuses them all: who
    /// mixes them has made a mistake, or wants us to make one.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let addresses = self.resolver.lookup(name).await?;
        let Some(open) = &self.open else { return Ok(addresses) };
        for address in &addresses {
            if let (Some(class), false) = (classify(*address), open.permits(*address)) {
                return Err(Failure::Refused(Refused::ResolvesTo(class)));
            }
        }
        Ok(addresses)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await?;
            // Port 0 takes the port of the URL.
            let sockets: Addrs = Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(sockets)
        })
    }
}
