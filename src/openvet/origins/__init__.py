"""Where a subject comes from. An origin lists a snapshot and opens its files; it never reads what is in them."""
