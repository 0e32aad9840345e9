"""What a team says of itself, sent to every node with its signature: profile, contacts, keys, claims."""
