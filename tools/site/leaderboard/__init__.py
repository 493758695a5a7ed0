"""The leaderboard: boards as files, read into plain records, combined, and written as pages."""
