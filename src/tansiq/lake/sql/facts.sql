SELECT coalesce(sum(known), 0) > 0,
    count(DISTINCT (claims_version, addresses_as_of)) + count(*) FILTER (WHERE NOT one_basis)
FROM lake.batch_days WHERE {conditions}
