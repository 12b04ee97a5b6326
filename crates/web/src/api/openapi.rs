//! The description of the API (OpenAPI 3.1), made from the routes and the types their handlers take and give.
//!
//! Nothing in it is written by hand twice: names, limits and descriptions of fields are those of the types that read and
//! write them, so the description cannot say what the server does not do. Every operation may also answer what
//! [`Operation::shared`] lists, since the road to every handler is the same.

mod describe;
#[cfg(test)]
mod tests;

pub(super) use describe::Documented;

use super::Endpoint;
use super::changes::{WAITING, is_keyed};
use super::error::Body;
use axum::http::{Method, StatusCode};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

const DEFINITIONS: &str = "/components/schemas";

/// The shapes that requests are read into, and those that answers are written from: of one type they may differ, since
/// what may be left out of a request is always in an answer.
pub(super) struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

/// What is known of an endpoint from its handler.
#[derive(Debug, Clone, Default)]
pub(super) struct Operation {
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Vec<(StatusCode, Value)>,
}

impl Schemas {
    fn new() -> Self {
        let settings = || {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = DEFINITIONS.into();
            settings.meta_schema = None;
            settings
        };
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }

    fn read<T: JsonSchema>(&mut self) -> Schema {
        self.read.subschema_for::<T>()
    }

    fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    fn take(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        all.extend(self.written.take_definitions(true));
        all
    }
}

impl Operation {
    /// What a handler asks for and gives.
    pub(super) fn of<H: Documented<T>, T>(schemas: &mut Schemas) -> Self {
        let mut operation = Self::default();
        H::describe(&mut operation, schemas);
        operation
    }

    fn answer(&mut self, status: StatusCode, description: &str, content: Value) {
        self.answers.push((status, json!({ "description": description, "content": content })));
    }

