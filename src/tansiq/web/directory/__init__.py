"""The public directory: teams, the map, profiles; with what each reader may see of people and contacts."""
