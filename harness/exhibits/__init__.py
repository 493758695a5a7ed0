"""The exhibit of each analysis, one file each: from an opened run to tables and figures with their numbers."""
