SELECT {keys}count(*)::UBIGINT AS events, sum(count)::UBIGINT AS sightings
FROM ({events}) GROUP BY ALL ORDER BY events DESC
