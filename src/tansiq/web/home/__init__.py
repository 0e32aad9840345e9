"""The first page: to a guest, what this is and whom to ask; to a person, what needs them now."""
