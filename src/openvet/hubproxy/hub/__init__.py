"""The protocol of a hub: what its clients ask, and how they are answered. No SQL, no pages, no API of ours."""
