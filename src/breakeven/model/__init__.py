"""The old names of the models, for manifests on disk and users' YAML files, for one more release."""
