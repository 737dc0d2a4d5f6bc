//! The settings of the local process, read from the environment.

use std::env;
use std::path::PathBuf;

use outbound::AllowList;

use crate::embedded::Chaos;

/// Port of the API when `STAFFETTA_PORT` says nothing.
const PORT: u16 = 9000;
/// Port of the Graph simulator when `STAFFETTA_SIMULATOR_PORT` says nothing.
const SIMULATOR_PORT: u16 = 9001;

/// Port of the embedded AWS when `STAFFETTA_AWS_PORT` says nothing.
const AWS_PORT: u16 = 9002;

/// Whose webhooks are called when `STAFFETTA_ALLOW` says nothing.
const THIS_MACHINE: &str = "localhost, 127.0.0.1, [::1]";

/// How the process is started; every field is an environment variable.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `STAFFETTA_PORT`: where the API listens on 127.0.0.1.
    pub port: u16,
    /// `STAFFETTA_SIMULATOR_PORT`: where the Graph simulator listens.
    pub simulator_port: u16,
    /// `STAFFETTA_AWS_PORT`: where the embedded AWS listens: uploads go there, and
    /// tools that speak to AWS.
    pub aws_port: u16,
    /// `STAFFETTA_HOME`: where state is kept.
    pub home: PathBuf,
    /// `STAFFETTA_CHAOS`: `duplicate`, `delay` or both: how the queues misbehave.
    pub chaos: Chaos,
    /// `STAFFETTA_ADMIN_KEY`: may create tenants; nobody may without it.
    pub admin_key: Option<String>,
    /// `STAFFETTA_DEMO_RATE`: messages per second of the demo number.
    pub demo_rate: u32,
    /// `AWS_ENDPOINT_URL`: stores to use instead of the embedded ones.
    pub aws_endpoint: Option<String>,
    /// The Graph API to use instead of the simulator.
    pub meta: Option<Meta>,
    /// `STAFFETTA_ALLOW`: what may be called although it is private; this machine, when
    /// it says nothing; `none`.
    pub allow: AllowList,
    /// `META_APP_SECRET`: signs Meta's webhooks to the demo account.
    pub app_secret: Option<String>,
    /// `META_VERIFY_TOKEN`: verifies Meta's webhook of the demo account.
    pub verify_token: Option<String>,
}

/// A Graph API that is not the simulator of this process.
#[derive(Clone)]
pub struct Meta {
    /// `META_GRAPH_URL`
    pub graph_url: String,
    /// `META_ACCESS_TOKEN`: of the demo account only.
    pub access_token: String,
    /// `META_PHONE_NUMBER_ID`
    pub phone_number_id: Option<String>,
    /// `META_WABA_ID`
    pub waba_id: Option<String>,
}

impl std::fmt::Debug for Meta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meta").field("graph_url", &self.graph_url).finish_non_exhaustive()
    }
}

/// A setting that makes no sense: one line that names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct WrongSetting {
    name: &'static str,
    problem: &'static str,
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
}

/// One of Meta's numeric ids.
fn id(name: &'static str) -> Result<Option<String>, WrongSetting> {
    match text(name) {
        Some(id) if id.len() > 32 || !id.bytes().all(|b| b.is_ascii_digit()) => {
            Err(WrongSetting { name, problem: "must be Meta's numeric id" })
        }
        id => Ok(id),
    }
}

