"""What a user can add, found by name: one Python file here and one yaml file in conf/."""
