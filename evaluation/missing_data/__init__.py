"""Ways of handling missing outcomes, one to a file: the file's name is what a study writes."""
