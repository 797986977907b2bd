"""Rules about Caffe networks."""
