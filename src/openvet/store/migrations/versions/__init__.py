"""One module for each step. What has been released is never edited: databases out there went through it."""
