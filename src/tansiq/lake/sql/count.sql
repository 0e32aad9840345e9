SELECT {keys}count(*)::UBIGINT AS events, coalesce(sum(count), 0)::UBIGINT AS sightings
FROM ({events}) GROUP BY ALL ORDER BY events DESC
