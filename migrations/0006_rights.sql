-- Accounts in a tree. The path is the ids from the root, each after a slash, with a slash at the end
-- ("/account_a/account_b/"): an account and all below it are one range of it. parent is NULL at the top.
ALTER TABLE accounts ADD COLUMN parent TEXT REFERENCES accounts (id);
ALTER TABLE accounts ADD COLUMN path TEXT NOT NULL DEFAULT '';
UPDATE accounts SET path = '/' || id || '/';
CREATE UNIQUE INDEX accounts_by_path ON accounts (path);
CREATE INDEX accounts_by_parent ON accounts (parent, id);

-- Tokens with a name, a role, a scope and an end. account and site are NULL for the whole server; site only beside
-- account. Tokens of before are the owner's.
ALTER TABLE tokens ADD COLUMN id TEXT NOT NULL DEFAULT '';
UPDATE tokens SET id = 'token_0000000000000000' || SUBSTR(CAST(10000000000
    + (SELECT COUNT(*) FROM tokens t WHERE t.digest < tokens.digest) AS TEXT), 2);
CREATE UNIQUE INDEX tokens_by_id ON tokens (id);
ALTER TABLE tokens ADD COLUMN name TEXT;
ALTER TABLE tokens ADD COLUMN account TEXT REFERENCES accounts (id);
ALTER TABLE tokens ADD COLUMN site TEXT;
ALTER TABLE tokens ADD COLUMN expires_ms BIGINT;
ALTER TABLE tokens ADD COLUMN revoked_ms BIGINT;
-- Written at most once a minute.
ALTER TABLE tokens ADD COLUMN used_ms BIGINT;
CREATE INDEX tokens_by_account ON tokens (account, id);

-- The account that an entry is about, and its site where there is one; NULL is the whole server.
ALTER TABLE audit ADD COLUMN account TEXT REFERENCES accounts (id);
ALTER TABLE audit ADD COLUMN site TEXT;
CREATE INDEX audit_by_account ON audit (account, id);
