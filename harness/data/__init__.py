"""Ground truth and images that cannot be shipped: download, import, store and check them."""

from harness.data.device_costs import read_costs
from harness.data.formats import Contrast, Importable, Listing, SourceReader, TableFormat, Truth
from harness.data.further_tables import Costed, CostTable, Furthered, FurtherTable
from harness.data.importing import ImportSummary, import_table
from harness.data.local_tables import read_table, table_ground_truth
from harness.data.sources import Download, Files, FileShare, Sources

__all__ = [
    "Contrast",
    "CostTable",
    "Costed",
    "Download",
    "FileShare",
    "Files",
    "FurtherTable",
    "Furthered",
    "ImportSummary",
    "Importable",
    "Listing",
    "SourceReader",
    "Sources",
    "TableFormat",
    "Truth",
    "import_table",
    "read_costs",
    "read_table",
    "table_ground_truth",
]
