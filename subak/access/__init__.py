"""`subak access`: who may do what at the broker and in the database, written as the files that those read."""
