"""What people do in the register: contacts, duty, certificates, profile, claims; and the keepers of the register."""
