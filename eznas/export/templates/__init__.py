"""What exported files are made of: real modules, so that they are checked and tested like any other."""
