"""Football's vocabulary and arithmetic: leagues, clubs, teams, seasons, scorelines and scoring rules."""
