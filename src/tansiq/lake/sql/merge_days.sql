-- One row for the batches of a day that are one file now; nothing in it repeats anything any more.
INSERT INTO lake.batch_days BY NAME
SELECT {batch_id} AS batch_id, day, (sum(events) - sum(known))::UBIGINT AS events, 0 AS known,
    min(claims_version) AS claims_version, min(addresses_as_of) AS addresses_as_of,
    bool_and(one_basis) AND count(DISTINCT (claims_version, addresses_as_of)) <= 1 AS one_basis,
    min(received_first) AS received_first, max(received_last) AS received_last
FROM lake.batch_days SEMI JOIN gone USING (batch_id, day)
GROUP BY day
