"""What insiders with valid certificates say wrongly: the catalogue of F2MD, attacks 1 to 19."""