fn number<T: std::str::FromStr>(name: &'static str, default: T) -> Result<T, WrongSetting> {
    match text(name) {
        None => Ok(default),
        Some(value) => value.parse().map_err(|_| WrongSetting { name, problem: "must be a number" }),
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`WrongSetting`]
    pub fn from_env() -> Result<Self, WrongSetting> {
        let meta = match (text("META_GRAPH_URL"), text("META_ACCESS_TOKEN")) {
            (Some(graph_url), Some(_)) if !is_url(&graph_url) => {
                return Err(WrongSetting { name: "META_GRAPH_URL", problem: "must be an http or https URL" });
            }
            (Some(graph_url), Some(access_token)) => Some(Meta {
                graph_url: with_version(&graph_url),
                access_token,
                phone_number_id: id("META_PHONE_NUMBER_ID")?,
                waba_id: id("META_WABA_ID")?,
            }),
            (None, None) => None,
            (Some(_), None) => {
                let problem = "is required when META_GRAPH_URL is set";
                return Err(WrongSetting { name: "META_ACCESS_TOKEN", problem });
            }
            (None, Some(_)) => {
                let problem = "is required when META_ACCESS_TOKEN is set";
                return Err(WrongSetting { name: "META_GRAPH_URL", problem });
            }
        };
        let demo_rate = number("STAFFETTA_DEMO_RATE", 80)?;
        if !(1..=10_000).contains(&demo_rate) {
            return Err(WrongSetting { name: "STAFFETTA_DEMO_RATE", problem: "must be from 1 to 10000" });
        }
        let aws_endpoint = text("AWS_ENDPOINT_URL");
        if aws_endpoint.as_deref().is_some_and(|url| !is_url(url)) {
            return Err(WrongSetting { name: "AWS_ENDPOINT_URL", problem: "must be an http or https URL" });
        }
        Ok(Self {
            port: number("STAFFETTA_PORT", PORT)?,
            simulator_port: number("STAFFETTA_SIMULATOR_PORT", SIMULATOR_PORT)?,
            aws_port: number("STAFFETTA_AWS_PORT", AWS_PORT)?,
            home: PathBuf::from(text("STAFFETTA_HOME").unwrap_or_else(|| ".local".to_owned())),
            chaos: chaos(text("STAFFETTA_CHAOS").as_deref())?,
            admin_key: text("STAFFETTA_ADMIN_KEY"),
            demo_rate,
            aws_endpoint,
            meta,
            allow: allow(text("STAFFETTA_ALLOW").as_deref())?,
            app_secret: text("META_APP_SECRET"),
            verify_token: text("META_VERIFY_TOKEN"),
        })
    }

    /// The URL of the API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The URL of this process's simulator.
    pub fn simulator_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.simulator_port)
    }

    /// The URL of this process's AWS.
    pub fn aws_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.aws_port)
    }

    /// The Graph API that is called.
    pub fn graph_url(&self) -> String {
        match &self.meta {
            Some(meta) => meta.graph_url.clone(),
            None => with_version(&self.simulator_url()),
        }
    }
}

/// Meta's API has a version in its path; a base URL without one gets the newest
/// that this build was written for.
fn with_version(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let last = url.rsplit('/').next().unwrap_or_default();
    let is_version = last.strip_prefix('v').is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()));
    if is_version { url.to_owned() } else { format!("{url}/v25.0") }
}

/// What of the private world may be called.
fn allow(text: Option<&str>) -> Result<AllowList, WrongSetting> {
    let wrong = |_| WrongSetting {
        name: "STAFFETTA_ALLOW",
        problem: "takes hosts, host:port and networks such as 10.0.0.0/8, separated by commas",
    };
    match text {
        Some("none") => Ok(AllowList::none()),
        text => text.unwrap_or(THIS_MACHINE).parse().map_err(wrong),
    }
}

fn chaos(text: Option<&str>) -> Result<Chaos, WrongSetting> {
    let mut chaos = Chaos::default();
    for word in text.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty()) {
        match word {
            "duplicate" => chaos.duplicate = true,
            "delay" => chaos.delay = true,
            _ => {
                let problem = "takes duplicate and delay, separated by a comma";
                return Err(WrongSetting { name: "STAFFETTA_CHAOS", problem });
            }
        }
    }
    Ok(chaos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_url_has_a_version() {
        assert_eq!(with_version("https://graph.facebook.com/v24.0/"), "https://graph.facebook.com/v24.0");
        assert_eq!(with_version("http://127.0.0.1:9001"), "http://127.0.0.1:9001/v25.0");
    }

    #[test]
    fn chaos_is_a_list_of_two_words() {
        assert_eq!(chaos(Some("duplicate, delay")), Ok(Chaos { duplicate: true, delay: true }));
        assert!(chaos(Some("fire")).is_err());
    }
}
