-- People who sign in at the console.
CREATE TABLE administrators (
    id TEXT PRIMARY KEY,
    -- The sign-in name, in lower case; the first owner is "owner" until they chose theirs.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    account TEXT REFERENCES accounts (id),
    site TEXT,
    language TEXT,
    -- Argon2id as a PHC string; NULL once a one-time password was used.
    password TEXT,
    password_ms BIGINT NOT NULL,
    -- Until when the password, which somebody else was shown, works, and once; NULL for one of their own.
    once_until_ms BIGINT,
    -- The secret of their authenticator, encrypted, and the last time step that was used.
    totp BLOB,
    totp_step BIGINT,
    disabled_ms BIGINT,
    created_ms BIGINT NOT NULL,
    signed_in_ms BIGINT
);
CREATE INDEX administrators_by_account ON administrators (account, id);

-- SHA-256 of each recovery code that is left: 80 random bits.
CREATE TABLE recovery_codes (
    administrator TEXT NOT NULL REFERENCES administrators (id),
    digest BLOB NOT NULL,
    PRIMARY KEY (administrator, digest)
);

-- SHA-256 of what a link to choose a password holds.
CREATE TABLE password_links (
    digest BLOB PRIMARY KEY,
    administrator TEXT NOT NULL REFERENCES administrators (id),
    made_ms BIGINT NOT NULL
);
CREATE INDEX password_links_by_administrator ON password_links (administrator);

-- Open sessions of the console, each of an administrator or begun with a token. digest is SHA-256 of the cookie.
CREATE TABLE console_sessions (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    administrator TEXT REFERENCES administrators (id),
    token TEXT,
    address TEXT NOT NULL,
    browser TEXT NOT NULL,
    began_ms BIGINT NOT NULL,
    used_ms BIGINT NOT NULL
);
CREATE INDEX console_sessions_by_administrator ON console_sessions (administrator, used_ms);
CREATE INDEX console_sessions_by_token ON console_sessions (token, used_ms);

-- Tries to sign in that were wrong or are being judged. name is a keyed hash of what was typed.
CREATE TABLE sign_in_tries (
    at_ms BIGINT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE INDEX sign_in_tries_by_time ON sign_in_tries (at_ms);
CREATE INDEX sign_in_tries_by_name ON sign_in_tries (name, at_ms);
CREATE INDEX sign_in_tries_by_source ON sign_in_tries (source, at_ms);

-- Where somebody signed in before: what others try elsewhere does not make them wait there.
CREATE TABLE sign_in_places (
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    used_ms BIGINT NOT NULL,
    PRIMARY KEY (name, source)
);