    /// The refusals: those of the road there, and those of what the operation takes.
    fn refusals(&self, endpoint: &Endpoint) -> Vec<StatusCode> {
        let mut all = vec![
            StatusCode::BAD_REQUEST,
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        let changes = endpoint.method != Method::GET;
        if changes || endpoint.path.contains('{') || !self.parameters.is_empty() {
            all.push(StatusCode::NOT_FOUND);
        }
        if changes {
            all.extend([StatusCode::CONFLICT, StatusCode::PRECONDITION_FAILED, StatusCode::PAYLOAD_TOO_LARGE]);
        }
        if changes || !self.parameters.is_empty() {
            all.push(StatusCode::UNPROCESSABLE_ENTITY);
        }
        if self.body.is_some() {
            all.push(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        all
    }

    fn document(self, endpoint: &Endpoint, all: &[Endpoint], shapes: &Shapes) -> Value {
        let mut parameters = path_parameters(endpoint.path);
        parameters.extend(self.parameters.iter().cloned());
        if endpoint.method != Method::GET {
            parameters.extend(is_keyed(endpoint.path).then(|| shapes.idempotency_key.clone()));
            parameters.extend(readable(endpoint, all).map(|_| shapes.if_match.clone()));
        }
        let refusals = self.refusals(endpoint).into_iter().map(|status| (status, shapes.refusal(status)));
        let answers: Map<String, Value> = self
            .answers
            .iter()
            .cloned()
            .chain(refusals)
            .map(|(status, answer)| (status.as_str().to_owned(), answer))
            .collect();
        let mut document = json!({
            "operationId": operation_id(endpoint),
            "summary": endpoint.summary,
            "tags": [endpoint.path.split('/').nth(1).unwrap_or_default()],
            "parameters": parameters,
            "responses": answers,
        });
        if let (Some(body), Some(members)) = (self.body, document.as_object_mut()) {
            members.insert("requestBody".to_owned(), body);
        }
        document
    }
}

/// What every operation refers to.
struct Shapes {
    error: Value,
    if_match: Value,
    idempotency_key: Value,
}

impl Shapes {
    fn new(schemas: &mut Schemas) -> Self {
        let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema });
        Self {
            error: schemas.written::<Body>(),
            if_match: header(
                "If-Match",
                "The `ETag` of what is changed as it was last read: the change is refused (412) if somebody changed it since.",
                json!({ "type": "string", "pattern": r#"^(\*|"[!#-~]*")$"# }),
            ),
            idempotency_key: header(
                "Idempotency-Key",
                "A text of your choice, at most 255 characters: a second request with it, within a day, is answered as the first was and does nothing.",
                json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$" }),
            ),
        }
    }

    fn refusal(&self, status: StatusCode) -> Value {
        let description = match status {
            StatusCode::BAD_REQUEST => "The request cannot be read; the message says where.",
            StatusCode::UNAUTHORIZED => "No token, or not a good one.",
            StatusCode::FORBIDDEN => "The token's role or scope does not reach this.",
            StatusCode::NOT_FOUND => "There is no such thing, or not for this token.",
            StatusCode::CONFLICT => "It contradicts what is there; the message says what to do.",
            StatusCode::PRECONDITION_FAILED => "Somebody changed it since it was read.",
            StatusCode::PAYLOAD_TOO_LARGE => "The body is larger than any entry.",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "The body is of another type.",
            StatusCode::UNPROCESSABLE_ENTITY => "Fields are not as they must be; each is named with what to do.",
            StatusCode::SERVICE_UNAVAILABLE => "The database did not answer, or the disk is full; nothing was done.",
            _ => "A fault of the server; the reference finds it in the log.",
        };
        json!({ "description": description, "content": { "application/json": { "schema": self.error } } })
    }
}

/// Where what an endpoint changes can be read: the nearest address, its own or above, that is read and changed as one
/// thing.
pub(super) fn readable(endpoint: &Endpoint, all: &[Endpoint]) -> Option<&'static str> {
    if WAITING.contains(&endpoint.path) {
        return None;
    }
    let takes =
        |path: &str, methods: &[Method]| all.iter().any(|one| one.path == path && methods.contains(&one.method));
    let mut path = endpoint.path;
    loop {
        if takes(path, &[Method::GET]) && takes(path, &[Method::PATCH, Method::PUT, Method::DELETE]) {
            return Some(path);
        }
        path = path.rsplit_once('/')?.0;
    }
}

/// `POST /devices/{id}/swap` is `post-devices-id-swap`.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.replace(['{', '}'], "").replace('/', "-");
    format!("{}{path}", endpoint.method.as_str().to_ascii_lowercase())
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } })
        })
        .collect()
}

/// The operations as the routes are added.
pub(super) struct Description {
    schemas: Schemas,
    operations: Vec<(Endpoint, Operation)>,
}

impl Default for Description {
    fn default() -> Self {
        Self { schemas: Schemas::new(), operations: Vec::new() }
    }
}

impl Description {
    pub(super) fn add<H: Documented<T>, T>(&mut self, endpoint: Endpoint) {
        let operation = Operation::of::<H, T>(&mut self.schemas);
        self.operations.push((endpoint, operation));
    }

    /// Every endpoint there is.
    pub(super) fn endpoints(self) -> Vec<Endpoint> {
        self.operations.into_iter().map(|(endpoint, _)| endpoint).collect()
    }

    /// The OpenAPI document.
    pub(super) fn document(mut self) -> Value {
        let shapes = Shapes::new(&mut self.schemas);
        let all: Vec<Endpoint> = self.operations.iter().map(|(endpoint, _)| endpoint.clone()).collect();
        let mut paths: Map<String, Value> = Map::new();
        for (endpoint, operation) in self.operations {
            let method = endpoint.method.as_str().to_ascii_lowercase();
            let at = paths.entry(endpoint.path).or_insert_with(|| json!({}));
            if let Some(at) = at.as_object_mut() {
                at.insert(method, operation.document(&endpoint, &all, &shapes));
            }
        }
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Provost",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Accounts, sites, users, devices, phones and their activation. What an operation may do \
                                follows the token's role and scope; what is outside the scope is answered as if it never was.",
                "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            },
            "servers": [{ "url": super::ROOT }],
            "security": [{ "token": [] }],
            "paths": paths,
            "components": {
                "schemas": self.schemas.take(),
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            },
        })
    }
}
