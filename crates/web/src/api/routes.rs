//! The routes as data: which methods each address takes and what for, so that a test can ask about every one and the
//! description of the API names them all.

use super::openapi::{Description, Documented};
use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use provost_app::App;
use std::sync::Arc;

/// A method and the address it is for, below `/api/v1`, with names in braces where it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The address.
    pub path: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
}

/// A router that remembers what it was made of.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) router: Router<Arc<App>>,
    pub(super) description: Description,
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {$(
        pub(super) fn $name<H, T, D>(self, path: &'static str, summary: &'static str, handler: H) -> Self
        where
            H: Handler<T, Arc<App>> + Documented<D>,
            T: 'static,
        {
            let endpoint = Endpoint { method: Method::$method, path, summary };
            self.add::<H, T, D>(endpoint, MethodFilter::$method, handler)
        }
    )*};
}

impl Routes {
    methods! {
        get GET;
        post POST;
        put PUT;
        patch PATCH;
        delete DELETE;
    }

    fn add<H, T, D>(mut self, endpoint: Endpoint, filter: MethodFilter, handler: H) -> Self
    where
        H: Handler<T, Arc<App>> + Documented<D>,
        T: 'static,
    {
        let path = endpoint.path;
        self.description.add::<H, D>(endpoint);
        Self { router: self.router.route(path, on(filter, handler)), ..self }
    }
}
