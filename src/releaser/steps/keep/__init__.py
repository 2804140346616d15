"""Results of a run that is no release are kept here: built files in a directory, images in the local engine."""
