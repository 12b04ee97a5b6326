-- Users by name and by extension, for a list that is searched by how they begin.
CREATE INDEX persons_by_name ON persons (LOWER(name), id);
CREATE INDEX persons_by_extension ON persons (LOWER(extension), id);

-- An import that waits for somebody to look at its rows, mend them and say what becomes of them.
ALTER TABLE imports ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE;
-- What the row said, as a JSON list in the order of the columns of its kind; never a password.
ALTER TABLE import_rows ADD COLUMN cells TEXT;
-- Whether the row shows it on its own; the others come from the file and the database and can pass.
ALTER TABLE import_faults ADD COLUMN own BOOLEAN NOT NULL DEFAULT FALSE;
