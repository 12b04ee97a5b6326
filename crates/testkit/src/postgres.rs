//! A PostgreSQL database of one test, on the server that `./test` starts.

use std::process::Command;

/// The URL of a database where databases may be made.
const SERVER: &str = "PROVOST_TEST_POSTGRES";

/// An empty database; dropped with this.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: String,
    name: String,
    url: String,
}

impl PostgresDatabase {
    /// Makes one; where there is no server, says that the test is skipped and ends it.
    #[expect(clippy::new_without_default, reason = "makes something in the world")]
    pub fn new() -> Self {
        let Some(server) = std::env::var(SERVER).ok().filter(|url| !url.is_empty()) else {
            crate::skipped(&format!("{SERVER} names no PostgreSQL server; .ci/start-postgres starts one"));
            std::process::exit(0);
        };
        let name = format!("test_{}", hex(&random()));
        let (root, _) = server.rsplit_once('/').unwrap();
        let url = format!("{root}/{name}");
        let made = Self { server, name, url };
        made.command(&made.server, &format!("CREATE DATABASE {}", made.name));
        made
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements in it and returns their rows, columns parted by `|`.
    pub fn sql(&self, statements: &str) -> String {
        self.command(&self.url, &format!("SET search_path = provost, pg_catalog; {statements}"))
    }

    fn command(&self, url: &str, statements: &str) -> String {
        let output = Command::new("psql").args(["-X", "-q", "-A", "-t", url, "-c", statements]).output().unwrap();
        assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = Command::new("psql").args(["-X", "-q", &self.server, "-c", &statement]).output();
    }
}

fn random() -> [u8; 8] {
    let mut bytes = [0; 8];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
