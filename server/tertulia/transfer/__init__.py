"""Moving articles and discussions in and out: one JSON format, read and written here alone.

    bytes ── format.read ──▶ File ── plan.plan ──▶ Plan ── importing ──▶ write queue, article files
                                                           exporting ──▶ a document that imports as the same

In: everything is read and judged before anything is written, within the memory there is, and what is there already is
left as it is. Out: everything is written as it is read.
"""

from tertulia.transfer.exporting import export
from tertulia.transfer.files import read_file, written
from tertulia.transfer.importing import Imported, import_file

__all__ = ["Imported", "export", "import_file", "read_file", "written"]
