-- Ways to customers' PBXs, to learn who is registered there and to reach phones through them.
CREATE TABLE connectors (
    id TEXT PRIMARY KEY,
    -- One each: the nearest up the tree serves.
    account TEXT NOT NULL UNIQUE REFERENCES accounts (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    -- How the connection is kept: tls, plain, plain-anywhere.
    security TEXT NOT NULL,
    -- SHA-256 of the one certificate that is taken.
    certificate TEXT,
    username TEXT,
    -- Encrypted.
    password BLOB,
    path TEXT NOT NULL,
    profile TEXT NOT NULL,
    domain TEXT,
    -- Whether it may lead to loopback, private and link-local addresses.
    inside BOOLEAN NOT NULL,
    is_on BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
);
