"""What users type: one thin file a command, and what it prints."""
