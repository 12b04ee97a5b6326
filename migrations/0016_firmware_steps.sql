-- Which firmware phones are led to, when, and what became of it. The rules of 0001 hold here too.

-- What was decided; one policy for the same place, model and ring.
CREATE TABLE firmware_policies (
    -- A ULID.
    id TEXT NOT NULL PRIMARY KEY,
    -- '' for the whole server, else the id of an account or a site.
    place TEXT NOT NULL,
    -- The account it belongs to: of a site its own; NULL for the whole server.
    account TEXT,
    site TEXT,
    -- '' is every one.
    model TEXT NOT NULL,
    ring TEXT NOT NULL,
    -- 'newest', 'keep' or a version.
    goal TEXT NOT NULL,
    -- Wall-clock time at the site, as '22:00-05:00'.
    opening TEXT,
    slots BIGINT,
    -- The ring that goes first, and for how long and from how many failures on not.
    after_ring TEXT,
    after_hours BIGINT,
    most_failures BIGINT,
    reason TEXT NOT NULL,
    changed_ms BIGINT NOT NULL,
    UNIQUE (place, model, ring)
);

-- Devices in another ring than 'general'.
CREATE TABLE firmware_rings (
    device TEXT NOT NULL PRIMARY KEY,
    ring TEXT NOT NULL
);
CREATE INDEX firmware_rings_by_ring ON firmware_rings (ring, device);

-- Devices whose step somebody wants now, whatever window and ring say.
CREATE TABLE firmware_now (
    device TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- Each attempt to lead a phone from one version to another.
CREATE TABLE firmware_steps (
    -- Ordered by time: a ULID.
    id TEXT NOT NULL PRIMARY KEY,
    mac TEXT NOT NULL,
    -- To whom the phone belonged then.
    device TEXT,
    account TEXT,
    site TEXT,
    -- The hardware's id in the catalog.
    model TEXT NOT NULL,
    ring TEXT NOT NULL,
    policy TEXT,
    image TEXT NOT NULL,
    -- The file its master file names.
    file TEXT NOT NULL,
    -- Whether the image is an updater.
    is_updater BOOLEAN NOT NULL,
    from_version TEXT NOT NULL,
    to_version TEXT NOT NULL,
    -- Where the steps lead in the end.
    target TEXT NOT NULL,
    -- 'offered', 'loading', 'sent', 'done', 'failed' or 'withdrawn'.
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- As far as it was sent.
    sent BIGINT NOT NULL,
    offered_ms BIGINT NOT NULL,
    -- The first request for the image.
    asked_ms BIGINT,
    -- Requests for it from its beginning, those of one minute counted once, and the last that counted.
    tries BIGINT NOT NULL,
    tried_ms BIGINT,
    -- Whether it did something else since the whole image was sent: what it runs then tells what became of it.
    went_on BOOLEAN NOT NULL,
    -- The last sign of the phone.
    touched_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    -- What it came back with, or why it was withdrawn.
    ended_as TEXT
);
-- A phone is led one step at a time.
CREATE UNIQUE INDEX firmware_steps_open ON firmware_steps (mac) WHERE ended_ms IS NULL;
CREATE INDEX firmware_steps_by_mac ON firmware_steps (mac, id);
CREATE INDEX firmware_steps_by_state ON firmware_steps (state, id);
CREATE INDEX firmware_steps_by_account ON firmware_steps (account, id);
CREATE INDEX firmware_steps_by_target ON firmware_steps (target, state);

-- Versions that failed too often under a policy.
CREATE TABLE firmware_pauses (
    id TEXT NOT NULL PRIMARY KEY,
    policy TEXT NOT NULL,
    version TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    resumed_ms BIGINT
);
CREATE UNIQUE INDEX firmware_pauses_open ON firmware_pauses (policy, version) WHERE resumed_ms IS NULL;

-- Phones that may load firmware over plain HTTP, as they cannot prove who they are.
CREATE TABLE firmware_doors (
    id TEXT NOT NULL PRIMARY KEY,
    mac TEXT NOT NULL,
    model TEXT NOT NULL,
    reason TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    ends_ms BIGINT NOT NULL,
    closed_ms BIGINT
);
