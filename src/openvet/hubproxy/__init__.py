"""The door for clients of a hub: its protocol, our API and our pages."""
