"""Training: batches from memory, the Lightning module, the fit that can be interrupted and resumed."""
