//! curl, as the tools for real phones use their libraries.

use std::process::Command;

/// Who asks, and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    at: String,
    arguments: Vec<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// 0 when nobody answered.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// `name=value` of a cookie that is set.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookie = self.header("set-cookie")?.split(';').next()?.to_owned();
        cookie.starts_with(&format!("{name}=")).then_some(cookie)
    }

    /// What stands between two texts.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(before)?;
        Some(rest.split_once(after)?.0.to_owned())
    }

    /// The number of the field that sets a parameter.
    pub(crate) fn number(&self, parameter: &str) -> String {
        let (before, _) = self.body.split_once(&format!("paramname=\"{parameter}\"")).expect(parameter);
        let (_, name) = before.rsplit_once(" name=\"").unwrap();
        name.split('"').next().unwrap().to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Tool {
    pub(crate) fn at(at: String) -> Self {
        Self { at, arguments: Vec::new() }
    }

    pub(crate) fn with(&self, argument: &str, value: &str) -> Self {
        let mut with = self.clone();
        with.arguments.extend([argument.to_owned(), value.to_owned()]);
        with
    }

    pub(crate) fn header(&self, header: &str) -> Self {
        self.with("-H", header)
    }

    pub(crate) fn cookie(&self, cookie: &str) -> Self {
        self.with("-b", cookie)
    }

    pub(crate) fn user(&self, name: &str, password: &str) -> Self {
        self.with("-u", &format!("{name}:{password}"))
    }

    pub(crate) fn referer(&self) -> Self {
        let from = format!("{}/index.htm", self.at);
        self.with("-e", &from)
    }

    /// Reads the token of the login page, and shows it from now on.
    pub(crate) async fn with_token(&self) -> Self {
        let page = self.get("/index.htm").await;
        let token = page.between("<meta name=\"csrf-token\" content=\"", "\"").expect("a token");
        self.header(&format!("anti-csrf-token: {token}")).referer()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.run(path, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.run(path, &["-X", "POST", "--data-raw", body]).await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Reply {
        self.run(path, &["-X", "PUT", "-H", "Content-Type: application/octet-stream", "--data-raw", body]).await
    }

    pub(crate) async fn json(&self, path: &str, body: &str) -> Reply {
        self.header("Content-Type: application/json").post(path, body).await
    }

    async fn run(&self, path: &str, more: &[&str]) -> Reply {
        let mut command = Command::new("curl");
        command.args(["-q", "-sSk", "-i", "--max-time", "20", "--noproxy", "*"]);
        command.args(&self.arguments).args(more).arg(format!("{}{path}", self.at));
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("curl is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // Digest shows a refusal before the answer: the last head counts.
        let mut rest = text.as_str();
        let mut head = "";
        while rest.starts_with("HTTP/") {
            (head, rest) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_owned(), body: rest.to_owned() }
    }
}
