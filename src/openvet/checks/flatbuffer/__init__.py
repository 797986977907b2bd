"""FlatBuffers: what their structure says that is not so."""
