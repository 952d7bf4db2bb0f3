"""The self-test of the engine: on copies of a model, on known slowdowns, and against other tools."""
