"""Ground truth and images that cannot be shipped: getting, importing, keeping and checking them."""

from harness.data.device_costs import Costed, CostTable
from harness.data.formats import Contrast, Importable, Listing, SourceReader, TableFormat, Truth
from harness.data.importing import ImportSummary, import_table

__all__ = [
    "Contrast",
    "CostTable",
    "Costed",
    "ImportSummary",
    "Importable",
    "Listing",
    "SourceReader",
    "TableFormat",
    "Truth",
    "import_table",
]
