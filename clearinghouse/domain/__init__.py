"""The rules: values in, values or decisions out. Nothing here waits, stores or asks for the time."""
