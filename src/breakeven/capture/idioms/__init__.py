"""Small models, one idea each: what real code does, and what ways of capturing it make of it."""
