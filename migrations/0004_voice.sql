-- What the voice and the other doors to an activation need. The rules of 0001 hold here too.

-- Under which name an unclaimed phone registers, so that a call proves which phone calls.
CREATE TABLE sip_identities (
    mac TEXT NOT NULL PRIMARY KEY,
    sip_user TEXT NOT NULL UNIQUE,
    password BLOB NOT NULL,
    made_ms BIGINT NOT NULL,
    -- Set when the phone has read its configuration: until then it may still sign off under this name.
    ends_ms BIGINT
);

-- Phones that were claimed and have not read their configuration yet.
CREATE TABLE awaited (
    mac TEXT NOT NULL PRIMARY KEY,
    since_ms BIGINT NOT NULL,
    -- When its timeline said that it does not come back.
    noted_ms BIGINT
);

-- Codes that were refused within the last hour; older ones go when the next one comes.
CREATE TABLE wrong_tries (
    at_ms BIGINT NOT NULL,
    -- The phone that proved itself; NULL for the web page, where nobody proves anything.
    mac TEXT,
    -- An IPv4 address, or the first half of an IPv6 address.
    source TEXT NOT NULL
);
CREATE INDEX wrong_tries_by_time ON wrong_tries (at_ms);
CREATE INDEX wrong_tries_by_phone ON wrong_tries (mac, at_ms);
CREATE INDEX wrong_tries_by_source ON wrong_tries (source, at_ms);

-- The short word that a refusal is found by.
ALTER TABLE events ADD COLUMN reference TEXT;
CREATE INDEX events_by_reference ON events (reference) WHERE reference IS NOT NULL;

-- Where emergency calls of a site's unclaimed phones are sent on to.
CREATE TABLE emergency_routes (
    site TEXT NOT NULL PRIMARY KEY REFERENCES sites (id),
    address TEXT NOT NULL
);

CREATE TABLE emergency_networks (
    site TEXT NOT NULL REFERENCES emergency_routes (site),
    place BIGINT NOT NULL,
    network TEXT NOT NULL,
    PRIMARY KEY (site, place)
);
