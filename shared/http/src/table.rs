//! The endpoints of a function: the router is built from the list of them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, RawPathParams, Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use ops::{Code, RateClass};

use crate::input::{Carried, read};
use crate::spec::Spec;
use crate::takes::Takes;
use crate::{ApiError, Dialect, Field};

/// Largest body of most endpoints, in bytes.
const DEFAULT_BODY: usize = 1024 * 1024;

/// One method of one path, as documents list it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// `GET`, `POST`, `PUT`, `DELETE`
    pub method: &'static str,
    /// With `{names}` for its variable parts.
    pub path: &'static str,
    /// The contract it belongs to.
    pub dialect: Dialect,
    /// Not in the contract: ours.
    pub extension: bool,
    /// The parameters that its handler takes.
    pub fields: &'static [Field],
}

/// A path, its methods and its handler.
#[derive(Debug)]
pub struct ApiEndpoint<S> {
    methods: &'static [&'static str],
    spec: Spec,
    extension: bool,
    fields: &'static [Field],
    handler: MethodRouter<S, Infallible>,
}

impl<S: Clone + Send + Sync + 'static> ApiEndpoint<S> {
    fn new<T: Takes>(methods: &'static [&'static str], path: &'static str, handler: MethodRouter<S>) -> Self {
        let dialect = Dialect::of_path(path);
        let spec = Spec {
            path,
            dialect,
            class: RateClass::Normal,
            max_body: DEFAULT_BODY,
            raw: false,
            header_key: false,
        };
        Self { methods, spec, extension: false, fields: T::FIELDS, handler }
    }

    /// Marks what no contract has.
    #[must_use]
    pub fn extension(mut self) -> Self {
        self.extension = true;
        self
    }

    /// Counts against the plan's limit of heavy requests.
    #[must_use]
    pub fn heavy(mut self) -> Self {
        self.spec.class = RateClass::Heavy;
        self
    }

    /// Takes the key in the header alone: what moves money is not asked for by a link.
    #[must_use]
    pub fn header_key(mut self) -> Self {
        self.spec.header_key = true;
        self
    }

    /// Takes bodies of up to `bytes`.
    #[must_use]
    pub fn body_up_to(mut self, bytes: usize) -> Self {
        self.spec.max_body = bytes;
        self
    }

    /// Takes any body of up to `bytes` as it comes, see [`crate::Input::body`]: parameters
    /// are those of the query alone.
    #[must_use]
    pub fn raw_body_up_to(mut self, bytes: usize) -> Self {
        self.spec.raw = true;
        self.body_up_to(bytes)
    }
}

/// An endpoint for `GET`.
pub fn get<H, T, S>(path: &'static str, handler: H) -> ApiEndpoint<S>
where
    H: Handler<T, S>,
    T: Takes + 'static,
    S: Clone + Send + Sync + 'static,
{
    ApiEndpoint::new::<T>(&["GET"], path, routing::get(handler))
}

/// An endpoint for `POST`.
pub fn post<H, T, S>(path: &'static str, handler: H) -> ApiEndpoint<S>
where
    H: Handler<T, S>,
    T: Takes + 'static,
    S: Clone + Send + Sync + 'static,
{
    ApiEndpoint::new::<T>(&["POST"], path, routing::post(handler))
}

/// An endpoint for `PUT`.
pub fn put<H, T, S>(path: &'static str, handler: H) -> ApiEndpoint<S>
where
    H: Handler<T, S>,
    T: Takes + 'static,
    S: Clone + Send + Sync + 'static,
{
    ApiEndpoint::new::<T>(&["PUT"], path, routing::put(handler))
}

/// An endpoint for `DELETE`.
pub fn delete<H, T, S>(path: &'static str, handler: H) -> ApiEndpoint<S>
where
    H: Handler<T, S>,
    T: Takes + 'static,
    S: Clone + Send + Sync + 'static,
{
    ApiEndpoint::new::<T>(&["DELETE"], path, routing::delete(handler))
}

/// An endpoint that real clients call by either method.
pub fn get_or_post<H, T, S>(path: &'static str, handler: H) -> ApiEndpoint<S>
where
    H: Handler<T, S> + Clone,
    T: Takes + 'static,
    S: Clone + Send + Sync + 'static,
{
    // What a GET does here, nobody means by a HEAD.
    let handler = routing::get(handler.clone()).post(handler).head(refuse_head);
    ApiEndpoint::new::<T>(&["GET", "POST"], path, handler)
}

async fn refuse_head() -> ApiError {
    ApiError(ops::Error::new(Code::MethodNotAllowed, "the path does not take this method"))
}

/// The endpoints of one function.
#[derive(Debug)]
pub struct Table<S> {
    endpoints: Vec<ApiEndpoint<S>>,
}

impl<S: Clone + Send + Sync + 'static> Table<S> {
    /// A table of these endpoints.
    pub fn new(endpoints: impl IntoIterator<Item = ApiEndpoint<S>>) -> Self {
        Self { endpoints: endpoints.into_iter().collect() }
    }

    /// Every method of every path.
    pub fn routes(&self) -> Vec<Route> {
        let routes = self.endpoints.iter().flat_map(|endpoint| {
            endpoint.methods.iter().map(|method| Route {
                method,
                path: endpoint.spec.path,
                dialect: endpoint.spec.dialect,
                extension: endpoint.extension,
                fields: endpoint.fields,
            })
        });
        routes.collect()
    }

    /// A router of them, without a fallback, so that several can be merged.
    pub fn router(self, state: S) -> Router {
        let mut router = Router::new();
        for endpoint in self.endpoints {
            let prepared = endpoint.handler.route_layer(from_fn_with_state(endpoint.spec, prepare));
            router = router.route(endpoint.spec.path, prepared);
        }
        router.with_state(state)
    }
}

/// Reads the request once, before the handler's extractors look at it.
async fn prepare(
    State(spec): State<Spec>,
    path: std::result::Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(path) = path else {
        return ApiError(ops::Error::new(Code::NotFound, "there is no such path")).into_response();
    };
    let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (mut parts, body) = request.into_parts();
    match read(&parts.headers, parts.uri.query(), body, spec).await {
        Ok(content) => {
            let headers = parts.headers.clone();
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
            parts.extensions.insert(Arc::new(Carried { spec, content, path, headers, peer }));
            next.run(Request::from_parts(parts, axum::body::Body::empty())).await
        }
        Err(error) => error.into_response(),
    }
}
