-- What a device goes through after its claim: passwords with their standing, the phones it had, release and removal.
-- The rules of 0001 hold here too.

-- Every pair of passwords a phone was ever to have. Kept for good, also when the device is removed, so nothing is
-- referred to.
CREATE TABLE phone_passwords (
    id TEXT NOT NULL PRIMARY KEY,
    device TEXT NOT NULL,
    mac TEXT NOT NULL,
    admin_password BLOB NOT NULL,
    user_password BLOB NOT NULL,
    -- Keyed hash of the administrator password, so that no two are alike; NULL for those of before.
    admin_digest BLOB,
    made_ms BIGINT NOT NULL,
    -- When the phone first read a configuration with it.
    fetched_ms BIGINT,
    -- When it restarted after that: from then on it has it.
    taken_ms BIGINT,
    -- When it took another pair instead.
    replaced_ms BIGINT
);
CREATE INDEX phone_passwords_by_device ON phone_passwords (device, id);
CREATE INDEX phone_passwords_by_phone ON phone_passwords (mac, id);
CREATE INDEX phone_passwords_by_digest ON phone_passwords (admin_digest);

-- Phones of before that were not waited for had read their configuration and restarted.
INSERT INTO phone_passwords (id, device, mac, admin_password, user_password, made_ms, fetched_ms, taken_ms)
    SELECT b.device, b.device, b.mac, b.admin_password, b.user_password, b.bound_ms,
           CASE WHEN a.mac IS NULL THEN b.bound_ms END, CASE WHEN a.mac IS NULL THEN b.bound_ms END
    FROM bindings b LEFT JOIN awaited a ON a.mac = b.mac;
ALTER TABLE bindings ADD COLUMN passwords TEXT NOT NULL DEFAULT '';
UPDATE bindings SET passwords = device;
ALTER TABLE bindings DROP COLUMN admin_password;
ALTER TABLE bindings DROP COLUMN user_password;

-- The phones a device has and had. Kept for good.
CREATE TABLE device_phones (
    device TEXT NOT NULL,
    mac TEXT NOT NULL,
    bound_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    -- NULL, 'swapped', 'unassigned' or 'released'.
    ended_how TEXT,
    PRIMARY KEY (device, bound_ms, mac)
);
CREATE INDEX device_phones_by_phone ON device_phones (mac, device);
INSERT INTO device_phones (device, mac, bound_ms) SELECT device, mac, bound_ms FROM bindings;

-- What the user changed on a device's phone, while the device has none: the end of the file's name, behind the MAC.
CREATE TABLE device_uploads (
    device TEXT NOT NULL,
    ending TEXT NOT NULL,
    bytes BLOB NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (device, ending)
);

-- Phones that were replaced by another: they get nothing until somebody lets them in again.
CREATE TABLE set_aside_phones (
    mac TEXT NOT NULL PRIMARY KEY,
    -- The device it was taken from, and its account.
    device TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id),
    since_ms BIGINT NOT NULL
);
CREATE INDEX set_aside_phones_by_device ON set_aside_phones (device);

ALTER TABLE devices ADD COLUMN released_ms BIGINT;

-- Devices that were released, and those that are removed besides: all that is needed to restore them. Their rows hold
-- no secret, and refer to people and sites that may be gone.
CREATE TABLE releases (
    device TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    model TEXT NOT NULL,
    person TEXT,
    site TEXT,
    named_mac TEXT,
    barred TEXT,
    created_ms BIGINT NOT NULL,
    released_ms BIGINT NOT NULL,
    removed_ms BIGINT,
    -- The binding, if there was one.
    mac TEXT,
    how TEXT,
    passwords TEXT,
    pin TEXT,
    pin_address TEXT
);
CREATE INDEX releases_by_account ON releases (account, device);
