"""Personal data: found in both languages, replaced before a text leaves the machine, put back in what returns."""
