"""Source formats: each parser is a pure function from the bytes of a file to its rows and rejected records."""
