//! The routes as data: which methods each address takes, so that a test can ask about every one.

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
}

/// A router that remembers what it was made of.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) router: Router<Arc<App>>,
    pub(super) endpoints: Vec<Endpoint>,
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {$(
        pub(super) fn $name<H: Handler<T, Arc<App>>, T: 'static>(self, path: &'static str, handler: H) -> Self {
            self.add(Method::$method, MethodFilter::$method, (path, handler))
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

    fn add<H: Handler<T, Arc<App>>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        (path, handler): (&'static str, H),
    ) -> Self {
        self.endpoints.push(Endpoint { method, path });
        Self { router: self.router.route(path, on(filter, handler)), ..self }
    }
}
