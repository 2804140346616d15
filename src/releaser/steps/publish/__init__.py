"""Index, release and registry have what was built."""
