"""What people look after themselves: their settings, sessions and keys; and heads of teams, their people."""
