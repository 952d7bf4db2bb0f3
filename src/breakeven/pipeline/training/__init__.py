"""The training of models: batches from memory, the Lightning module, and a fit that can be resumed."""
