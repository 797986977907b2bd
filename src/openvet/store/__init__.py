"""What a server remembers: a database (SQLite, or PostgreSQL by URL) and files by their digest."""
