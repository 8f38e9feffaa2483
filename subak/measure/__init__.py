"""`subak measure`: the measures of files, without a database."""
