-- Configuration layers, what phones fetched of them, and what phones set by themselves. The rules of 0001 hold here too.

-- Every state a layer was in. Only ever added to, until what it is for is gone.
CREATE TABLE configuration_revisions (
    -- 'platform', 'model/<model>', an account's, site's or device's id, or '<account>/<model>'.
    subject TEXT NOT NULL,
    -- From 1 in each layer.
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    why TEXT,
    -- The revision whose content came back with it; 0 is the empty layer of before.
    restores BIGINT,
    -- All entries as JSON, encrypted as a whole: raw parameters may be secrets.
    content BLOB NOT NULL,
    PRIMARY KEY (subject, number)
);

-- The revision of each layer that counts.
CREATE TABLE configuration_layers (
    subject TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);

-- The configuration that each phone fetched last; written only when it is another one.
CREATE TABLE fetched_configurations (
    mac TEXT NOT NULL PRIMARY KEY,
    device TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    -- Keyed hash of the content.
    digest BLOB NOT NULL,
    -- The file, encrypted.
    content BLOB NOT NULL
);

-- Files of settings made on a phone that were emptied here, until the phone has read them.
CREATE TABLE cleared_overrides (
    mac TEXT NOT NULL,
    name TEXT NOT NULL,
    device TEXT NOT NULL,
    cleared_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    -- When the phone fetched the emptied file.
    fetched_ms BIGINT,
    PRIMARY KEY (mac, name)
);
