//! The device plane, the REST API and the console, as three routers.
