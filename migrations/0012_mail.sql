-- Mail: the outbox, who was welcomed, links that are good once, templates, and who is written to about alarms.
-- content is encrypted (it may hold activation codes) and goes some days after the mail did.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    -- To whom it belongs; NULL is the whole server. site and person where it is about somebody.
    account TEXT REFERENCES accounts (id),
    site TEXT,
    person TEXT,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- waiting, handing-over, sent, refused, given-up, doubtful, replaced
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_ms BIGINT NOT NULL,
    -- The mail server's own words, or why there are none.
    answer TEXT,
    created_ms BIGINT NOT NULL,
    -- When it left the states in which something is still to be done.
    ended_ms BIGINT,
    content BLOB
);
CREATE INDEX mails_to_send ON mails (next_ms) WHERE state = 'waiting';
CREATE INDEX mails_by_account ON mails (account, id);
CREATE INDEX mails_by_person ON mails (person, id);

-- The newest welcome mail of a person, and the devices whose codes it held.
CREATE TABLE welcomes (
    person TEXT PRIMARY KEY,
    mail TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE TABLE welcome_devices (
    person TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (person, device)
);

-- Links to a person's codes, by the hash of their token.
CREATE TABLE mail_links (
    digest BLOB PRIMARY KEY,
    person TEXT NOT NULL,
    mail TEXT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms BIGINT
);
CREATE INDEX mail_links_by_person ON mail_links (person);

-- owner is an account's id, or empty for the whole server; language is empty for every language.
CREATE TABLE mail_templates (
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, kind, language)
);

CREATE TABLE alarm_addresses (
    owner TEXT NOT NULL,
    place BIGINT NOT NULL,
    address TEXT NOT NULL,
    -- Alarms of before are not mailed.
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, place)
);
CREATE TABLE mailed_alarms (
    alarm TEXT NOT NULL,
    owner TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (alarm, owner)
);
CREATE INDEX mailed_alarms_by_time ON mailed_alarms (owner, at_ms);
