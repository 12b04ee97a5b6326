-- Who did what, what was blocked, opened and excepted, and what wants a look. The rules of 0001 hold here too.

-- Only ever added to: no statement of ours changes or deletes a row.
CREATE TABLE audit (
    -- Ordered by time: a ULID.
    id TEXT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT,
    from_where TEXT NOT NULL
);

CREATE TABLE blocked_certificates (
    sha256 BLOB NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    blocked_ms BIGINT NOT NULL
);

CREATE TABLE alarms (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    raised_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    times BIGINT NOT NULL,
    ended_ms BIGINT,
    sentence TEXT NOT NULL,
    advice TEXT NOT NULL
);
-- One open alarm for one thing.
CREATE UNIQUE INDEX alarms_open ON alarms (kind, subject) WHERE ended_ms IS NULL;

CREATE TABLE http_bootstraps (
    id TEXT NOT NULL PRIMARY KEY,
    address_range TEXT NOT NULL,
    reason TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    ends_ms BIGINT NOT NULL,
    closed_ms BIGINT
);

CREATE TABLE suspensions (
    mac TEXT NOT NULL PRIMARY KEY,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL
);

CREATE TABLE exceptions (
    id TEXT NOT NULL PRIMARY KEY,
    device TEXT NOT NULL REFERENCES devices (id),
    mac TEXT NOT NULL,
    reason TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    -- Moved forward when the configuration was sent or the exception revoked.
    ends_ms BIGINT NOT NULL,
    -- The first address that used it; no other may.
    address TEXT,
    sent_ms BIGINT,
    revoked_ms BIGINT
);
CREATE INDEX exceptions_by_device ON exceptions (device, ends_ms);

-- Which phone was last seen where a handshake fails now.
CREATE INDEX phones_by_address ON phones (address);
