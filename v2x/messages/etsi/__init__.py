"""CAM, DENM, CPM and VAM of ETSI ITS: what they hold, how long they are, when they are made."""
