"""`subak camera`: what cameras see, and how well."""
