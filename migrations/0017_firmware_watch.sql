-- Which versions phones of each model run, looked up one after the other, and the phones that run one.
CREATE INDEX phones_by_firmware ON phones (model, firmware);
