-- The tables of a new lake. events and rejects are Parquet files; the others live in the catalogue.
CREATE TABLE lake.events ({events});
CREATE TABLE lake.rejects ({rejects});
-- One row that every write moves: two writers from the same snapshot cannot both commit.
CREATE TABLE lake.head (moves UBIGINT, schema_version UTINYINT);
-- What was stored of which report: the truth about batches.
CREATE TABLE lake.slices (
    batch_id VARCHAR, report_id VARCHAR, feed VARCHAR, first_line UBIGINT, end_line UBIGINT, blank UBIGINT,
    events UBIGINT, new UBIGINT, rejected UBIGINT, complete BOOLEAN
);
-- What a batch holds of a day: how many events, how many of them another batch held before it, and the tables under
-- which they were attributed (null: several). It tells a reader when it need not fold.
CREATE TABLE lake.batch_days (
    batch_id VARCHAR, day DATE, events UBIGINT, known UBIGINT, claims_version UINTEGER, addresses_as_of DATE,
    one_basis BOOLEAN, received_first TIMESTAMP WITH TIME ZONE, received_last TIMESTAMP WITH TIME ZONE
);
