"""Old names of the models, for manifests on disk and users' yaml; they go after one release."""
