"""What a release leaves for others: a JSON document with the whole record, and a page that shows it."""
