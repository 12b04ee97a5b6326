-- What the device report sorts and finds by, one row a device. Made from the tables above by triggers, which
-- crates/store/src/report/upkeep.rs installs and which fill it anew when they change: nothing else writes here, and a
-- copy of the database may leave it out. Text is in lower case; what is missing is '' or 0, so that it has a place.
CREATE TABLE device_report (
    device TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    site TEXT NOT NULL,
    model TEXT NOT NULL,
    mac TEXT NOT NULL,
    extension TEXT NOT NULL,
    status TEXT NOT NULL,
    site_name TEXT NOT NULL,
    user_name TEXT NOT NULL,
    contact_ms BIGINT NOT NULL,
    -- As they are shown, so that a page need not look them up.
    shown_extension TEXT,
    shown_site TEXT,
    shown_user TEXT
);
CREATE INDEX report_by_model ON device_report (model, device);
CREATE INDEX report_by_mac ON device_report (mac, device);
CREATE INDEX report_by_extension ON device_report (extension, device);
CREATE INDEX report_by_status ON device_report (status, device);
CREATE INDEX report_by_site_name ON device_report (site_name, device);
CREATE INDEX report_by_user_name ON device_report (user_name, device);
CREATE INDEX report_by_contact ON device_report (contact_ms, device);
CREATE INDEX report_by_site ON device_report (site, device);
CREATE INDEX report_of_account_by_model ON device_report (account, model, device);
CREATE INDEX report_of_account_by_mac ON device_report (account, mac, device);
CREATE INDEX report_of_account_by_extension ON device_report (account, extension, device);
CREATE INDEX report_of_account_by_status ON device_report (account, status, device);
CREATE INDEX report_of_account_by_site_name ON device_report (account, site_name, device);
CREATE INDEX report_of_account_by_user_name ON device_report (account, user_name, device);
CREATE INDEX report_of_account_by_contact ON device_report (account, contact_ms, device);

-- A language tag such as de-AT.
ALTER TABLE persons ADD COLUMN language TEXT;

-- CSV files that were taken in, and what became of them.
CREATE TABLE imports (
    -- Ordered by time: import_ and a ULID.
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    -- 'receiving', 'applying', 'done', 'refused' (nothing was applied) or 'broken' (what came before stays).
    state TEXT NOT NULL,
    who TEXT NOT NULL,
    from_where TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    rows_read BIGINT NOT NULL,
    rows_bad BIGINT NOT NULL,
    rows_done BIGINT NOT NULL,
    -- The last row that was looked at for good, so that a killed import goes on behind it.
    applied_to BIGINT NOT NULL,
    problem TEXT
);
CREATE INDEX imports_by_account ON imports (account, id);

-- The rows of a file as they were understood.
CREATE TABLE import_rows (
    import TEXT NOT NULL REFERENCES imports (id),
    -- As a spreadsheet counts: the header is row 1.
    number BIGINT NOT NULL,
    -- Of what the row makes.
    id TEXT,
    site TEXT,
    person TEXT,
    name TEXT,
    extension TEXT,
    email TEXT,
    language TEXT,
    model TEXT,
    mac TEXT,
    sip_user TEXT,
    auth_user TEXT,
    password BLOB,
    PRIMARY KEY (import, number)
);
CREATE INDEX import_rows_by_extension ON import_rows (import, site, extension, number);
CREATE INDEX import_rows_by_mac ON import_rows (import, mac, number);
CREATE INDEX import_rows_by_line ON import_rows (import, person, sip_user, number);

-- What is wrong with a row; a row without is good.
CREATE TABLE import_faults (
    import TEXT NOT NULL REFERENCES imports (id),
    number BIGINT NOT NULL,
    field TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (import, number, field)
);
