"""Who is in the federation: teams, what each answers for, how each is reached."""
