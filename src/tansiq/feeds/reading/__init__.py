"""From the bytes of a report to text columns: streams, blocks of whole lines, fields. Lines first, columns second."""
