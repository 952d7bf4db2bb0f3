"""Which ways of capturing a model as a graph give what the model gives."""
