//! What the arguments and the answer of a handler say about its operation.

use super::{Operation, Schemas};
use crate::api::ApiError;
use crate::api::actor::By;
use crate::api::answer::{Accepted, Created, CreatedOrThere, Csv, Ndjson, OrCsv};
use crate::api::configuration::Layer;
use crate::api::firmware::FileBody;
use crate::api::inventory::Entry;
use crate::api::lifecycle::Maybe;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// An argument of a handler: what of the request it reads.
pub(in crate::api) trait Asks {
    /// Adds that to the operation.
    fn describe(_operation: &mut Operation, _schemas: &mut Schemas) {}
}

/// The answer of a handler.
pub(in crate::api) trait Answers {
    /// Adds it to the operation.
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

/// A handler whose arguments and answer are described, which is every one of the API.
pub(in crate::api) trait Documented<T> {
    /// Adds all of them to the operation.
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

impl<T> Asks for State<T> {}
impl<T> Asks for Path<T> {}
impl Asks for By {}
impl Asks for Layer {}
impl Asks for HeaderMap {}

impl<T: Asks, E> Asks for Result<T, E> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        T::describe(operation, schemas);
    }
}

impl<T: JsonSchema> Asks for Query<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let schema = schemas.read.root_schema_for::<T>();
        let required = |name: &str| {
            let all = schema.get("required").and_then(Value::as_array);
            all.is_some_and(|names| names.iter().any(|one| one == name))
        };
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        operation.parameters.extend(fields.map(|(name, field)| {
            json!({ "name": name, "in": "query", "required": required(name), "schema": without_null(field) })
        }));
    }
}

/// In a query a field is there or it is not: `null` would be a word like any other.
fn without_null(field: &Value) -> Value {
    let mut field = field.clone();
    if let Some(types) = field.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|one| one != "null");
    }
    if let Some(members) = field.as_object_mut() {
        members.remove("default");
    }
    field
}

fn body(schema: Schema, required: bool) -> Value {
    json!({ "required": required, "content": { "application/json": { "schema": schema } } })
}

impl<T: JsonSchema> Asks for Entry<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.body = Some(body(schemas.read::<T>(), true));
    }
}

impl<T: JsonSchema> Asks for Maybe<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.body = Some(body(schemas.read::<T>(), false));
    }
}

/// A firmware file, read as it comes.
impl Asks for FileBody {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        operation.body = Some(json!({ "required": true, "content": { "application/octet-stream": {} } }));
    }
}

/// The other body that is read as it comes is a file of an import.
impl Asks for Body {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        operation.body =
            Some(json!({ "required": true, "content": { "text/csv": { "schema": { "type": "string" } } } }));
    }
}

impl<T: Answers> Answers for Result<T, ApiError> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        T::describe(operation, schemas);
    }
}

fn as_json<T: JsonSchema>(schemas: &mut Schemas) -> Value {
    json!({ "application/json": { "schema": schemas.written::<T>() } })
}

impl<T: JsonSchema> Answers for Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.answer(StatusCode::OK, "As asked for.", as_json::<T>(schemas));
    }
}

impl<T: JsonSchema> Answers for Created<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.answer(StatusCode::CREATED, "It was made.", as_json::<T>(schemas));
    }
}

impl<T: JsonSchema> Answers for CreatedOrThere<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.answer(StatusCode::CREATED, "It was made.", as_json::<T>(schemas));
        operation.answer(StatusCode::OK, "All of it was there already.", as_json::<T>(schemas));
    }
}

impl<T: JsonSchema> Answers for Accepted<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.answer(StatusCode::ACCEPTED, "It came in and is being worked on.", as_json::<T>(schemas));
    }
}

impl Answers for Csv {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        operation.answer(StatusCode::OK, "A CSV file.", json!({ "text/csv": { "schema": { "type": "string" } } }));
    }
}

impl Answers for Ndjson {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        let content = json!({ "application/x-ndjson": { "schema": { "type": "string" } } });
        operation.answer(StatusCode::OK, "Lines of JSON.", content);
    }
}

impl<T: JsonSchema> Answers for OrCsv<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let content = json!({
            "application/json": { "schema": schemas.written::<T>() },
            "text/csv": { "schema": { "type": "string" } },
        });
        operation.answer(StatusCode::OK, "As asked for.", content);
    }
}

macro_rules! documented {
    ($($argument:ident)*) => {
        impl<F, Answering, Answer, $($argument),*> Documented<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Answering,
            Answering: Future<Output = Answer>,
            Answer: Answers,
            $($argument: Asks,)*
        {
            fn describe(operation: &mut Operation, schemas: &mut Schemas) {
                $($argument::describe(operation, schemas);)*
                Answer::describe(operation, schemas);
            }
        }
    };
}

documented!(A);
documented!(A B);
documented!(A B C);
documented!(A B C D);
documented!(A B C D E);
