"""The pages: what people do at the gate with a browser. Made on the server; no script runs in them, and they load nothing but one style sheet of ours."""
