//! What the phone asked and what it got: the record a test or an operator reads.
//!
//! Decides the shape of a line; never what is asked.

use std::collections::VecDeque;

use serde::Serialize;

/// Requests that are kept: more than any start makes, and bounded for a phone that polls for months.
const KEPT: usize = 1000;

/// One request as it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RequestRecord {
    /// When it was sent, RFC 3339 in UTC, by the caller's clock.
    pub at: String,
    /// GET, HEAD or PUT.
    pub method: String,
    /// The path asked for, starting with `/`.
    pub path: String,
    /// The User-Agent sent.
    pub user_agent: String,
    /// The answer's status; absent when no answer came.
    pub status: Option<u16>,
    /// Bytes of the body: received for GET, sent for PUT, 0 for HEAD.
    pub bytes: usize,
    /// Why no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The last requests since the phone was made, oldest first; a thousand at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestLog(VecDeque<RequestRecord>);

impl RequestRecord {
    /// One line of JSON, without the newline.
    pub fn json_line(&self) -> String {
        let status = self.status.map_or(serde_json::Value::Null, Into::into);
        serde_json::to_string(self).unwrap_or_else(|_| {
            // Text and numbers only: serialization has nothing to fail on, and a line is better than none.
            serde_json::json!({ "path": self.path, "status": status }).to_string()
        })
    }

    /// `GET /0004f2000001.cfg 404`, the way recordings of real phones are written.
    pub fn summary(&self) -> String {
        match self.status {
            Some(status) => format!("{} {} {status}", self.method, self.path),
            None => format!("{} {} -", self.method, self.path),
        }
    }
}

impl RequestLog {
    /// The requests, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &RequestRecord> {
        self.0.iter()
    }

    /// Forgets all requests.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// One line of JSON for each request.
    pub fn json_lines(&self) -> String {
        self.iter().map(|record| record.json_line() + "\n").collect()
    }

    pub(crate) fn add(&mut self, record: RequestRecord) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RequestRecord {
        RequestRecord {
            at: "2026-11-21T18:00:00.000Z".to_owned(),
            method: "GET".to_owned(),
            path: "/0004f2000001.cfg".to_owned(),
            user_agent: "FileTransport X".to_owned(),
            status: Some(404),
            bytes: 9,
            failure: None,
        }
    }

    #[test]
    fn the_oldest_requests_are_forgotten() {
        let mut log = RequestLog::default();
        for bytes in 0..KEPT + 2 {
            log.add(RequestRecord { bytes, ..record() });
        }

        assert_eq!((log.iter().count(), log.iter().next().map(|first| first.bytes)), (KEPT, Some(2)));
    }

    #[test]
    fn a_request_is_one_line_of_json() {
        let record = record();

        assert_eq!(
            record.json_line(),
            r#"{"at":"2026-11-21T18:00:00.000Z","method":"GET","path":"/0004f2000001.cfg","user-agent":"FileTransport X","status":404,"bytes":9}"#
        );
        assert_eq!(record.summary(), "GET /0004f2000001.cfg 404");
    }
}
