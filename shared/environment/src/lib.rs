//! What a function is told by its environment: settings by name, and what the clients
//! of AWS share.
//!
//! Each client is built beside what it does (`Store::of`, `Queues::of`, `Bucket::of`),
//! so that a function links those that it names and no others. `infra/registry` says
//! which variables a function has.

mod aws;

pub use aws::roots;

use aws_types::SdkConfig;

/// The settings of this process.
#[derive(Debug)]
pub struct Env {
    variables: fn(&str) -> Option<String>,
    aws: SdkConfig,
}

/// A setting that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct Missing(&'static str);

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A setting makes no sense: its name, and what is wrong.
    #[error("{0}: {1}")]
    Invalid(&'static str, String),
    /// The machine has no usable TLS set-up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Env {
    /// The settings of this process.
    ///
    /// # Errors
    /// [`Missing`] without `AWS_REGION`; when TLS cannot be set up.
    pub fn of_process() -> Result<Self, Error> {
        Self::new(|name| std::env::var(name).ok())
    }

    /// Settings from elsewhere.
    ///
    /// # Errors
    /// See [`Env::of_process`].
    pub fn new(variables: fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut env = Self { variables, aws: SdkConfig::builder().build() };
        env.aws = aws::config(variables, env.required("AWS_REGION")?)?;
        Ok(env)
    }

    /// A setting that has to be there.
    ///
    /// # Errors
    /// [`Missing`]; blank is as good as missing.
    pub fn required(&self, name: &'static str) -> Result<String, Missing> {
        self.optional(name).ok_or(Missing(name))
    }

    /// A setting that may be missing, or blank.
    pub fn optional(&self, name: &str) -> Option<String> {
        let value = (self.variables)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// What the clients of AWS share.
    pub fn aws(&self) -> &SdkConfig {
        &self.aws
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_and_blank_is_missing() {
        for variables in [|_: &str| None, |_: &str| Some("  ".to_owned())] {
            let error = Env::new(variables).unwrap_err();
            assert_eq!(error.to_string(), "the environment variable AWS_REGION is not set");
        }
        let env = Env::new(|name| (name == "AWS_REGION").then(|| "eu-south-1".to_owned())).unwrap();
        assert_eq!(env.required("TABLE_NAME").unwrap_err(), Missing("TABLE_NAME"));
        assert_eq!(env.optional("AWS_REGION").as_deref(), Some("eu-south-1"));
    }
}
