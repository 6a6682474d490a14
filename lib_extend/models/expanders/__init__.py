"""Language models that write more tags or prose to a few words; one file a family."""
