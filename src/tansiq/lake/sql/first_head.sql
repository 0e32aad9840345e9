INSERT INTO lake.head VALUES (0, {version});
