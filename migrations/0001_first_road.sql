-- What the first road needs, in portable SQL. BLOB and BOOLEAN are words every engine has or is taught by a prelude.
-- Times are Unix milliseconds; ids are minted by Provost;
-- columns that hold secrets are ciphertext (BLOB), the key is not in the database.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE sites (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    country TEXT,
    language TEXT,
    vlan BIGINT,
    voicemail TEXT,
    created_ms BIGINT NOT NULL
);
CREATE INDEX sites_by_account ON sites (account, id);

CREATE TABLE site_servers (
    site TEXT NOT NULL REFERENCES sites (id),
    place BIGINT NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    transport TEXT NOT NULL,
    PRIMARY KEY (site, place)
);

-- "person", because "user" is a reserved word in SQL.
CREATE TABLE persons (
    id TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (id),
    name TEXT NOT NULL,
    extension TEXT NOT NULL,
    email TEXT,
    created_ms BIGINT NOT NULL,
    UNIQUE (site, extension)
);

CREATE TABLE person_lines (
    person TEXT NOT NULL REFERENCES persons (id),
    place BIGINT NOT NULL,
    sip_user TEXT NOT NULL,
    auth_user TEXT,
    password BLOB,
    PRIMARY KEY (person, place)
);

CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    model TEXT NOT NULL,
    person TEXT REFERENCES persons (id),
    -- The phone an administrator named beforehand; the phone it is bound to stands in bindings.
    mac TEXT,
    -- NULL, 'disabled' or 'quarantined'.
    barred TEXT,
    created_ms BIGINT NOT NULL,
    -- Within one account a phone is named once; other accounts must not notice.
    UNIQUE (account, mac)
);
CREATE INDEX devices_by_mac ON devices (mac);
CREATE INDEX devices_by_account ON devices (account, id);
CREATE INDEX devices_by_person ON devices (person);

CREATE TABLE phones (
    mac TEXT NOT NULL PRIMARY KEY,
    model TEXT,
    firmware TEXT,
    updater TEXT,
    certificate TEXT NOT NULL,
    certificate_note TEXT,
    fingerprint BLOB,
    address TEXT NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL
);

CREATE TABLE bindings (
    device TEXT NOT NULL PRIMARY KEY REFERENCES devices (id),
    mac TEXT NOT NULL UNIQUE,
    how TEXT NOT NULL,
    bound_ms BIGINT NOT NULL,
    admin_password BLOB NOT NULL,
    user_password BLOB NOT NULL,
    -- NULL while undecided, 'pinned' or 'left-alone', with the address it is pinned to or came in at.
    pin TEXT,
    pin_address TEXT
);

CREATE TABLE codes (
    -- Keyed hash of the digits.
    digest BLOB NOT NULL PRIMARY KEY,
    device TEXT NOT NULL REFERENCES devices (id),
    -- The digits, encrypted.
    shown BLOB NOT NULL,
    issued_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_by TEXT,
    used_ms BIGINT,
    voided_ms BIGINT
);
CREATE INDEX codes_by_device ON codes (device);
-- A device has one open code, whatever two administrators do at once.
CREATE UNIQUE INDEX open_code_of_device ON codes (device) WHERE used_by IS NULL AND voided_ms IS NULL;

CREATE TABLE events (
    -- Ordered by time: a ULID.
    id TEXT NOT NULL PRIMARY KEY,
    mac TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    sentence TEXT NOT NULL,
    advice TEXT
);
CREATE INDEX events_by_mac ON events (mac, id);

CREATE TABLE uploads (
    mac TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (mac, name)
);
