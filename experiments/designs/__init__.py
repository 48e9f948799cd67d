"""Assignment schemes, one to a file; the file name is the scheme's name in a study."""
